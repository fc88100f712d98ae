"""One module for each kind of column: what its cells look like, and how they are read.

- `number`: numbers, written in one of many ways.
- `category`: text of few levels; words for true and false are a category, too.
- `date`: dates and moments, of one format.

`dlreg.table.columns.KINDS` finds them by name. A kind knows nothing of the others' faults, nor of networks.
"""

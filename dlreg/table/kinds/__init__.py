"""One module for each kind of column: what its cells look like, and how they are read.

- `number`: numbers, of any decimal and thousands mark
- `unit_counts`: how the cells of a column with a unit are written
- `units`: a number as people write it, taken apart: its unit, brackets and signs
- `category`: text of few levels, words for true and false among it
- `date`: dates of one format

Each has a `dlreg.table.column.Kind`, which `dlreg.table.columns.KINDS` lists by its name. Others read numbers
with `number.read_numbers`. Never imports what networks make of a kind: that is in features and pipeline.
"""

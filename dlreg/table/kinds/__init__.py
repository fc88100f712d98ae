"""One module for each kind of column: what its cells look like, and how they are read.

Each has a `dlreg.table.column.Kind`, which `dlreg.table.columns.KINDS` finds by its name. Others read numbers
with `number.read_numbers`. Never imports what networks make of a kind: that is in features and pipeline.
"""

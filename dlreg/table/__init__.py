"""File → rows: the CSV as a table, what its columns are, and which rows train, validate and test.

Never imports features, model, training, engine, pipeline or runs: rows know no network.
"""

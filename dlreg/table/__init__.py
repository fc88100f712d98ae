"""File → rows: the CSV as a table, what its columns are, and which rows train, validate and test.

- `csv_format`: how a CSV is written, and files of other formats told from their first bytes
- `csv_lines`: its text without lines that are no rows
- `csv_header`: the names of its columns; `csv_opening`: what else may stand in their place
- `compressed`: the text of compressed files
- `arrow_file`, `excel_file`: Parquet, Arrow and Excel; `missing_library`: what they need, and may lack
- `json_lines`: JSON Lines; `frame_table`: a data frame; `typed_cells`: their cells as those of a CSV
- `csv_scan`: its bytes, cut into blocks of whole rows; `row_places`: where these stand
- `csv_file`: the rows of a block
- `table`: rows with their cells, and where each of them stands
- `source`: what a table is read from, as blocks of rows: a whole table, or a stream of them
- `growing_columns`: the columns of a table that is read block after block
- `csv_guess`: how a CSV is written, guessed from its bytes; for `init` alone
- `table_guess`, `mixed_columns`: a whole table so read, and what to make of other texts among its numbers
- `written_cells`: what the text of numbers tells and the numbers do not
- `dates`: dates as text, by format
- `date_writing`: dates in another format than they are written in
- `date_guess`: the format of a column of dates, guessed from its cells
- `time_zones`: offsets from UTC
- `column`: a column, and what a kind of column has to say
- `cells`: a column's cells as text, and faults that show some of them
- `spelling`: texts that mean the same, as a function and as a pattern
- `kinds`: numbers, categories and dates, a module each
- `columns`: the kinds by name; columns recognised and read
- `missing_columns`: what a message says of a column that a CSV lacks
- `chosen_columns`: the columns a config learns from
- `non_data_rows`: rows that are no observations, such as totals; `aggregate_rows`: those told by all others
- `splits`: which rows train, validate and test
- `division`, `row_draws`: the same by a rule, a row at a time, and the random numbers of rows
- `unseen_levels`: levels of held-out rows that training never sees
- `target`: the column to predict, read as numbers
- `recognition`: what the columns of a table are, and what its rows are predicted and split by
- `parts`: the rows that train, validate and test, as a model reads them
- `dataset`: the rows of a config, read, recognised, checked and split
- `table_names`: what messages call the files of a config
- `row_stream`: the same block by block, where they do not fit in memory
- `cell_store`, `table_cache`: their cells on disk, and where tables are kept
- `stored_dataset`: the parts of a table on disk, with a sample in memory

Others call `dataset`, `parts`, `table_names`, `stored_dataset`, `row_stream`, `division`, `row_draws`,
`table_cache`, `columns`, `column.{Column, KindName}`, `kinds` (`category.MAX_LEVELS`, `number` and `units`),
`dates`, `date_guess`, `date_writing.rewrite_dates`, `time_zones.{zone_offsets, OFFSETS}`,
`source`, `frame_table`, `table.Table`, `csv_format.{CsvFormat, csv_format_of}`,
`csv_scan.{open_csv, BLOCK_BYTES}`, `table_guess`, `mixed_columns.FEW_VALUES`, `written_cells`,
`cells.shown_cells`, `spelling`, `splits`, `target`, `non_data_rows.{describe_rows, find_non_data_rows}` and
`missing_columns.missing_columns`. Never imports features, model, training, engine, pipeline or runs: rows
know no network.
"""

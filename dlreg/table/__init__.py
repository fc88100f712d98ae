"""File → rows: the CSV as a table, what its columns are, and which rows train, validate and test.

- `csv_format`: how a CSV is written, and what its bytes betray
- `csv_header`: the names of its columns
- `csv_scan`: its bytes, cut into blocks of whole rows
- `csv_file`: the table of a whole file, or of each block of a stream
- `csv_guess`: how a CSV is written, guessed from its bytes
- `dates`: dates as text, by format
- `column`: a column, and what it takes to be a kind of column
- `kinds`: numbers, categories and dates, a module each
- `columns`: the kinds by name; columns recognised and read
- `missing_columns`: the column that was most likely meant
- `chosen_columns`: the columns a config learns from
- `splits`: which rows train, validate and test
- `dataset`: all of these together

Others call `dataset`, `columns`, `column.{Column, KindName}`, `kinds.number.read_numbers`, `dates`,
`csv_file.{read_table, stream_tables, Table}`, `csv_format.CsvFormat`, `csv_guess.guess_format`,
`csv_scan.open_csv` and `missing_columns.missing_columns`. Never imports features, model, training, engine,
pipeline or runs: rows know no network.
"""

"""The run directory: its files, written whole and checked when they are read, and how a training is resumed.

- `names`: the name of every file
- `directory`: a run as it is written; `lock`: by one process at a time; `replacing`: in the place of another
- `reading`: the record `run.json`, and files that are checked against it
- `nearby`: the runs in a folder, and the one that a wrong path most likely meant
- `json_text`: JSON as it is written and read; `shapes`: what each JSON file looks like
- `number_texts`: numbers as text, whole arrays at once; `prediction_lines`: predicted rows as lines
- `contents`: the config and the JSON files, how each is written and read
- `tables`: the files with a line for each row, how they are written and read
- `facts`: what `run.json` says of process, versions, data and machine
- `results`: writes every file of a training, each at its moment
- `trained_run`: a complete run, opened to predict with
- `overview`: the runs of a folder, and what each tells in brief
- `new_rows`: what it predicts for rows of any table; `row_reader`: for some given one by one, at once;
  `strange_cells`: what these have that its own had not
- `signature`: of all files, by OpenSSF Model Signing
- `own_table`: the CSV a run was trained on, and whether it is still the same; `own_rows`: its rows, read anew
- `interruption`: signals; `checkpointing`: when a checkpoint is written; `checkpoint_file`: its format
- `resuming`: whether and how a run that was broken off goes on

Others call `directory.{open_run_dir, next_run_dir, RunDir}`, `reading`, `contents`, `tables`, `facts`,
`results`, `trained_run.{open_run, TrainedRun}`, `new_rows`, `row_reader`, `prediction_lines`, `overview`,
`strange_cells`, `own_rows`, `number_texts`, `names`, `signature`, `interruption`,
`checkpointing.Checkpointer` and `resuming`. Never imports engine, figures, preview, commands or cli: a run is
read without TensorFlow.
"""

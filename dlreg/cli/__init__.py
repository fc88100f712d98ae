"""The terminal: options in, text and exit codes out.

- `main`: the process: signals, streams, warnings, and the exit code of every error
- `training`, `searching`, `results`, `many_runs`, `sharing`, `about`: one function a command: options in, one
  call, and what it returns printed; `options`: what several commands share; `app`: all of them, as `dlreg`
- `output`: results, on stdout; `search_output`: those of a search; `run_tables`: those of many runs;
  `json_output`: the same as JSON, without the libraries that tables take
- `console`: errors, notes and progress, on stderr; `search_display`: the progress of a search
- `streams`: what may go wrong with these; `completion`: what a shell offers; `help`: how `--help` looks
- `importing`: what `train` does to its process while TensorFlow is imported

Nobody but `dlreg.__main__` imports it. Never imports table, features, model, pipeline or figures: it shows
what commands return. What a command needs is imported in its body, so that `--help` starts at once.
"""

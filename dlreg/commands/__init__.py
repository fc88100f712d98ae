"""One module a command, named as the command: a function of plain arguments, without a terminal.

- `train`: from a config to a complete run directory; its steps are in `dlreg.steps`;
  `train_steps`: these and what is written after each; `train_verdict`: what its learning curve shows;
  `train_summary`: what came of it; `tracked`: what trackers are told of it
- `tune`: from a config to a study directory; `tune_search`: its trials; `tune_progress`: how they go;
  `tune_tracked`: what trackers are told; `tune_finish`: what is left of a search, with `tune_runs`,
  `tune_figure` and `tune_tables`; `tune_choice`: which trial is kept; `tune_summary`: what came of it, with
  `tune_results` and `tune_gain`; `tune_sentences`: the same in words
- `check`: every fault of a config and its CSV, and what a training would do
- `init`: a config that fits a table; `column_uses`: what it makes of each column
- `evaluate`: metrics and gates
- `predict`: predictions of new rows, streamed; `formulas`: kept cells that a spreadsheet would run
- `other_format`: `--set` for a file that `evaluate` and `predict` are given
- `plot`: a figure of a run; `loss_curve`: what the one of a training is drawn from
- `runs`: the runs of a folder
- `compare`: runs side by side; `compare_text`: as rows of text and Markdown;
  `compare_curves`: as a figure; `compare_page`: as a page
- `cache`: what is kept on disk to save time; `docs`: the pages that ship with the tool
- `offered`: columns and runs that a shell may offer
- `explain`: which columns a run relies on
- `card`: the model card of a run; `card_sections`: its text, with `card_code` and `markdown`
- `export`: a run for other runtimes, as C or for TensorFlow
- `report`: a page about runs; `report_facts`: what it tells of each, `report_summary`: the same in short
- `reproduce`: a run trained again, and what is equal
- `serve`: a run behind HTTP, by `dlreg.serving`
- `verify`: every file against what was written; `sign`: who vouches for it

Each returns a value, writes only what the command is for, and warns (`warnings.warn`) of what a user should
know. Only cli calls them. Never imports cli: whoever calls from Python needs no terminal.
"""

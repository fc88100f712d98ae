"""The search for a better config: what to try, where it is trained, what is left of it.

- `trials`: what is handed around: a trial, its result, and the engine that runs trials
- `space`: what may be tried of each key
- `default_space`: the space of a config that names none
- `study`: what a study is: its plan, its trials and their results
- `sampling`: opens a study, in a file or a database
- `journal_study`: a study in a file, of one driver: the same to the bit whatever ends first
- `journal_file`: the file, written in groups
- `database_study`: a study in a database, of several drivers
- `asking`: what Optuna, or a grid, would try next
- `parameters`: a space in Optuna's terms
- `stored`: trials and results in Optuna's storages
- `pruning`: which trials end before their last epoch
- `driver`: asks, hands out, waits, tells
- `packed_rows`: a dataset as arrays that many processes share
- `trial_runner`: a process that is warm: one trial costs its training
- `importance`: how much each parameter mattered
- `study_dir`: the directory of a study as it is written; `study_names`: the names of its files;
  `study_record`: what it says of itself, and whether it can be gone on with; `study_config`: its config
- `local_engine`: warm processes on this machine
- `ray_engine`: tasks on a Ray cluster

Others call `driver.search` with a study and an engine. Never imports: commands, cli; TensorFlow but in
`trial_runner`, when it is called; Ray but in `ray_engine`.
"""

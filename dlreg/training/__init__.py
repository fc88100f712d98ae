"""The decisions of a training: who trains on what, when to stop, what is kept. No TensorFlow in here.

- `members`: the networks of a run, the rows each trains on, and how many epochs there are
- `schedules`: the learning rate and the dropout of each step
- `progress`: history, best epochs, early stopping, plateaus, refitting
- `checkpoint`: all that the rest of a training depends on
- `listener`: who is told of the progress
- `sizing`: how many epochs and members fit in a time
- `sampling`: values that members draw
- `visited_rows`: the rows of a training, and the order in which each member visits them
- `loop`: epoch after epoch, over `dlreg.engine.trainer`
- `trees`: boosted trees, fitted beside the members
- `selection`: which members predict
- `blending`: how members are weighed, and what is beside them
- `mixing`: from trained members to one prediction
- `rows_on_disk`: rows that do not fit in memory, shuffled once and read pool by pool
- `recipe`: from a config to what the loop is told
- `training_files`: the files of preprocessed rows
- `train`: from a config to trained members

Others call `train`, `mixing`, `training_files`, `loop.{Hooks, Trained}`, `members`, `sampling`,
`progress.Progress`, `checkpoint` and `listener.Listener`. Only `train`, `mixing`, `recipe`, `training_files`,
`visited_rows`, `loop` and `rows_on_disk` import TensorFlow, by way of the engine.
Never imports pipeline, evaluation, runs, preview, commands or cli, nor TensorFlow and Keras themselves.
"""

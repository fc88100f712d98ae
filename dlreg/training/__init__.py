"""The decisions of a training: who trains on what, when to stop, what is kept. No TensorFlow in here.

- `members`: the networks of a run, the rows each trains on, and how many epochs there are
- `schedules`: the learning rate and the dropout of each step
- `progress`: history, best epochs, early stopping, plateaus, refitting
- `checkpoint`: all that the rest of a training depends on
- `listener`: who is told of the progress
- `loop`: epoch after epoch, over `dlreg.engine.trainer`
- `blending`: how members are weighed
- `train`: from a config to trained members

Others call `train`, `loop.{Hooks, Trained}`, `members`, `progress.Progress`, `checkpoint` and
`listener.Listener`; of these only `train` and `loop` import TensorFlow, by way of the engine. Never imports
pipeline, evaluation, runs, preview, commands or cli, nor TensorFlow and Keras themselves.
"""

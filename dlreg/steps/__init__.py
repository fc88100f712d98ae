"""The steps of a training, each of which takes values and returns one: from rows to a measured pipeline.

- `preparing`: the preprocessing is fitted, the networks are laid out
- `sizing`: how long and how many, where the config has a time limit
- `training`: they are trained on the rows in memory, or on those on disk
- `combining`: all members become one mixture, and one Keras model
- `piping`: the mixture becomes `pipeline.onnx`, with calibrated intervals
- `measuring`: the pipeline predicts every part, and its predictions are measured

`dlreg.commands.train` takes them in this order and writes what they return, `dlreg.search.trial_runner` takes
those that a trial needs. Imported after TensorFlow has been imported as it is meant to be. Never imports:
commands, cli; the engine, which only training knows.
"""

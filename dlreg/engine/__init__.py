"""One epoch of training as one program compiled by XLA. TensorFlow lives here.

- `backend`: imports TensorFlow and Keras, and sets what every run relies on
- `compile_cache`: XLA's compiled programs, kept for the next run
- `gradients`: operations whose gradients are written by hand, where derived ones are slow
- `forward`: what the networks compute, for all members at once
- `losses`: what is minimised and measured
- `packing`: the small parameters held as one vector
- `optimizer`: an optimizer as a value, and its step; `update_rules`: Keras's own rules
- `states`: parameters, statistics and slots, and what was best
- `program`: what an epoch computes, and what it reads
- `epoch`: all of it as one program
- `trainer`: the program with its rows, run epoch by epoch

Only training and `commands.train` import it: `trainer`, `program.{Program, NO_ROW}`, `states.TrainingState`,
`optimizer.Optimizer`, `update_rules.build_optimizer`, `losses`, `forward.predict`, `backend` and
`compile_cache`. Never imports config, table, features, training, pipeline or runs: it knows tensors only.
"""

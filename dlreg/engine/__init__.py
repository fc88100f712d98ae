"""The fast machine: one epoch of training as one program compiled by XLA. TensorFlow lives here.

Never imports config, table, features, training, pipeline or runs: it knows tensors only.
"""

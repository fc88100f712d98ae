"""What is computed: the shape of a network, its parameters, and the stock Keras model of it.

- `embeddings`: numbers as vectors
- `architecture`: a network, and every trainable tensor of it
- `weights`: their values once they are trained
- `levels`: rows with a column for each level, as linear models read them
- `trees`: regression trees as arrays
- `mixture`: how members, a ridge regression and trees make one prediction
- `optimizer_slots`: what an optimizer keeps beside the parameters
- `residual_scale`: how large a row's error is to be expected
- `keras_model`: the network of stock Keras layers
- `initial_weights`: where training starts

Others may call all public functions; only `keras_model` and `initial_weights` import Keras. Never imports
config, table, features, training, engine, pipeline or runs: any engine can compute what is described here.
"""

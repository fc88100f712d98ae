"""What is computed: the shape of a network, its parameters, and the stock Keras model of it.

Never imports config, table, features, engine or runs.
"""

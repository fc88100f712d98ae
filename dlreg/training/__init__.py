"""The decisions of a training: who trains on what, when to stop, what is kept. No TensorFlow in here.

Never imports pipeline, runs, commands or cli.
"""

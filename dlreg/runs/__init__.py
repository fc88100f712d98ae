"""The run directory: its files, written whole and read with suspicion, and how a training is resumed.

Never imports engine, commands, cli or figures: a run is read without TensorFlow.
"""

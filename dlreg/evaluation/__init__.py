"""Arrays in, numbers out: metrics, baselines, intervals, gates, and a learning curve in words.

Never imports table, features, config, training, pipeline or runs: usable for any model.
"""

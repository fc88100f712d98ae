"""What is told before a training: its size, and what looks like a mistake. No TensorFlow, no scikit-learn.

- `plan`: rows, features, parameters, epochs and memory, counted
- `settings`, `columns`, `rows`: what looks like a mistake in each
- `suspicion`: what is said of data that look like one
- `advice`: all suspicions together

Others call `plan.plan_training`, `advice.advise` and the tests of a column in `columns`. Never imports
engine, pipeline, runs, commands or cli.
"""

"""What is told before a training: its size, and what looks like a mistake. No TensorFlow, no scikit-learn.

- `plan`: `plan_training` counts rows, features, parameters, epochs and memory.
- `advice`: `advise` gathers what is suspicious, from `settings`, `columns` and `rows`.
- `suspicion`: what a suspicion of the data says.

Others may call all of it. It never imports engine, pipeline, runs, commands or cli.
"""

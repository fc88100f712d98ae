"""What is told before a training: its size, and what looks like a mistake. No TensorFlow, no scikit-learn.

- `plan`: rows, features, parameters, epochs and memory, counted
- `memory`: whether there is as much as is needed
- `room`: what a table takes; `opening`: its rows, from memory or from disk
- `settings`, `target`, `columns`, `rows`: what looks like a mistake in each
- `leaks`: whether columns hold the target in disguise
- `idle_keys`: settings for files of another form
- `written`: in how numbers are written; `levels`: in levels of a category that look like one
- `sentinels`: numbers that stand for a missing value
- `left_out`: what features leave out by fixed rules
- `csv_rows`: where rows and cells stand in the CSV; `first_rows`: what the first ones rule out
- `suspicion`: a message on data that look like a mistake
- `advice`: all suspicions together

Others call `plan.plan_training`, `left_out.describe_left_out`, `opening`, `memory.refuse_too_little_memory`,
`advice.advise`, `leaks.equals_target` and `columns.{counts_rows, are_in_order}`. Never imports engine,
pipeline, figures, runs, commands or cli: nothing has been trained yet.
"""

"""Trackers of experiments: TensorBoard and MLflow are told of a training or a search as it goes.

- `listening`: the listener that tells a training to a process for each tracker
- `study_listening`: the same of a search
- `process`: what such a process does
- `told`: what is told: plain values in JSON
- `tensorboard_log`, `mlflow_log`: what a tracker makes of a training
- `tensorboard_study`, `mlflow_study`: what it makes of a search
- `mlflow_model`: the pipeline as MLflow serves it
- `libraries`: what they need, and may lack

No training waits for a tracker or fails with one: what goes wrong is a note. Others may call `listening`,
`study_listening` and `libraries`. The libraries of the trackers are imported in their processes alone.
"""

"""Trackers of experiments: a training told to TensorBoard and MLflow, meanwhile and when it is complete.

- `listening`: the listener that tells a training to a process for each tracker
- `process`: what such a process does
- `told`: what is told: plain values in JSON
- `tensorboard_log`, `mlflow_log`: what a tracker makes of it
- `mlflow_model`: the pipeline as MLflow serves it
- `libraries`: what they need, and may lack

No training waits for a tracker or fails with one: what goes wrong is a note. Others may call `listening` and
`libraries`. The libraries of the trackers are imported in their processes alone.
"""

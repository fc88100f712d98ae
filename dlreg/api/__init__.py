"""What `import dlreg` offers to Python: the same functions as the commands call, for notebooks and programs.

- `training`: `dlreg.train`, from a config to a run
- `run`: `dlreg.load`, and what can be asked of a run
- `checking`: `dlreg.check`, every fault of a config and its table
- `regressor`: `dlreg.Regressor`, a scikit-learn estimator; `parameters`: the keys of the config that are its
  parameters; `fitting`: its training in memory, of a data frame
- `backend`: TensorFlow in a process that is somebody else's
- `arguments`: arguments of another type than they take
- `notes`: what else than a value a call gives: warnings, and errors in words of Python
- `frame_words`: the same errors for those who have a data frame and no config
- `progress`: a bar in a notebook

`dlreg/__init__.py` hands these names on, each when it is first asked for. Nothing is printed, and
nothing of the process is changed for longer than a call takes. Never imports cli.
"""

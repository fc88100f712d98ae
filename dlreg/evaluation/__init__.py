"""How good predictions are, and how sure one can be of them: arrays in, numbers out.

- `metrics`: of predictions and of intervals; `results`: of each part of a table
- `baselines`: what a network has to beat to be worth its trouble
- `calibration`: fits prediction intervals; `intervals`: how far they reach for new rows
- `gates`: limits and regressions, read and judged; `bootstrap`: how sure a metric or a regression is
- `learning_curve`: what a learning curve shows, in words
- `permutation`: how much each column is worth; `dependence`: what is predicted by its value
- `association`: how much a column says of the target alone; `error_groups`: where errors are larger
- `boosting`: gradient-boosted trees, to compare a network with
- `usable`: which predictions are numbers to use

Others may call all public functions. Never imports table, features, config, training, pipeline or runs:
usable for any model.
"""

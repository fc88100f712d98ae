"""A training in one call, for tests that name what they vary."""

from dlreg.training.loop import Hooks, Recipe, Trained, fit
from dlreg.training.visited_rows import TrainingData, TrainingRows

DATA = ("order_of_rows", "n_rows", "validation_rows")
HOOKS = ("resume_from", "on_epoch", "after_epoch")


def train_on(train, validation, **options) -> Trained:
    """Trains on rows `(x, y)`; the options are those of a recipe, of the training data and of the hooks."""
    data, hooks = ({name: options.pop(name) for name in names if name in options} for names in (DATA, HOOKS))
    rows = TrainingData(TrainingRows(*train), TrainingRows(*validation), **data)
    return fit(Recipe(**options), rows, Hooks(**hooks))

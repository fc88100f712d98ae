"""What the learning curve of a run is drawn from, while it trains and afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

from dlreg.config.schema import Config
from dlreg.training.members import members_of


def describe_loss_curve(
    config: Config, history: Mapping[str, Sequence[float]], best_epoch: int, target_scale: float | None
) -> dict[str, Any]:
    """What `dlreg.figures.learning_curve.plot_loss` takes, plain values alone.

    Args:
        config: Of the run.
        history: With `loss`, and `val_loss` if there are validation rows.
        best_epoch: 1-based; 0 for none.
        target_scale: How many of the target's units are one of the scaled target; None where that is unknown.
    """
    return {
        "history": {name: history.get(name) for name in ("loss", "val_loss")},
        "loss_name": config.training.loss,
        "best_epoch": best_epoch,
        "target": config.data.target,
        "target_scaling": config.preprocessing.target,
        # The training loss has the penalty in it.
        "target_scale": None if config.model.l2 else target_scale,
        "n_members": len(members_of(config)),
    }

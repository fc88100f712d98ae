"""What came of a training, as `run.json` and `--json` tell it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """The results of a training, as `run.json` and `--json` tell them.

    Attributes:
        metrics: By part, and of the baselines.
        epochs: How many there were, refitting left out.
        best_epoch: The 1-based epoch with the lowest watched loss.
        best_epochs: The same of each member.
        refit_epochs: How many epochs each member was refitted.
        verdict: What the learning curve shows.
        parameters: Of the networks, as Keras counts them.
        features: Inputs of the networks.
        members: What each network of an ensemble drew, and its weight, where that differs.
        blend: The share that networks, ridge regression and trees have in a prediction, where it is a blend.
    """

    metrics: dict[str, Any]
    epochs: int
    best_epoch: int
    best_epochs: list[int]
    refit_epochs: list[int]
    verdict: dict[str, Any]
    parameters: int
    features: int
    members: list[dict[str, Any]]
    blend: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """A finished run, as `--json` tells it.

    Attributes:
        run_dir: The run directory.
        seconds: How long it took.
        notes: What a user should know.
        outcome: The results of the training.
    """

    run_dir: str
    seconds: float
    notes: list[str]
    outcome: Outcome

    def as_json(self) -> dict[str, Any]:
        """Plain values, in one mapping."""
        return {"run_dir": self.run_dir, **self.facts()}

    def facts(self) -> dict[str, Any]:
        """The same without the directory, as `run.json` has it."""
        return {"seconds": self.seconds, "notes": self.notes, **asdict(self.outcome)}

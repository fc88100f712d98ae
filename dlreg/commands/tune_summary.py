"""What came of a search, as `study.json` and `--json` tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlreg.commands.tune_choice import PassedOver
from dlreg.commands.tune_gain import Gain, Optimism
from dlreg.commands.tune_results import Edge, Failure
from dlreg.search.space import Choices, Range, Space

_RUNS = ("best", "plain")


@dataclass(frozen=True)
class Chosen:
    """A trial that was trained again, to a run directory.

    Attributes:
        number: Of the trial.
        value: Of the metric that was searched by.
        values: Of each parameter.
        run_dir: The run; None where it was not trained.
        metrics: Of the run, by part; None without one.
    """

    number: int
    value: float | None
    values: Mapping[str, Any]
    run_dir: str | None = None
    metrics: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StudySummary:
    """A finished study.

    Attributes:
        study_dir: Where it stands.
        target: The column that is predicted.
        metric: What was searched by, such as `validation.rmse`.
        method: How values were chosen.
        space: What was searched.
        is_default_space: Whether the config leaves the space to dlreg.
        counts: How many trials are `finished`, and of these `complete`, `pruned` and `failed`.
        failures: Why trials failed.
        best: The best trial, or the config's own values where few rows decide, see `choose`.
        plain: The config's own values, which are trial 0.
        passed_over: The best trial where it was not kept; None where it was.
        importance: The share of each parameter; None where it cannot be told.
        edges: Parameters whose best value stands at an end of what was searched.
        gain: What the search bought, on the test rows; None where nothing was measured.
        optimism: How much better the best trial looks than it is; None where nothing was measured.
        best_config: The file with the best config.
        seconds: How long the search took, and what came after it.
        notes: What a user should know.
    """

    study_dir: str
    target: str
    metric: str
    method: str
    space: Space
    is_default_space: bool
    counts: Mapping[str, int]
    failures: Sequence[Failure]
    best: Chosen
    plain: Chosen
    passed_over: PassedOver | None
    importance: Mapping[str, float] | None
    edges: Sequence[Edge]
    gain: Gain | None
    optimism: Optimism | None
    best_config: str
    seconds: float
    notes: Sequence[str]

    def facts(self) -> dict[str, Any]:
        """Plain values, as `study.json` has them: paths start from the study directory."""
        values = self.as_json()
        runs = {name: {**values[name], "run_dir": self._inside(values[name]["run_dir"])} for name in _RUNS}
        inside = {**values, **runs, "best_config": self._inside(self.best_config)}
        return {name: value for name, value in inside.items() if name != "study_dir"}

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `--json` has them: paths start from the working directory, as they were given."""
        values = {name: value for name, value in asdict(self).items() if name != "counts"}
        return {**values, "space": space_as_json(self.space), "trials": dict(self.counts)}

    def _inside(self, path: str | None) -> str | None:
        return None if path is None else str(Path(path).relative_to(self.study_dir))


def space_as_json(space: Space) -> dict[str, Any]:
    """What was searched, in the words of a config."""
    return {key: _described(what) for key, what in space.items()}


def _described(what: Range | Choices) -> dict[str, Any]:
    if isinstance(what, Choices):
        return {"values": list(what.values)}
    distribution = "log_uniform" if what.is_log else "uniform"
    return {"min": what.minimum, "max": what.maximum, "distribution": distribution}

"""What the JSON files of a run look like, checked when they are read back.

Hashes show damage, not malice: whoever writes a run directory can make its hashes agree. So each file
that is read is held against its shape here first.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dlreg.config.sections.data import DateFormat, SplitMethod, TimeZone, Year
from dlreg.evaluation.usable import LARGEST
from dlreg.table.column import KindName
from dlreg.table.kinds.units import LONGEST_UNIT

if TYPE_CHECKING:
    from dlreg.evaluation.intervals import Intervals

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
DataKey = Literal["data.path", "data.validation_path", "data.test_path"]
Unit = Annotated[str, StringConstraints(max_length=LONGEST_UNIT + 1)]
Size = Annotated[int, Field(ge=0, lt=1 << 63)]
# As many as `run.threads` may ask for.
Threads = Annotated[int, Field(ge=1, le=1024)]


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True)


class FileEntry(_Shape):
    """A file as it was written."""

    size: Size
    sha256: Sha256


class DataEntry(FileEntry):
    """A CSV as it was when the run was made."""

    path: str


class RunRecord(_Shape):
    """`run.json`, as far as commands rely on it."""

    schema_version: Size
    status: Literal["running", "interrupted", "failed", "complete"]
    files: dict[FileName, FileEntry]
    data: dict[DataKey, DataEntry] = {}
    best_epoch: Size = 0


class UnfinishedRecord(_Shape):
    """`run.json` of a run that may go on."""

    data: dict[DataKey, DataEntry] = {}
    versions: dict[str, str] = {}
    threads: Threads | None = None
    tracking_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None


class Metrics(_Shape):
    """What `dlreg.evaluation.metrics.regression_metrics` gives; there are none of no rows."""

    n: Annotated[int, Field(ge=1, lt=1 << 63)]
    sse: float
    mse: float
    rmse: float
    mae: float
    mape: float | None
    r2: float | None


class TestMetrics(Metrics):
    """The same, and what `interval_metrics` gives; old runs have none."""

    coverage_90: Annotated[float, Field(ge=0, le=1)] | None = None
    width_90: Annotated[float, Field(ge=0)] | None = None


class Baselines(_Shape):
    """Metrics of the two baselines."""

    mean: Metrics
    linear: Metrics


class AllMetrics(_Shape):
    """Metrics of each part that has rows."""

    train: Metrics
    validation: Metrics | None
    out_of_fold: Metrics | None = None
    test: TestMetrics | None
    baselines: Baselines


class VerdictEntry(_Shape):
    """What `dlreg.evaluation.learning_curve` says."""

    kind: str
    since_epoch: Size | None
    sentence: str
    advice: str


class MemberEntry(_Shape):
    """A network of an ensemble that was selected, or not, as far as it is told."""

    weight: Annotated[float, Field(ge=0)]


class CompleteRecord(_Shape):
    """`run.json` of a complete run, as far as it tells the results."""

    seconds: float
    notes: list[str] = []
    metrics: AllMetrics
    epochs: Size
    best_epoch: Size
    best_epochs: list[Size]
    refit_epochs: list[Size] = []
    verdict: VerdictEntry
    parameters: Size
    features: Size
    members: list[MemberEntry] = []
    blend: dict[Literal["networks", "ridge", "trees"], Annotated[float, Field(ge=0, le=1.001)]] = {}

    @property
    def n_predicting(self) -> int:
        """How many networks predict."""
        return sum(member.weight > 0 for member in self.members) or len(self.best_epochs)


class CardRecord(CompleteRecord):
    """`run.json` of a complete run, as far as a model card or a comparison tells it."""

    started: str = ""
    finished: str
    versions: dict[str, str] = {}
    data: dict[DataKey, DataEntry] = {}


class History(_Shape):
    """`history.json` of a complete run, as far as it is drawn."""

    loss: Annotated[list[float], Field(min_length=1)]
    val_loss: list[float] | None = None
    mae: list[float] | None = None
    val_mae: list[float] | None = None

    @model_validator(mode="after")
    def _check_lengths(self) -> "History":
        for name, values in vars(self).items():
            if values is not None and len(values) != len(self.loss):
                raise ValueError(f"expected as many values of {name} as of loss")
        return self


class SplitRule(_Shape):
    """How the rows of a table on disk are divided, see `dlreg.table.division.Division`."""

    method: SplitMethod
    seed: Size
    test_split: Annotated[float, Field(ge=0, lt=1)]
    validation_split: Annotated[float, Field(ge=0, lt=1)]
    validation_from: float | None = None
    test_from: float | None = None
    n_folds: Annotated[int, Field(ge=2)] | None = None


class SplitRecord(_Shape):
    """`split.json` of a table on disk, as far as it is needed to divide it again."""

    rule: SplitRule
    rows: dict[str, Size]


class IntervalsRecord(_Shape):
    """`intervals.json`."""

    calibrated_on: Literal["validation", "out_of_fold"] | None
    rows: Size
    scale: Literal["learned", "constant"]
    constant_width_90: float | None
    scores: list[Annotated[float, Field(ge=0, le=LARGEST)]] | None = None
    signed_scores: list[Annotated[float, Field(ge=-LARGEST, le=LARGEST)]] | None = None

    @model_validator(mode="after")
    def _check_scores(self) -> "IntervalsRecord":
        # Imported here because `verify` needs no NumPy.
        from dlreg.evaluation.intervals import MAX_SCORES

        if (self.scores is None) == (self.signed_scores is None):
            raise ValueError("expected either scores or signed_scores")
        scores = self.scores if self.signed_scores is None else self.signed_scores
        if scores is None or len(scores) != min(self.rows, MAX_SCORES) or scores != sorted(scores):
            raise ValueError("expected one score per row, ascending")
        return self

    def intervals(self) -> "Intervals":
        """The intervals that the file describes."""
        import numpy as np

        from dlreg.evaluation.intervals import Intervals

        signed = self.signed_scores is not None
        scores = self.signed_scores if signed else self.scores
        return Intervals(self.rows, np.array(scores, dtype=np.float64), signed)


class DatePartEntry(_Shape):
    """A part of dates in `preprocessing.json`."""

    levels: list[str]


class ColumnEntry(_Shape):
    """A column in `preprocessing.json`."""

    kind: KindName
    date_format: DateFormat | None = None
    latest_year: Year | None = None
    time_zone: TimeZone | None = None
    unit: Unit | None = None
    levels: list[str] | None = None
    rare_levels: list[str] = []
    fold_case: bool = False
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    parts: Annotated[dict[str, DatePartEntry], Field(max_length=8)] = {}

    @property
    def n_levels(self) -> int:
        """How many levels it has, as a category or in the parts of its dates."""
        return len(self.levels or ()) + sum(len(part.levels) for part in self.parts.values())

    @model_validator(mode="after")
    def _check_format(self) -> "ColumnEntry":
        if (self.kind == "date") != (self.date_format is not None):
            raise ValueError("expected a date_format for dates and for nothing else")
        if self.kind != "date" and (self.latest_year is not None or self.time_zone is not None):
            raise ValueError("expected a latest_year or time_zone for dates alone")
        if self.kind != "number" and self.unit is not None:
            raise ValueError("expected a unit for numbers and for nothing else")
        if self.kind not in ("number", "date") and self.range is not None:
            raise ValueError("expected a range for numbers and dates and for nothing else")
        return self


class TargetEntry(_Shape):
    """The target in `preprocessing.json`."""

    unit: Unit | None = None
    scale: Annotated[float, Field(gt=0, le=LARGEST)] | None = None


class PreprocessingRecord(_Shape):
    """`preprocessing.json`, as far as predicting needs it."""

    columns: Annotated[dict[str, ColumnEntry], Field(min_length=1)]
    target: TargetEntry = TargetEntry()
    features: list[str]

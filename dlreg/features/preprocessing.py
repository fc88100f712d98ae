"""From cells to the rows a network reads, and from its output back to the target's units.

Whatever is fitted here (medians, scales, levels, the target's scale) is fitted on the rows given to
`fit_preprocessing`, which are the training rows and no others.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from dlreg.arrays import aligned_zeros
from dlreg.errors import DataError, Fault
from dlreg.features.date_parts import DateOptions, DatePart, fit_date_parts
from dlreg.features.encoding import Category, Encoder, divide_levels, fit_encoder
from dlreg.features.equal_blocks import in_equal_blocks
from dlreg.features.numbers import (
    Cells,
    Feature,
    FeatureKind,
    first_numbers,
    fit_features,
    read_features,
)
from dlreg.features.scaling import Scaler, fit_scaler, fit_scaler_on_blocks
from dlreg.features.target import (
    Moments,
    TargetMethod,
    TargetScaling,
    fit_target,
    moments_of,
    target_scaling_of,
)
from dlreg.table.column import Column
from dlreg.table.dates import has_date
from dlreg.table.parts import Part
from dlreg.table.stored_dataset import TrainingFacts

# Rows, of which scaling takes several copies in double precision: few enough to stay in a processor's cache.
TRANSFORMED_AT_ONCE = 8192
# Cells.
SUMMED_AT_ONCE = 1 << 17


@dataclass(frozen=True)
class Preprocessing:
    """Everything fitted on the training rows.

    Attributes:
        columns: What is read, in the order of the CSV.
        features: Per column, the features it becomes before scaling: one, or several for a date, of which the
            last may be texts, and perhaps a flag of missing cells.
        scaler: Of the features that are numbers.
        encoder: Of those that are texts, if there are any.
        target: How the target is scaled.
        ranges: The least and the greatest value of each column of numbers, and of dates in days since 1970.
        limits: The least and the greatest target of the training rows, scaled, where predictions are clipped
            to them.
    """

    columns: tuple[Column, ...]
    features: tuple[tuple[Feature, ...], ...]
    scaler: Scaler
    encoder: Encoder | None
    target: TargetScaling
    ranges: dict[str, tuple[float, float]]
    limits: tuple[float, float] | None = None

    def transform(self, cells: Cells) -> np.ndarray:
        """Cells, as `read_cells` gives them, to network inputs, float32 of shape `(n_rows, n_features)`.

        Raises:
            DataError: A number too large for float32 after scaling.
        """
        n_rows = len(next(iter(cells.values())))
        x = aligned_zeros((n_rows, len(self.feature_names)))
        for start in range(0, n_rows, TRANSFORMED_AT_ONCE):
            rows = slice(start, start + TRANSFORMED_AT_ONCE)
            with np.errstate(over="ignore"):
                np.concatenate(
                    self._transform_block({name: values[rows] for name, values in cells.items()}),
                    axis=1,
                    out=x[rows],
                    casting="same_kind",
                )
            infinite = np.isinf(x[rows]).any(axis=0)
            if infinite.any():
                name = self.feature_names[int(np.argmax(infinite))]
                hint = "Scale it with preprocessing.numeric, or mend the cell"
                message = f"column {name!r} has a number too large for single precision"
                raise DataError(Fault(message, hint=hint))
        return x

    def _transform_block(self, cells: Cells) -> list[np.ndarray]:
        values = {
            feature.key: column for feature, column in read_features(self.columns, self.features, cells)
        }

        def table(features: Sequence[Feature]) -> np.ndarray:
            return np.column_stack([values[feature.key] for feature in features])

        inputs = []
        if self.numbers:
            inputs.append(self.scaler.transform(table(self.numbers)))
        if self.flags:
            inputs.append(table(self.flags))
        if self.encoder:
            inputs.append(self.encoder.transform(table(self.encoder.features)))
        return inputs

    @property
    def numbers(self) -> tuple[Feature, ...]:
        """The features to scale: the first inputs of the network."""
        return _of_kind("number", self.features)

    @property
    def flags(self) -> tuple[Feature, ...]:
        """The flags of missing numbers: the inputs of the network after the numbers."""
        return _of_kind("flag", self.features)

    @property
    def levels(self) -> dict[str, list[str]]:
        """The levels of each feature that is a text, by its key."""
        encoder = self.encoder
        features = zip(encoder.features, encoder.levels, strict=True) if encoder else ()
        return {feature.key: levels.tolist() for feature, levels in features}

    @property
    def n_numbers(self) -> int:
        """How many inputs of the network, from the first on, are scaled numbers."""
        return len(self.numbers)

    @property
    def embedded_levels(self) -> tuple[int, ...]:
        """How many levels each category has that the network is to embed: its last inputs."""
        return self.encoder.embedded_levels if self.encoder else ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each input of the network, such as `Season=Winter`, shape `(n_features,)`."""
        names = tuple(feature.name for feature in (*self.numbers, *self.flags))
        return names + (self.encoder.names if self.encoder else ())


def fit_preprocessing(
    train: Part,
    columns: Sequence[Column],
    *,
    fitted_rows: np.ndarray | slice = slice(None),
    target_rows: np.ndarray | slice = slice(None),
    numeric: str,
    missing: str,
    missing_indicator: bool = False,
    categorical: str,
    target: TargetMethod,
    clip_predictions: bool = False,
    dates: DateOptions = DateOptions(),  # noqa: B008 - it is frozen
    facts: TrainingFacts | None = None,
) -> Preprocessing:
    """Fits imputation, scaling, encoding and the target's scale on training rows.

    Args:
        train: The training rows.
        columns: What their cells are.
        fitted_rows: The positions of those that numbers are fitted on; levels, flags of missing cells, ranges
            and limits are those of all training rows.
        target_rows: The positions of those that the target's scale is fitted on.
        numeric: How numbers are scaled, see `dlreg.features.scaling.fit_scaler`.
        missing: What stands in for missing numbers, see `dlreg.features.numbers.fit_features`.
        missing_indicator: Whether each column of numbers or dates with missing cells gets a flag beside it.
        categorical: How categories are encoded, see `dlreg.features.encoding.fit_encoder`.
        target: `standard`, `minmax`, `log` or `log1p` (both standardised afterwards), or `none`.
        clip_predictions: Whether predictions stay within the targets of these rows.
        dates: What dates become beside numbers; which of their parts is told by all training rows.
        facts: What is known of all training rows where `train` is a sample of them.

    Raises:
        DataError: Columns without any value, missing cells that are refused, a target that cannot be
            scaled so.
    """
    fitted = train.take(fitted_rows)
    cells = fitted.cells
    target_scaling = fit_target(train.y_true[target_rows], target)
    told = list(first_numbers(train.cells, columns))
    with_gaps = (
        facts.with_gaps
        if facts
        else frozenset(column.name for column, values in told if np.isnan(values).any())
    )
    flagged = with_gaps if missing_indicator else frozenset[str]()
    parts, _ = fit_date_parts(columns, train.cells, dates)
    features = fit_features(cells, columns, missing, flagged=flagged, parts=parts)
    numbers = (values for _, values in _read_kind("number", columns, features, cells))
    texts = zip(
        _read_kind("text", columns, features, cells),
        _read_kind("text", columns, features, train.cells),
        strict=True,
    )
    categories = []
    for (feature, values), (_, all_values) in texts:
        # Parts of dates have few levels: a sample has nearly all of them.
        counts = facts.levels[feature.name] if facts and not feature.part else Counter(all_values)
        levels, rare = divide_levels(counts, categorical)
        categories.append(Category(feature, values, np.array(levels, dtype=object), rare))
    has_numbers = any(column_features[0].kind == "number" for column_features in features)
    scaled = target_scaling.forward(np.array(facts.target_range) if facts else train.y_true)
    ranges = dict(facts.ranges) if facts else {}
    for column, values in told:
        # That of times of a day would tell of nothing; a sample of dates reaches far enough.
        if column.name not in ranges and (column.kind == "number" or has_date(str(column.date_format))):
            ranges[column.name] = _range(values)
    return Preprocessing(
        tuple(columns),
        features,
        fit_scaler(numeric if has_numbers else "none", numbers),
        fit_encoder(categorical, categories, numeric) if categories else None,
        target_scaling,
        ranges,
        limits=(float(scaled.min()), float(scaled.max())) if clip_predictions else None,
    )


def fit_preprocessing_on_blocks(
    sample: Part,
    columns: Sequence[Column],
    facts: TrainingFacts,
    read_blocks: Callable[[], Iterable[Part]],
    **options: Any,
) -> Preprocessing:
    """Fits on training rows that do not fit in memory.

    Levels, ranges, limits, flags of missing cells, the target's scale and the scales of `standard` and
    `minmax` are those of all rows; medians, quartiles and quantiles, and the mean that stands in for missing
    numbers, are those of the sample. Of n sampled rows the share below a quantile is off by 0.5 / √n at most,
    as a standard deviation: 0.1% of 250,000.

    Args:
        sample: Some of the rows, drawn at random.
        columns: What their cells are.
        facts: What is exact of all rows.
        read_blocks: Reads all rows, each time from the first.
        options: As of `fit_preprocessing`.

    Raises:
        DataError: As `fit_preprocessing`.
    """
    fitted = fit_preprocessing(sample, columns, **options, facts=facts)
    moments: list[Moments] = []

    def read_targets_and_numbers() -> Iterator[np.ndarray]:
        for block in read_blocks():
            values = _read_kind("number", columns, fitted.features, block.cells)
            yield np.column_stack([block.y_true, *(numbers for _, numbers in values)])

    def read_numbers() -> Iterator[np.ndarray]:
        n_rows = max(1, SUMMED_AT_ONCE // (1 + len(fitted.numbers)))
        for rows in in_equal_blocks(read_targets_and_numbers(), n_rows):
            moments.append(moments_of(rows[:, 0], options["target"]))
            yield rows[:, 1:]

    scaler = fit_scaler_on_blocks(options["numeric"], read_numbers()) if fitted.numbers else None
    if scaler is None:
        targets = in_equal_blocks((block.y_true for block in read_blocks()), SUMMED_AT_ONCE)
        moments = [moments_of(rows, options["target"]) for rows in targets]
    target = target_scaling_of(reduce(add, moments), options["target"])
    limits = target.forward(np.array(facts.target_range)) if fitted.limits else None
    return replace(
        fitted,
        scaler=scaler or fitted.scaler,
        target=target,
        limits=None if limits is None else (float(limits[0]), float(limits[1])),
    )


def _range(numbers: np.ndarray) -> tuple[float, float]:
    return float(np.nanmin(numbers)), float(np.nanmax(numbers))


def describe(preprocessing: Preprocessing) -> dict[str, Any]:
    """Every fitted number in plain values, for `preprocessing.json`."""
    columns: dict[str, Any] = {}
    numbers = {feature.key: place for place, feature in enumerate(preprocessing.numbers)}
    encoder = preprocessing.encoder
    texts = {feature.key: place for place, feature in enumerate(encoder.features)} if encoder else {}
    for column, features in zip(preprocessing.columns, preprocessing.features, strict=True):
        entry: dict[str, Any] = {"kind": column.kind}
        for key in ("date_format", "latest_year", "time_zone", "fold_case"):
            # Neither None nor false says anything.
            if value := getattr(column, key):
                entry[key] = value
        if column.unit is not None:
            entry["unit"] = column.unit
        if column.name in preprocessing.ranges:
            entry["range"] = list(preprocessing.ranges[column.name])
        if encoder and features[0].key in texts:
            entry |= encoder.describe(texts[features[0].key])
        else:
            entry["features"] = {
                feature.name: {"missing": feature.fill} | preprocessing.scaler.describe(numbers[feature.key])
                for feature in features
                if feature.key in numbers
            }
        if encoder and features[-1].part:
            entry["parts"] = {
                feature.part.name: encoder.describe(texts[feature.key]) | _describe_table(feature.part)
                for feature in features
                if feature.part
            }
        columns[column.name] = entry
    target = preprocessing.target
    return {
        "columns": columns,
        "target": {"method": target.method, "offset": target.offset, "scale": target.scale},
        "features": list(preprocessing.feature_names),
    }


def _describe_table(part: DatePart) -> dict[str, Any]:
    table = part.table
    if table is None:
        return {}
    return {"country": table.country, "years": [table.first_year, table.last_year], "days": list(table.days)}


def _of_kind(kind: FeatureKind, features: Sequence[Sequence[Feature]]) -> tuple[Feature, ...]:
    return tuple(
        feature for column_features in features for feature in column_features if feature.kind == kind
    )


def _read_kind(
    kind: FeatureKind, columns: Sequence[Column], features: Sequence[Sequence[Feature]], cells: Cells
) -> Iterator[tuple[Feature, np.ndarray]]:
    """The features of one kind with their values, one after the other, shape `(n_rows,)` each."""
    for column, column_features in zip(columns, features, strict=True):
        if any(feature.kind == kind for feature in column_features):
            values = read_features([column], [column_features], cells)
            yield from (pair for pair in values if pair[0].kind == kind)

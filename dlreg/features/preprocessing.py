"""From cells to the rows a network reads, and from its output back to the target's units.

Whatever is fitted here (medians, scales, levels, the target's scale) is fitted on the rows given to
`fit_preprocessing`, which are the training rows and no others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from dlreg.arrays import aligned_zeros
from dlreg.errors import DataError, Fault
from dlreg.features.calendar import calendar_feature_names, calendar_features
from dlreg.table import dates
from dlreg.table.column import Column

# scikit-learn is imported where it is used: `dlreg check` counts features without it.
if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

# Beyond it a scaled number hardly moves on.
SOFT_LIMIT = 3.0
# A column that varies less than this share of its size counts as constant; divided by so much it is 0.
CONSTANT_SPREAD, ENDLESS_SCALE = 1e-6, 1e300
# With more levels a category is embedded, if that is asked for.
MOST_ONEHOT_LEVELS = 9
TargetMethod = Literal["standard", "minmax", "log", "log1p", "none"]
Cells = Mapping[str, np.ndarray]
BLOCK_ROWS = 65536


@dataclass(frozen=True)
class TargetScaling:
    """How the target is scaled: (transform(y) - offset) / scale, where transform is log, log1p or nothing."""

    method: TargetMethod
    offset: float
    scale: float

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Target units to scaled units, any shape.

        Raises:
            DataError: A value that has no logarithm.
        """
        if self.method in ("log", "log1p"):
            smallest = 0.0 if self.method == "log" else -1.0
            if y.min(initial=np.inf) <= smallest:
                other = ", or to log1p" if self.method == "log" and y.min() > -1 else ""
                found = (
                    f"preprocessing.target: {self.method} needs values above {smallest:g}, found {y.min():g}"
                )
                raise DataError(Fault(found, hint=f"Set preprocessing.target to standard{other}"))
            y = np.log(y) if self.method == "log" else np.log1p(y)
        return (y - self.offset) / self.scale

    def inverse(self, y: Any, exp: Any = np.exp, expm1: Any = np.expm1) -> Any:
        """Scaled units to target units, any shape; the functions make it work on tensors too."""
        y = y * self.scale + self.offset
        return exp(y) if self.method == "log" else expm1(y) if self.method == "log1p" else y


@dataclass(frozen=True)
class Feature:
    """One column of numbers or text between the cells and scikit-learn.

    Attributes:
        key: Its name inside scikit-learn and the ONNX graph: plain, whatever the CSV's header holds. Its
            first letter tells numbers (n), texts (t) and flags of missing numbers (f) apart.
        name: Its name for people, such as `Date.week_sin`.
        fill: What stands in for a missing number; None for texts and flags, and where missing cells are
            refused.
    """

    key: str
    name: str
    fill: float | None


@dataclass(frozen=True)
class Preprocessing:
    """Everything fitted on the training rows.

    Attributes:
        columns: What is read, in the order of the CSV.
        features: Per column, the features it becomes before scaling: one, or several for a date.
        transformer: Scales and encodes the features; fitted. Numbers come first.
        target: How the target is scaled.
        soft_clip: Whether scaled numbers are drawn in to (-`SOFT_LIMIT`, `SOFT_LIMIT`).
        limits: The least and the greatest target of the training rows, scaled, where predictions are clipped
            to them.
        embeds_categories: Whether categories of many levels are meant to be embedded by the network.
    """

    columns: tuple[Column, ...]
    features: tuple[tuple[Feature, ...], ...]
    transformer: "ColumnTransformer"
    target: TargetScaling
    soft_clip: bool = False
    limits: tuple[float, float] | None = None
    embeds_categories: bool = False

    def transform(self, cells: Cells) -> np.ndarray:
        """Cells, as `read_cells` gives them, to network inputs, float32 of shape `(n_rows, n_features)`.

        Raises:
            DataError: A number too large for float32 after scaling.
        """
        n_rows = len(next(iter(cells.values())))
        x = aligned_zeros((n_rows, len(self.feature_names)))
        # In blocks, because scikit-learn takes several copies in double precision.
        for start in range(0, n_rows, BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            block = {name: values[rows] for name, values in cells.items()}
            values = self.transformer.transform(_feature_frame(self.columns, self.features, block))
            if self.soft_clip:
                numbers = values[:, : self.n_numbers]
                values[:, : self.n_numbers] = numbers / np.sqrt(1 + (numbers / SOFT_LIMIT) ** 2)
            with np.errstate(over="ignore"):
                x[rows] = values
            infinite = np.isinf(x[rows]).any(axis=0)
            if infinite.any():
                name = self.feature_names[int(np.argmax(infinite))]
                hint = "Scale it with preprocessing.numeric, or mend the cell"
                message = f"column {name!r} has a number too large for single precision"
                raise DataError(Fault(message, hint=hint))
        return x

    @property
    def n_numbers(self) -> int:
        """How many inputs of the network, from the first on, are scaled numbers."""
        return sum(feature.key[0] == "n" for part in self.features for feature in part)

    @property
    def embedded_categories(self) -> tuple[tuple[int, int], ...]:
        """The first input and the number of levels of each category that the network is to embed."""
        if not self.embeds_categories or "category" not in self.transformer.named_transformers_:
            return ()
        levels = [len(each) for each in self.transformer.named_transformers_["category"].categories_]
        ends = np.cumsum(levels) + len(self.feature_names) - sum(levels)
        return tuple(
            (int(end) - size, size)
            for end, size in zip(ends, levels, strict=True)
            if size > MOST_ONEHOT_LEVELS
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each input of the network, such as `Season=Winter`, shape `(n_features,)`."""
        from sklearn.preprocessing import OneHotEncoder

        names = {feature.key: feature.name for part in self.features for feature in part}
        found = []
        for label, encoder, keys in self.transformer.transformers_:
            if label == "category" and isinstance(encoder, OneHotEncoder):
                for key, levels in zip(keys, encoder.categories_, strict=True):
                    found += [f"{names[key]}={level}" for level in levels]
            else:
                found += [names[key] for key in keys]
        return tuple(found)


def fit_preprocessing(
    cells: Cells,
    y: np.ndarray,
    columns: Sequence[Column],
    *,
    numeric: str,
    missing: str,
    missing_indicator: bool = False,
    categorical: str,
    target: TargetMethod,
    clip_predictions: bool = False,
) -> Preprocessing:
    """Fits imputation, scaling, encoding and the target's scale on training rows.

    Args:
        cells: The training rows' cells, as `read_cells` gives them.
        y: Their target, shape `(n_rows,)`.
        columns: What the cells are.
        numeric: `standard` (x - μ) / σ, `minmax` to [0, 1], `robust` (x - median) / interquartile range,
            `quantile` to a uniform distribution, `none`, or `robust_clip`: as robust (where the
            interquartile range is 0, half the whole range; constants become 0), then
            x / √(1 + (x / 3)²), so that no outlier is far away (https://arxiv.org/abs/2407.04491).
        missing: `median` or `mean` stand in for missing numbers; `error` refuses them.
        missing_indicator: Whether each column of numbers or dates with missing cells gets a flag beside it.
        categorical: `onehot`, `embedding` (the same, for a network that embeds those of many levels), or
            `ordinal` (the level's position, then scaled like a number). A missing cell is a level of its
            own if the training rows have one.
        target: `standard`, `minmax`, `log` or `log1p` (both standardised afterwards), or `none`.
        clip_predictions: Whether predictions stay within the targets of these rows.

    Raises:
        DataError: Columns without any value, missing cells that are refused, a target that cannot be
            scaled so.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    target_scaling = fit_target(y, target)
    features = fit_features(cells, columns, missing, missing_indicator=missing_indicator)
    keys = {
        kind: [feature.key for part in features for feature in part if feature.key[0] == kind]
        for kind in "nf"
    }
    texts = [
        (part[0].key, column.name, np.array(sorted(set(cells[column.name][:, 0])), dtype=object))
        for column, part in zip(columns, features, strict=True)
        if column.kind in ("category", "boolean")
    ]
    if categorical == "embedding":
        # A network embeds its last features.
        texts.sort(key=lambda text: len(text[2]) > MOST_ONEHOT_LEVELS)
    levels = [known for _, _, known in texts]
    if categorical == "ordinal":
        ordinal = OrdinalEncoder(
            categories=levels, handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float64
        )
        encoder = ordinal if numeric == "none" else make_pipeline(ordinal, _scaler(numeric, 2))
    else:
        encoder = OneHotEncoder(
            categories=levels, handle_unknown="ignore", sparse_output=False, dtype=np.float64
        )
    number_step: Any = "passthrough" if numeric == "none" else _scaler(numeric, 2)
    steps = [
        ("number", number_step, keys["n"]),
        ("flag", "passthrough", keys["f"]),
        ("category", encoder, [key for key, _, _ in texts]),
    ]
    transformer = ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0)
    # Names, types and levels are settled by any rows, so two are enough; the scalers get all of them.
    transformer.fit(_feature_frame(columns, features, {name: values[:2] for name, values in cells.items()}))
    for label, step, _ in transformer.transformers_:
        if label == "number" and numeric != "none":
            numbers = _numbers(columns, features, cells)
            _fit_scaler(step, _scaler(numeric, len(y)), numbers)
            if numeric == "robust_clip":
                scales = [
                    _robust_scales(values.reshape(-1, 1)) for values in _numbers(columns, features, cells)
                ]
                step.scale_ = np.concatenate(scales)
        elif hasattr(step, "steps"):
            columns_of_codes = (np.searchsorted(known, cells[name][:, 0]) for _, name, known in texts)
            _fit_scaler(step[-1], _scaler(numeric, len(y)), columns_of_codes)
    scaled = target_scaling.forward(y)
    return Preprocessing(
        tuple(columns),
        features,
        transformer,
        target_scaling,
        soft_clip=numeric == "robust_clip",
        limits=(float(scaled.min()), float(scaled.max())) if clip_predictions else None,
        embeds_categories=categorical == "embedding",
    )


def _numbers(
    columns: Sequence[Column], features: Sequence[Sequence[Feature]], cells: Cells
) -> Iterator[np.ndarray]:
    """The features to scale, one after the other, shape `(n_rows,)` each."""
    for column, part in zip(columns, features, strict=True):
        if any(feature.key[0] == "n" for feature in part):
            frame = _feature_frame([column], [part], cells)
            yield from (frame[key].to_numpy() for key in frame if str(key)[0] == "n")


def _robust_scales(values: np.ndarray) -> np.ndarray:
    """What each column, shape `(n_rows, n_columns)`, is divided by: see `fit_preprocessing`."""
    low, first, third, high = np.quantile(values, (0, 0.25, 0.75, 1), axis=0)
    scales = np.where(third > first, third - first, (high - low) / 2)
    constant = high - low <= CONSTANT_SPREAD * np.maximum(np.abs(low), np.abs(high))
    return np.where(constant, ENDLESS_SCALE, scales)


def fit_target(y: np.ndarray, method: TargetMethod) -> TargetScaling:
    """Fits the target's scale on training rows, `y` of shape `(n_rows,)`.

    Raises:
        DataError: The target does not vary, or has values without a logarithm.
    """
    moved = TargetScaling(method, 0.0, 1.0).forward(y)
    offset, scale = float(moved.mean()), float(moved.std())
    if method == "none":
        offset, scale = 0.0, 1.0
    if method == "minmax":
        offset, scale = float(y.min()), float(np.ptp(y))
    # The scale of numbers that hardly differ may still be 0.
    if np.ptp(y) == 0 or scale == 0:
        hint = "Choose another data.target, or other units for it"
        raise DataError(Fault(f"the target is {y[0]:g} in every training row: nothing to learn", hint=hint))
    return TargetScaling(method, offset, scale)


def describe(preprocessing: Preprocessing) -> dict[str, Any]:
    """Every fitted number in plain values, for `preprocessing.json`."""
    columns: dict[str, Any] = {}
    encoders = {label: (step, keys) for label, step, keys in preprocessing.transformer.transformers_}
    for column, features in zip(preprocessing.columns, preprocessing.features, strict=True):
        entry: dict[str, Any] = {"kind": column.kind}
        if column.date_format:
            entry["date_format"] = column.date_format
        if column.kind in ("category", "boolean"):
            entry |= _describe_levels(*encoders["category"], features[0].key)
        else:
            entry["features"] = {
                feature.name: {"missing": feature.fill} | _describe_scale(*encoders["number"], feature.key)
                for feature in features
                if feature.key[0] == "n"
            }
        columns[column.name] = entry
    target = preprocessing.target
    return {
        "columns": columns,
        "target": {"method": target.method, "offset": target.offset, "scale": target.scale},
        "features": list(preprocessing.feature_names),
    }


def fit_features(
    cells: Cells, columns: Sequence[Column], missing: str, *, missing_indicator: bool = False
) -> tuple[tuple[Feature, ...], ...]:
    """The features each column becomes, with what stands in for missing numbers in the training rows.

    Where `missing_indicator` says so, a flag follows the numbers of a column that has missing cells.

    Raises:
        DataError: With each column without any value, or with missing cells that `missing` refuses.
    """
    features: list[tuple[Feature, ...]] = []
    faults: list[Fault] = []
    for index, column in enumerate(columns):
        if column.kind in ("category", "boolean"):
            features.append((Feature(f"t{index}", column.name, None),))
            continue
        values = _number_features(column, cells[column.name])
        names = [column.name]
        if column.date_format:
            names = [f"{column.name}.{part}" for part in calendar_feature_names(column.date_format)]
        gaps = int(np.isnan(values[:, 0]).sum())
        if gaps == len(values):
            found = f"column {column.name!r} has no value in the training rows"
            faults.append(Fault(found, hint="Leave it out with data.exclude"))
            continue
        if missing == "error" and gaps:
            faults.append(_refused_gaps(column.name, gaps))
            continue
        average = np.nanmean if missing == "mean" else np.nanmedian
        fills = (
            [None] * len(names) if missing == "error" else [float(fill) for fill in average(values, axis=0)]
        )
        numbers = (
            Feature(f"n{index}_{k}", name, fill)
            for k, (name, fill) in enumerate(zip(names, fills, strict=True))
        )
        flags = (
            (Feature(f"f{index}", f"{column.name} is missing", None),) if missing_indicator and gaps else ()
        )
        features.append((*numbers, *flags))
    if faults:
        raise DataError(*faults)
    return tuple(features)


def _refused_gaps(name: str, n_gaps: int) -> Fault:
    found = f"column {name!r} has {n_gaps:,} missing cells, which preprocessing.missing: error refuses"
    return Fault(found, hint="Fill them, or train with preprocessing.missing: median")


def _number_features(column: Column, cells: np.ndarray) -> np.ndarray:
    if not column.date_format:
        return cells.astype(np.float64, copy=False)
    texts = pd.Series(cells[:, 0], dtype="str")
    return calendar_features(dates.parse_dates(texts, column.date_format), column.date_format)


def _feature_frame(
    columns: Sequence[Column], features: Sequence[Sequence[Feature]], cells: Cells
) -> pd.DataFrame:
    data: dict[str, np.ndarray] = {}
    for column, part in zip(columns, features, strict=True):
        if part[0].key[0] == "t":
            data[part[0].key] = cells[column.name][:, 0]
            continue
        values = _number_features(column, cells[column.name])
        for k, feature in enumerate(part):
            if feature.key[0] == "f":
                data[feature.key] = np.isnan(values[:, 0]).astype(np.float64)
                continue
            gaps = np.isnan(values[:, k])
            if feature.fill is None and gaps.any():
                raise DataError(_refused_gaps(column.name, int(gaps.sum())))
            data[feature.key] = (
                values[:, k] if feature.fill is None else np.where(gaps, feature.fill, values[:, k])
            )
    return pd.DataFrame(data)


def _fit_scaler(scaler: Any, like: Any, columns: Iterable[np.ndarray]) -> None:
    """Fits a scaler with the memory of one column: scikit-learn takes several copies of what it is given.

    Args:
        scaler: Of the right number of columns; what it has been fitted to is forgotten.
        like: A scaler with the parameters to use.
        columns: All rows, a column at a time; what is fitted to each alone is put side by side.
    """
    from sklearn.base import clone

    fitted = [vars(clone(like).fit(values.reshape(-1, 1))) for values in columns]
    for name, value in fitted[0].items():
        if isinstance(value, np.ndarray) and value.shape[-1:] == (1,):
            value = np.concatenate([each[name] for each in fitted], axis=-1)
        if name != "n_features_in_":
            setattr(scaler, name, value)


def _scaler(numeric: str, n_rows: int) -> Any:
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

    if numeric == "quantile":
        return QuantileTransformer(n_quantiles=min(1000, n_rows), subsample=None)
    return {"standard": StandardScaler, "minmax": MinMaxScaler}.get(numeric, RobustScaler)()


def _describe_levels(encoder: Any, keys: list[str], key: str) -> dict[str, Any]:
    steps = list(encoder) if hasattr(encoder, "steps") else [encoder]
    entry: dict[str, Any] = {"levels": [str(level) for level in steps[0].categories_[keys.index(key)]]}
    return entry | _describe_scale(steps[1], keys, key) if len(steps) > 1 else entry


def _describe_scale(scaler: Any, keys: list[str], key: str) -> dict[str, Any]:
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

    index = keys.index(key)
    if isinstance(scaler, StandardScaler):
        return {"mean": float(scaler.mean_[index]), "scale": float(scaler.scale_[index])}
    if isinstance(scaler, MinMaxScaler):
        return {"minimum": float(scaler.data_min_[index]), "scale": float(1 / scaler.scale_[index])}
    if isinstance(scaler, RobustScaler):
        return {"median": float(scaler.center_[index]), "scale": float(scaler.scale_[index])}
    if isinstance(scaler, QuantileTransformer):
        return {"quantiles": [float(quantile) for quantile in scaler.quantiles_[:, index]]}
    return {}

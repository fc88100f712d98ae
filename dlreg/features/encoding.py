"""How categories become numbers: one function for each method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dlreg.features.numbers import Feature
from dlreg.features.scaling import Scaler, fit_code_scaler

# With `embedding` a category of more levels is embedded, one of fewer stays one-hot.
MOST_ONEHOT_LEVELS = 9
# How many levels of a category are told apart, by method: of more the most frequent, the rest are rare.
MOST_LEVELS: dict[str, int] = {"onehot": 1000, "embedding": 100_000, "ordinal": 100_000}


class Category(NamedTuple):
    """A column of categories in the training rows.

    Attributes:
        feature: What is encoded.
        values: Its texts, shape `(n_rows,)` of dtype object.
        levels: Those to tell apart, each once, ascending, shape `(n_levels,)`.
        rare: The others.
    """

    feature: Feature
    values: np.ndarray
    levels: np.ndarray
    rare: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Encoder:
    """Turns categories into numbers, by the levels of the training rows.

    Attributes:
        features: What is encoded, in the order of the outputs.
        levels: Of each, shape `(n_levels,)`.
        rare: Of each the levels that are too rare to be told apart: they are none of the levels.
        names: A name for each output.
        scaler: Scales a level's position; None where each level has an output of its own, which is 1 or 0.
        n_embedded: How many of the last features a network is to embed: such a one is the level's position,
            or how many levels there are for one that is none of them.
    """

    features: tuple[Feature, ...]
    levels: tuple[np.ndarray, ...]
    rare: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    scaler: Scaler | None = None
    n_embedded: int = 0

    def transform(self, texts: np.ndarray) -> np.ndarray:
        """Encodes rows, from `(n_rows, n_features)` of dtype object to `(n_rows, n_outputs)`."""
        codes = [_positions(levels, texts[:, place]) for place, levels in enumerate(self.levels)]
        if self.scaler:
            return self.scaler.transform(np.column_stack(codes).astype(np.float64))
        encoded, start = np.zeros((len(texts), len(self.names))), 0
        n_onehot = len(codes) - self.n_embedded
        for positions, levels in zip(codes[:n_onehot], self.levels[:n_onehot], strict=True):
            known = np.flatnonzero(positions >= 0)
            encoded[known, start + positions[known]] = 1
            start += len(levels)
        for place, positions in enumerate(codes[n_onehot:], start):
            encoded[:, place] = np.where(positions >= 0, positions, self.embedded_levels[place - start])
        return encoded

    @property
    def embedded_levels(self) -> tuple[int, ...]:
        """How many levels each feature has that a network is to embed."""
        return tuple(map(len, self.levels[len(self.levels) - self.n_embedded :]))

    def describe(self, index: int) -> dict[str, Any]:
        """What was fitted to one feature, in plain values."""
        entry: dict[str, Any] = {"levels": [str(level) for level in self.levels[index]]}
        if self.rare[index]:
            entry["rare_levels"] = list(self.rare[index])
        return entry | self.scaler.describe(index) if self.scaler else entry


def divide_levels(counts: Mapping[str, int], method: str) -> tuple[list[str], tuple[str, ...]]:
    """The levels that a method tells apart, ascending, and those that are too rare.

    Args:
        counts: The training rows of each level.
        method: As of `fit_encoder`.
    """
    most = MOST_LEVELS[method]
    if len(counts) <= most:
        return sorted(counts), ()
    by_frequency = sorted(counts, key=lambda level: (-counts[level], level))
    return sorted(by_frequency[:most]), tuple(sorted(by_frequency[most:]))


def fit_encoder(method: str, categories: Sequence[Category], numeric: str) -> Encoder:
    """Fits an encoder to categories, at least one.

    Args:
        method: `onehot`, `embedding` (the same, but of more than `MOST_ONEHOT_LEVELS` levels the position,
            for a network that embeds it), or `ordinal` (the level's position, -1 for one that is none of
            them, then scaled like a number). A missing cell is a level of its own if the training rows have
            one.
        categories: What the training rows hold.
        numeric: The method by which numbers are scaled.
    """
    return _METHODS[method](categories, numeric)


def _fit_onehot(categories: Sequence[Category], _: str) -> Encoder:
    return Encoder(
        tuple(category.feature for category in categories),
        tuple(category.levels for category in categories),
        tuple(category.rare for category in categories),
        tuple(f"{category.feature.name}={level}" for category in categories for level in category.levels),
    )


def _fit_embedding(categories: Sequence[Category], numeric: str) -> Encoder:
    # A network embeds its last features.
    ordered = sorted(categories, key=lambda category: len(category.levels) > MOST_ONEHOT_LEVELS)
    n_embedded = sum(len(category.levels) > MOST_ONEHOT_LEVELS for category in ordered)
    n_onehot = len(ordered) - n_embedded
    names = tuple(category.feature.name for category in ordered[n_onehot:])
    encoder = _fit_onehot(ordered, numeric)
    n_names = sum(len(category.levels) for category in ordered[:n_onehot])
    return replace(encoder, names=(*encoder.names[:n_names], *names), n_embedded=n_embedded)


def _fit_ordinal(categories: Sequence[Category], numeric: str) -> Encoder:
    return Encoder(
        tuple(category.feature for category in categories),
        tuple(category.levels for category in categories),
        tuple(category.rare for category in categories),
        tuple(category.feature.name for category in categories),
        fit_code_scaler(numeric, (_positions(category.levels, category.values) for category in categories)),
    )


def _positions(levels: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """The position of each text among the levels, -1 for one that is none of them."""
    return np.asarray(pd.Index(levels, dtype=object).get_indexer(texts))


_METHODS: Mapping[str, Callable[[Sequence[Category], str], Encoder]] = {
    "onehot": _fit_onehot,
    "embedding": _fit_embedding,
    "ordinal": _fit_ordinal,
}

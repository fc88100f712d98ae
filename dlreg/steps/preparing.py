"""The preprocessing is fitted on the training rows, and networks are laid out for what it makes of them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import located
from dlreg.features.date_parts import date_options
from dlreg.features.preprocessing import (
    Preprocessing,
    describe,
    fit_preprocessing,
    fit_preprocessing_on_blocks,
)
from dlreg.model.architecture import Variant
from dlreg.model.embeddings import describe_embedding
from dlreg.pipeline.export import refuse_large
from dlreg.table.parts import Dataset
from dlreg.table.splits import go_forward
from dlreg.table.stored_dataset import StoredDataset
from dlreg.training.members import members_of
from dlreg.training.train import build_variants


@dataclass(frozen=True)
class Preprocessed:
    """Preprocessed rows.

    Attributes:
        preprocessing: Fitted on the training rows.
        x: The preprocessed training and validation rows that are in memory, `(n_rows, n_features)` each.
        fold_x: Where folds go forward in time, the training rows as each fold preprocesses them.
        known_x: Those of the training rows that the networks' embeddings are fitted on.
    """

    preprocessing: Preprocessing
    x: dict[str, np.ndarray]
    fold_x: list[np.ndarray]
    known_x: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """The networks to train, and their preprocessed rows.

    Attributes:
        preprocessing: As in `Preprocessed`.
        variants: The networks to train.
        x: As in `Preprocessed`.
        fold_x: As in `Preprocessed`.
    """

    preprocessing: Preprocessing
    variants: list[Variant]
    x: dict[str, np.ndarray]
    fold_x: list[np.ndarray]


def preprocess(config: Config, dataset: Dataset) -> Preprocessed:
    """Fits the preprocessing on the training rows, and preprocesses them and the validation rows.

    Where folds go forward in time each has a preprocessing of its own, which knows the rows it learns from
    and no others; they share the target's scale, that of the first window. New rows are preprocessed by what
    is fitted on all training rows if members are refitted with them, else as the last fold does.

    Raises:
        DataError: The rows cannot be preprocessed as the config asks, or their pipeline would be too large.
    """
    train = dataset.parts["train"]
    first, options = dataset.first_window, preprocessing_options(config)
    fit_on = partial(fit_preprocessing, train, dataset.columns, target_rows=first, **options)
    folds = dataset.folds if go_forward(dataset.folds) else ()
    with located(str(config.data.path)):
        of_folds = [fit_on(fitted_rows=fold.train) for fold in folds]
        ends_with_folds = bool(of_folds) and config.refitting is None
        preprocessing = of_folds[-1] if ends_with_folds else fit_on()
        refuse_large(preprocessing)
        x = {name: preprocessing.transform(dataset.parts[name].cells) for name in ("train", "validation")}
        fold_x = [of_fold.transform(train.cells) for of_fold in of_folds]
    return Preprocessed(preprocessing, x, fold_x, fold_x[0][first] if fold_x else x["train"])


def preprocessing_options(config: Config) -> dict[str, Any]:
    """What `fit_preprocessing` is to do."""
    return {
        **config.preprocessing.model_dump(exclude={"embedding"}),
        "dates": date_options(config),
    }


def preprocess_from_disk(config: Config, dataset: StoredDataset) -> Preprocessed:
    """Fits the preprocessing on training rows that do not fit in memory, and preprocesses a sample.

    Args:
        config: Of the run.
        dataset: The rows.

    Raises:
        DataError: The rows cannot be preprocessed as the config asks, or their pipeline would be too large.
    """
    options = preprocessing_options(config)
    sample = dataset.in_memory.parts
    with located(str(config.data.path)):
        preprocessing = fit_preprocessing_on_blocks(
            sample["train"],
            dataset.columns,
            dataset.facts,
            lambda: (part for _, part in dataset.blocks("train")),
            **options,
        )
        refuse_large(preprocessing)
        x = {name: preprocessing.transform(sample[name].cells) for name in ("train", "validation")}
    return Preprocessed(preprocessing, x, [], x["train"])


def prepare(config: Config, rows: Preprocessed) -> Prepared:
    """Lays out the networks, whose embeddings are fitted on the preprocessed rows."""
    n_members = len(members_of(config))
    variants = build_variants(config, rows.preprocessing, rows.known_x, n_members)
    return Prepared(rows.preprocessing, variants, rows.x, rows.fold_x)


def describe_prepared(dataset: Dataset, prepared: Prepared) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Every fitted number in plain values: those of the preprocessing, and those of each embedding."""
    description = describe(prepared.preprocessing)
    if dataset.target_unit is not None:
        description["target"]["unit"] = dataset.target_unit
    embeddings = [describe_embedding(variant.network.embedding) for variant in prepared.variants]
    return description, embeddings

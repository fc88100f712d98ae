"""From a config to trained members: builds the networks, and trains them on rows in memory or on disk."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from dlreg.arrays import aligned_zeros
from dlreg.config.schema import Config
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.architecture import Network, Variant
from dlreg.model.embeddings import fit_embedding
from dlreg.table.parts import Dataset
from dlreg.training.loop import EpochTime, Hooks, Recipe, Trained, fit, time_epochs
from dlreg.training.members import (
    members_of,
    network_options,
    plan_epochs,
    training_rows,
    visiting_members,
)
from dlreg.training.recipe import recipe_of, scaled_target
from dlreg.training.rows_on_disk import pool_size, read_left_out, read_pools, read_validation
from dlreg.training.sampling import member_values
from dlreg.training.training_files import TrainingFiles
from dlreg.training.visited_rows import StreamedData, TrainingData, TrainingRows, padded_rows, shuffled_rows


def build_variants(
    config: Config, preprocessing: Preprocessing, x_train: np.ndarray, n_members: int
) -> list[Variant]:
    """The networks to train, one kind for each embedding of numbers.

    Args:
        config: Of the run.
        preprocessing: Fitted on the training rows.
        x_train: The training rows, preprocessed, shape `(n_rows, n_features)`.
        n_members: Of all variants together.
    """
    options, members = network_options(config), members_of(config)
    embeddings, dropout = config.preprocessing.embeddings, member_values(config).dropout
    numbers = x_train[:, : preprocessing.n_numbers]
    return [
        Variant(
            Network(
                x_train.shape[1],
                embedding=fit_embedding(name, numbers),
                categories=preprocessing.embedded_levels,
                # Each member drops as much as it draws, this is the most.
                dropout=max(
                    float(rate)
                    for rate, member in zip(dropout, members, strict=True)
                    if member.variant == number
                ),
                **options,
            ),
            n_members // len(embeddings),
        )
        for number, name in enumerate(embeddings)
    ]


def train_members(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    variants: Sequence[Variant],
    x: Mapping[str, np.ndarray],
    hooks: Hooks,
    fold_x: Sequence[np.ndarray] = (),
) -> Trained:
    """Trains all members side by side, see `dlreg.training.loop.fit`.

    Args:
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        variants: The networks to train.
        x: The preprocessed training and validation rows, `(n_rows, n_features)` each.
        hooks: The callbacks.
        fold_x: Where folds go forward in time, the training rows as each fold preprocesses them.
    """
    return fit(*_recipe_and_data(config, dataset, preprocessing, variants, x, fold_x), hooks)


def time_training(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    variants: Sequence[Variant],
    x: Mapping[str, np.ndarray],
    fold_x: Sequence[np.ndarray] = (),
) -> EpochTime:
    """What the epochs of `train_members` cost."""
    return time_epochs(*_recipe_and_data(config, dataset, preprocessing, variants, x, fold_x))


def _recipe_and_data(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    variants: Sequence[Variant],
    x: Mapping[str, np.ndarray],
    fold_x: Sequence[np.ndarray],
) -> tuple[Recipe, TrainingData]:
    plan = plan_epochs(config, dataset.rows_per_epoch)
    parts = {
        name: TrainingRows(x[name], scaled_target(preprocessing, dataset.parts[name].y_true))
        for name in ("train", "validation")
    }
    if fold_x:
        data = _with_rows_of_folds(config, dataset, parts["train"], fold_x, plan.n_rows)
    elif config.refitting and not dataset.folds:
        data = _with_validation_rows(config, parts, plan.n_rows)
    else:
        data = _training_data(config, dataset, parts, plan.n_rows)
    return recipe_of(config, preprocessing, variants, plan), data


def train_from_files(
    config: Config,
    preprocessing: Preprocessing,
    variants: Sequence[Variant],
    files: TrainingFiles,
    hooks: Hooks,
) -> Trained:
    """Trains all members side by side on rows that are read from disk, see `dlreg.training.loop.fit`.

    Args:
        config: Of the run.
        preprocessing: Fitted on the training rows.
        variants: The networks to train.
        files: The rows.
        hooks: The callbacks.
    """
    train, left_out = files.train, [member.fold for member in visiting_members(config)]
    plan = plan_epochs(config, train.rows_per_epoch)
    n_pool_rows = pool_size(plan.n_rows, train.n_features, plan.batch_size)
    read = partial(read_pools, n_rows=plan.n_rows, n_pool_rows=n_pool_rows, seed=config.training.seed)
    folds_left_out = [member.fold for member in members_of(config) if member.fold is not None]
    refitted_with = train if folds_left_out else files.with_validation
    data = StreamedData(
        plan.n_rows,
        n_pool_rows,
        partial(read, train, left_out),
        partial(read, refitted_with, [None] * len(left_out)),
        partial(read_left_out, train, folds_left_out)
        if folds_left_out
        else partial(read_validation, files.validation),
        validation_share=1 - train.rows_per_epoch / files.with_validation.n_rows,
    )
    return fit(recipe_of(config, preprocessing, variants, plan), data, hooks)


def _training_data(
    config: Config, dataset: Dataset, parts: Mapping[str, TrainingRows], n_rows: int
) -> TrainingData:
    members, folds, train = members_of(config), dataset.folds, parts["train"]
    rows_met = training_rows(visiting_members(config), len(train.x), folds)
    return TrainingData(
        train,
        train if folds else parts["validation"],
        shuffled_rows(rows_met, config.training.seed),
        n_rows,
        padded_rows([folds[member.fold or 0].validation for member in members]) if folds else None,
    )


def _with_validation_rows(config: Config, parts: Mapping[str, TrainingRows], n_rows: int) -> TrainingData:
    """The rows of a training that is refitted with the validation rows: they stand below the others."""
    train, validation = parts["train"], parts["validation"]
    both = aligned_zeros((len(train.x) + len(validation.x), train.x.shape[1]))
    np.concatenate([train.x, validation.x], out=both)
    rows_met = training_rows(visiting_members(config), len(train.x), ())
    rows = TrainingRows(both, np.concatenate([train.y, validation.y]))
    return TrainingData(rows, validation, shuffled_rows(rows_met, config.training.seed), n_rows)


def _with_rows_of_folds(
    config: Config, dataset: Dataset, train: TrainingRows, fold_x: Sequence[np.ndarray], n_rows: int
) -> TrainingData:
    """The rows of a training in which each member has those of its own fold's preprocessing.

    They stand one below the other, at the end those of all rows, if members are to be refitted with them.
    """
    members, folds, (x, y) = members_of(config), dataset.folds, train
    blocks = [*fold_x, x] if config.refitting else list(fold_x)
    stacked = aligned_zeros((len(x) * len(blocks), x.shape[1]))
    for number, block in enumerate(blocks):
        stacked[number * len(x) : (number + 1) * len(x)] = block
    rows = TrainingRows(stacked, np.tile(y, (len(blocks), 1)))
    visiting = visiting_members(config)
    fold_rows = [
        part + np.int32((member.fold or 0) * len(x))
        for member, part in zip(visiting, training_rows(visiting, len(x), folds), strict=True)
    ]
    validation = [folds[member.fold or 0].validation + (member.fold or 0) * len(x) for member in members]
    return TrainingData(
        rows,
        rows,
        shuffled_rows(fold_rows, config.training.seed),
        n_rows,
        padded_rows(validation),
        np.arange(len(x)) + len(x) * len(fold_x),
    )

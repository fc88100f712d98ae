"""From a config to trained members: builds the networks, trains them, mixes their predictions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dlreg.arrays import aligned_zeros
from dlreg.config.schema import FORWARD_METHODS, Config
from dlreg.engine.forward import predict
from dlreg.engine.losses import AbsoluteError
from dlreg.engine.optimizer import Optimizer
from dlreg.engine.update_rules import build_optimizer
from dlreg.features.preprocessing import Preprocessing
from dlreg.model.architecture import Network, Variant
from dlreg.model.embeddings import fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.model.mixture import Mixture, mean_of
from dlreg.model.weights import TrainedVariant, Weights
from dlreg.table.dataset import Dataset, Part
from dlreg.table.stored_dataset import StoredDataset
from dlreg.training.blending import BlendedRows, mix_members
from dlreg.training.loop import (
    EpochTime,
    Hooks,
    Recipe,
    StreamedData,
    Trained,
    TrainingData,
    TrainingRows,
    fit,
    padded_rows,
    shuffled_rows,
    time_epochs,
)
from dlreg.training.members import (
    EpochPlan,
    epoch_groups,
    members_of,
    network_options,
    plan_epochs,
    training_rows,
    visiting_members,
)
from dlreg.training.progress import EarlyStopping, Plateau, Refit
from dlreg.training.rows_on_disk import (
    DiskRows,
    ShuffledRows,
    pool_size,
    read_left_out,
    read_pools,
    read_validation,
    write_rows,
    write_shuffled,
)
from dlreg.training.sampling import MemberValues, member_values
from dlreg.training.schedules import build_dropout_schedule, build_schedule
from dlreg.training.selection import select_greedily

# Far enough apart for the seeds of one variant's members.
VARIANT_SEEDS = 1_000_000


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
        name: TrainingRows(x[name], _scaled_target(preprocessing, dataset.parts[name].y_true))
        for name in ("train", "validation")
    }
    if fold_x:
        data = _with_rows_of_folds(config, dataset, parts["train"], fold_x, plan.n_rows)
    else:
        data = _training_data(config, dataset, parts, plan.n_rows)
    return _recipe(config, preprocessing, variants, plan), data


@dataclass(frozen=True)
class TrainingFiles:
    """The preprocessed rows of a training on disk.

    Attributes:
        train: Shuffled.
        validation: In the order of the table.
    """

    train: ShuffledRows
    validation: DiskRows

    @property
    def are_whole(self) -> bool:
        """Whether all files are there, and as large as they were written."""
        return all(rows.is_whole for rows in (*self.train.folds, self.validation))


def write_training_rows(
    folder: Path,
    config: Config,
    dataset: StoredDataset,
    preprocessing: Preprocessing,
    on_rows: Callable[[int], None] = lambda _: None,
) -> None:
    """Preprocesses the training and validation rows, block by block, and writes them into a folder.

    Args:
        folder: Where to.
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        on_rows: Told of the rows written so far.

    Raises:
        DataError: A number too large for single precision.
        OSError: The disk is full, or the system refuses.
    """

    def preprocess(part: Part) -> tuple[np.ndarray, np.ndarray]:
        return preprocessing.transform(part.cells), _scaled_target(preprocessing, part.y_true)

    def training_rows() -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray]]:
        n_rows = 0
        for part, folds in dataset.folded_blocks():
            yield preprocess(part), folds
            n_rows += len(part.rows)
            on_rows(n_rows)

    files = training_files(folder, dataset, preprocessing)
    write_shuffled(files.train, training_rows(), config.training.seed)
    write_rows(files.validation, (preprocess(part) for _, part in dataset.blocks("validation")))


def training_files(folder: Path, dataset: StoredDataset, preprocessing: Preprocessing) -> TrainingFiles:
    """The files that `write_training_rows` writes into a folder."""
    n_features = len(preprocessing.feature_names)
    sizes = dataset.fold_sizes or (dataset.n_rows["train"],)
    return TrainingFiles(
        ShuffledRows(
            tuple(DiskRows(folder, f"train-{fold}", size, n_features) for fold, size in enumerate(sizes))
        ),
        DiskRows(folder, "validation", dataset.n_rows["validation"], n_features),
    )


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
    read = partial(read_pools, train, n_pool_rows, config.training.seed)
    folds_left_out = [member.fold for member in members_of(config) if member.fold is not None]
    data = StreamedData(
        plan.n_rows,
        n_pool_rows,
        partial(read, left_out),
        partial(read, [None] * len(left_out)),
        partial(read_left_out, train, folds_left_out)
        if folds_left_out
        else partial(read_validation, files.validation),
        has_validation=bool(folds_left_out) or files.validation.n_rows > 0,
    )
    return fit(_recipe(config, preprocessing, variants, plan), data, hooks)


def mix_trained(
    config: Config,
    dataset: Dataset,
    preprocessing: Preprocessing,
    validated: Sequence[TrainedVariant],
    x: Mapping[str, np.ndarray],
    predicting: Sequence[int],
    fold_x: Sequence[np.ndarray] = (),
) -> tuple[Mixture, np.ndarray | None]:
    """Combines the members, and with cross-validation predicts each training row by those that left it out.

    Args:
        config: Of the run.
        dataset: Its rows.
        preprocessing: Fitted on the training rows.
        validated: The members with weights that know nothing of the rows they left out.
        x: The preprocessed training and validation rows, `(n_rows, n_features)` each.
        predicting: Which members predict new rows.
        fold_x: Where folds go forward in time, the training rows as each fold preprocesses them.

    Returns:
        The mixture of these, and with cross-validation the out-of-fold predictions in the target's units,
        shape `(n_train,)`, NaN where no fold validates.
    """
    members, target = members_of(config), preprocessing.target
    selects = config.model.ensemble_selection == "greedy"
    if not dataset.folds:
        counts = np.ones(len(members))
        if selects:
            y = target.forward(dataset.parts["validation"].y_true)
            of_variants = [predict(*variant, x["validation"]) for variant in validated]
            counts = np.concatenate([select_greedily(predictions, y) for predictions in of_variants])
        return mean_of([member.variant for member in members], counts, preprocessing.limits), None
    mixture, unseen = mix_members(
        members,
        [_predict_training_rows(variant, x["train"], fold_x) for variant in validated],
        dataset.folds,
        BlendedRows(x["train"], preprocessing.embedded_levels, fold_x),
        target.forward(dataset.parts["train"].y_true),
        predicting=predicting,
        limits=preprocessing.limits,
        beside=config.model.blend,
        seed=config.training.seed,
        selects=selects,
    )
    return mixture, target.inverse(unseen)


def _predict_training_rows(
    variant: TrainedVariant, x_train: np.ndarray, fold_x: Sequence[np.ndarray]
) -> np.ndarray:
    """What each member of a variant predicts for every training row, `(n_members, n_train)`."""
    network, weights = variant
    if not fold_x:
        return predict(network, weights, x_train)
    # The members of a fold stand side by side.
    size = len(weights) // len(fold_x)
    return np.concatenate(
        [predict(network, weights[fold * size : (fold + 1) * size], x) for fold, x in enumerate(fold_x)]
    )


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


def _with_rows_of_folds(
    config: Config, dataset: Dataset, train: TrainingRows, fold_x: Sequence[np.ndarray], n_rows: int
) -> TrainingData:
    """The rows of a training in which each member has those of its own fold's preprocessing.

    They stand one below the other, at the end those of all rows, if members are to be refitted with them.
    """
    members, folds, (x, y) = members_of(config), dataset.folds, train
    blocks = [*fold_x, x] if config.training.refit else list(fold_x)
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


def _scaled_target(preprocessing: Preprocessing, y_true: np.ndarray) -> np.ndarray:
    return preprocessing.target.forward(y_true).astype(np.float32).reshape(-1, 1)


def _recipe(
    config: Config, preprocessing: Preprocessing, variants: Sequence[Variant], plan: EpochPlan
) -> Recipe:
    settings, schedule, members = config.training, config.training.schedule, members_of(config)
    values, sample = member_values(config), config.model.sample
    schedule_options = schedule.model_dump(exclude={"name"})
    lowered_on_plateau = schedule.name == "plateau"
    stopping, refit = settings.early_stopping, settings.refit
    return Recipe(
        variants,
        _initial_weights(variants, settings.seed),
        _optimizer(config, values),
        build_schedule(
            schedule.name,
            settings.learning_rate,
            epochs=plan.epochs,
            steps_per_epoch=plan.steps_per_epoch,
            **({} if lowered_on_plateau else schedule_options),
        ),
        plan.epochs,
        plan.batch_size,
        settings.seed,
        loss=settings.loss,
        metrics={"mae": AbsoluteError(preprocessing.target)},
        dropout=build_dropout_schedule(
            config.model.dropout_schedule, n_steps=plan.epochs * plan.steps_per_epoch
        ),
        member_dropout=values.dropout,
        rate_factors=values.learning_rate / settings.learning_rate
        if sample and sample.learning_rate
        else None,
        early_stopping=EarlyStopping(plan.patience, stopping.min_delta)
        if stopping and plan.patience
        else None,
        plateau=Plateau(**schedule_options) if lowered_on_plateau else None,
        restore_best_weights=settings.restore_best_weights,
        refit=Refit(
            refit.epochs_fraction,
            refit.learning_rate_fraction * settings.learning_rate,
            catches_up=config.data.split in FORWARD_METHODS,
        )
        if refit
        else None,
        groups=epoch_groups(
            members, goes_forward=config.data.split in FORWARD_METHODS, are_alike=sample is None
        ),
    )


def _initial_weights(variants: Sequence[Variant], seed: int) -> list[Weights]:
    return [
        weights
        for number, variant in enumerate(variants)
        for weights in initial_weights(variant.network, seed + VARIANT_SEEDS * number, variant.n_members)
    ]


def _optimizer(config: Config, values: MemberValues) -> Optimizer:
    settings, sample = config.training, config.model.sample
    draws_decay = sample is not None and sample.weight_decay is not None
    factors = settings.learning_rate_factors.model_dump()
    return build_optimizer(
        settings.optimizer,
        weight_decay=tuple(values.weight_decay.tolist()) if draws_decay else settings.weight_decay,
        momentum=settings.momentum,
        clip_norm=settings.clip_norm,
        ema_momentum=settings.ema_momentum,
        beta_1=settings.beta_1,
        beta_2=settings.beta_2,
        decays=settings.weight_decay_groups,
        scales_weights=factors.pop("weights_by_fan_in"),
        factors=factors,
    )

"""From the rows to the files of a run: the steps of one training, and what is written after each."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dlreg.commands.loss_curve import describe_loss_curve
from dlreg.commands.train_summary import Outcome
from dlreg.commands.train_verdict import judge, say_divergence, say_taken_back
from dlreg.config.schema import Config
from dlreg.errors import DivergedError, warn
from dlreg.figures.beside import Draughtsman
from dlreg.memory import return_freed_memory
from dlreg.runs.checkpointing import Checkpointer
from dlreg.runs.directory import RunDir
from dlreg.runs.results import (
    Results,
    TrainedNetwork,
    write_loss_curve,
    write_network,
    write_preprocessing,
    write_results,
    write_split,
)
from dlreg.runs.tables import PredictedRows
from dlreg.table.parts import Dataset
from dlreg.table.stored_dataset import StoredDataset
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.listener import Listener
from dlreg.training.members import members_of
from dlreg.training.progress import Progress

# What imports TensorFlow is imported by whoever has prepared the process for it.
if TYPE_CHECKING:
    from dlreg.steps.combining import KerasModel, Networks
    from dlreg.steps.piping import BuiltPipeline


def train_and_write(
    config: Config,
    dataset: Dataset | StoredDataset,
    run: RunDir,
    checkpointer: Checkpointer,
    listener: Listener,
    draughtsman: Draughtsman,
    target_hint: str | None,
) -> Outcome:
    """Takes the steps of `dlreg.steps`, and writes what each returns.

    Args:
        config: The whole config.
        dataset: The rows.
        run: The run directory.
        checkpointer: Keeps what the training can go on from.
        listener: Told of progress.
        draughtsman: Draws the loss curve.
        target_hint: What would mend a loss that the target spoils.

    Returns:
        What the summary tells of the training.

    Raises:
        DataError: A row cannot be preprocessed or predicted.
        StorageError: A file cannot be written.
        DivergedError: The loss is not finite any more; the run directory keeps history and best weights.
    """
    from dlreg.steps.combining import build_keras_model, combine, describe_blend, describe_members
    from dlreg.steps.measuring import hold_out, measure
    from dlreg.steps.piping import build_pipeline
    from dlreg.steps.preparing import describe_prepared, prepare, preprocess, preprocess_from_disk
    from dlreg.steps.training import open_rows, train_networks
    from dlreg.training.loop import Hooks

    write_split(run, dataset, config.data, members_of(config))
    in_memory = dataset.in_memory
    if isinstance(dataset, Dataset):
        prepared = prepare(config, preprocess(config, dataset))
    else:
        prepared = prepare(config, preprocess_from_disk(config, dataset))
    write_preprocessing(run, *describe_prepared(in_memory, prepared))
    hooks = Hooks(_resuming(checkpointer), listener.on_epoch, checkpointer.after_epoch)

    def on_rows(n_rows: int) -> None:
        listener.on_stage(f"shuffling on disk: {n_rows:,} rows")

    with open_rows(config, dataset, prepared.preprocessing, on_rows) as files:
        return_freed_memory()
        listener.on_stage("compiling the training loop")
        with checkpointer.guarding_training():
            trained = train_networks(config, in_memory, prepared, files, hooks)
    return_freed_memory()
    progress = trained.progress
    curve = describe_loss_curve(
        config, progress.history, progress.best_epoch, prepared.preprocessing.target.scale
    )
    drawing = draughtsman.begin(**curve)
    networks = combine(config, in_memory, prepared, trained)
    keras_model = build_keras_model(prepared, networks)
    write_network(run, _trained_network(progress, keras_model))
    if progress.diverged:
        write_loss_curve(run, drawing.finish())
        raise DivergedError(say_divergence(config, progress))
    if taken_back := say_taken_back(progress, trained.refit_epochs):
        warn(taken_back)
    listener.on_stage("writing the pipeline")
    built = build_pipeline(in_memory, prepared, networks, config.data)
    held_out = hold_out(in_memory, prepared, networks, keras_model, config)
    n_features = prepared.x["train"].shape[1]
    # A large table leaves no room for its preprocessed rows beside its cells, which are now predicted from.
    del prepared
    return_freed_memory()
    measured = partial(measure, dataset, networks, built, held_out, config.data)
    metrics = write_results(run, _results(in_memory, networks, built), measured)
    write_loss_curve(run, drawing.finish())
    return Outcome(
        metrics=dict(metrics),
        epochs=progress.epoch,
        best_epoch=progress.best_epoch,
        best_epochs=progress.best_epochs.tolist(),
        refit_epochs=trained.refit_epochs.tolist(),
        verdict=judge(config, progress, target_hint, is_refitted=bool(trained.refit_epochs.any())),
        parameters=keras_model.n_parameters,
        features=n_features,
        members=describe_members(config, networks),
        blend=describe_blend(networks),
    )


def _resuming(checkpointer: Checkpointer) -> Callable[[Checkpoint], Checkpoint | None]:
    def resume_from(template: Checkpoint) -> Checkpoint | None:
        checkpoint = checkpointer.load(template)
        if checkpoint:
            warn(f"going on after epoch {len(checkpoint.values):,}")
        return checkpoint

    return resume_from


def _trained_network(progress: Progress, keras_model: "KerasModel") -> TrainedNetwork:
    from dlreg.model.keras_model import keras_file, summary_of

    return TrainedNetwork(
        progress.history,
        progress.members,
        progress.refit if progress.refit_epoch else None,
        summary_of(keras_model.model),
        keras_file(keras_model.model),
    )


def _results(dataset: Dataset, networks: "Networks", built: "BuiltPipeline") -> Results:
    train, y_unseen = dataset.parts["train"], networks.y_unseen
    return Results(
        built.content,
        built.calibration,
        built.calibrated_on,
        None if y_unseen is None else _known_rows(PredictedRows(train.rows, train.y_true, y_unseen)),
        keeps_validation=networks.validated is not None,
    )


def _known_rows(rows: PredictedRows) -> PredictedRows:
    known = np.isfinite(rows.y_pred)
    return PredictedRows(rows.rows[known], rows.y_true[known], rows.y_pred[known])

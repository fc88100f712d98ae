"""One run, from a config to a complete run directory."""

import signal
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.engine.backend import import_backend
from dlreg.engine.compile_cache import compile_cache
from dlreg.errors import DivergedError, DlregError, located
from dlreg.evaluation.calibration import calibrate
from dlreg.evaluation.intervals import LEVEL
from dlreg.evaluation.learning_curve import Kept, judge_learning_curve
from dlreg.evaluation.metrics import interval_metrics, regression_metrics
from dlreg.preview.advice import advise
from dlreg.preview.plan import plan_training
from dlreg.runs.checkpointing import Checkpointer
from dlreg.runs.directory import RunDir, next_run_dir, open_run_dir
from dlreg.runs.facts import gather_facts, now
from dlreg.runs.interruption import Interruption
from dlreg.runs.results import (
    PredictedRows,
    Results,
    TrainedNetwork,
    write_config,
    write_network,
    write_preprocessing,
    write_results,
    write_split,
)
from dlreg.runs.resuming import origin_of, refuse_changes
from dlreg.table.dataset import Dataset, load_dataset
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.listener import Listener
from dlreg.training.members import members_of
from dlreg.training.progress import Progress

if TYPE_CHECKING:
    from dlreg.features.preprocessing import Preprocessing

# Keras and ONNX Runtime differ by rounding; by more, as a share of the target's spread, is a bug.
AGREEMENT = 1e-4
# Of so many rows Keras's predictions are compared with the pipeline's.
COMPARED_ROWS = 1024


def train_run(
    config: Config,
    path: Path | None,
    *,
    name: str,
    overwrite: bool,
    resume: bool,
    interruption: Interruption,
    listener: Listener,
    importing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> dict[str, Any]:
    """Trains what a config describes and writes the run directory.

    Args:
        config: The whole config.
        path: The run directory to write; None for the config's, or else the next free one in `runs`.
        name: What the next free one is called after.
        overwrite: Replace the run that stands there, once the new one is complete.
        resume: Go on with the unfinished run that stands there, if there is one.
        interruption: Says when to stop.
        listener: Told of progress.
        importing: Entered while TensorFlow is imported.

    Returns:
        The summary a script gets: `run_dir`, `seconds`, `notes`, `metrics`, `epochs`, `best_epoch`,
        `verdict`, `parameters`, `features`.

    Raises:
        DataError: The CSV cannot be used; TensorFlow has not been imported by then, and nothing written.
        StorageError: The run directory is not empty or cannot be written.
        RunDirError: The run to go on with is of another config or other data, or its checkpoint is damaged.
        StoppedError: A signal came; the run directory keeps a checkpoint.
        DivergedError: The loss is not finite any more; the run directory keeps history and best weights.
    """
    began, started = time.monotonic(), now()
    listener.on_stage(f"reading {config.data.path}")
    dataset = load_dataset(config)
    plan = plan_training(config, dataset)
    notes = [*dataset.notes, *(str(each.fault) for each in advise(config, dataset))]
    for note in notes:
        warnings.warn(note, stacklevel=1)
    path = path or config.run.dir or next_run_dir(name)
    with open_run_dir(path, overwrite=overwrite, resume=resume) as run:
        facts = gather_facts(config, dataset, plan.threads, started)
        if resume:
            refuse_changes(config, path, facts)
        run.set_status("running", facts)
        write_config(run, config)
        checkpointer = Checkpointer(
            run, origin_of(config, facts), plan.epochs + plan.refit_epochs, interruption
        )
        try:
            with compile_cache(enabled=config.run.compile_cache) as cache:
                listener.on_stage("importing TensorFlow")
                with importing():
                    import_backend(cache, plan.threads)
                summary = _train(config, dataset, run, checkpointer, listener)
        except BaseException as error:
            # What a signal breaks off may fail in any way.
            if interruption.received or isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise checkpointer.stop(interruption.received or signal.SIGINT) from None
            exit_code = error.exit_code if isinstance(error, DlregError) else 1
            if isinstance(error, DivergedError):
                run.remove_checkpoint()
            run.set_status("failed", {"error": str(error), "exit_code": exit_code})
            raise
        results = {"seconds": round(time.monotonic() - began, 3), "notes": notes, **summary}
        run.set_status("complete", {"finished": now(), **results})
        run.remove_checkpoint()
    return {"run_dir": str(path), **results}


def _train(
    config: Config, dataset: Dataset, run: RunDir, checkpointer: Checkpointer, listener: Listener
) -> dict[str, Any]:
    from dlreg.features import preprocessing as preprocess
    from dlreg.model import keras_model as models
    from dlreg.model.embeddings import describe_embedding
    from dlreg.pipeline.export import export_pipeline
    from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE
    from dlreg.pipeline.residual_scale import add_residual_scale
    from dlreg.pipeline.session import Pipeline
    from dlreg.training import train as fitting

    train, test = dataset.parts["train"], dataset.parts["test"]
    members = members_of(config)
    write_split(run, dataset, config.data.test_path, members)
    with located(str(config.data.path)):
        preprocessing = preprocess.fit_preprocessing(
            train.cells,
            train.y_true,
            dataset.columns,
            **config.preprocessing.model_dump(exclude={"embedding"}),
        )
        x = {name: preprocessing.transform(dataset.parts[name].cells) for name in ("train", "validation")}
    views = fitting.build_views(config, preprocessing, x["train"], len(members))
    embeddings = [describe_embedding(view.network.embedding) for view in views]
    write_preprocessing(run, preprocess.describe(preprocessing), embeddings)

    def start(like: Checkpoint) -> Checkpoint | None:
        checkpoint = checkpointer.load(like)
        if checkpoint:
            warnings.warn(f"going on after epoch {len(checkpoint.values):,}", stacklevel=1)
        return checkpoint

    listener.on_stage("compiling the training loop")
    with checkpointer.guarding_training():
        trained = fitting.train_members(
            config,
            dataset,
            preprocessing,
            views,
            x,
            start=start,
            on_epoch=listener.on_epoch,
            keep=checkpointer.after_epoch,
        )
    progress = trained.progress
    validated = fitting.weights_by_view(views, trained.validated)
    mixture, y_unseen = fitting.mix_members(config, dataset, preprocessing, members, validated, x["train"])
    final = fitting.weights_by_view(views, trained.weights)
    keras_views = [models.trained_model(network, of_view) for network, of_view in final]
    parameters = sum(view.count_params() for view in keras_views)
    model = models.combined_model(keras_views, mixture)
    write_network(
        run,
        TrainedNetwork(
            progress.history,
            progress.members,
            progress.refit if progress.refit_epoch else None,
            models.summary_of(model),
            models.keras_file(model),
            _loss_curve(config, progress),
        ),
    )
    if progress.diverged:
        raise DivergedError(
            f"the loss is not finite in epoch {len(progress.values)}: training diverged. Try a smaller "
            f"training.learning_rate than {config.training.learning_rate:g}, or training.clip_norm: 1.0"
        )
    listener.on_stage("writing the pipeline")
    exported = export_pipeline(preprocessing, final, mixture)
    calibrated_on = "validation" if y_unseen is None else "out_of_fold"
    if y_unseen is None:
        validation = dataset.parts["validation"]
        y_unseen = Pipeline(exported.SerializeToString()).predict(validation.cells)
        calibration = calibrate(x["validation"], validation.y_true, y_unseen)
    else:
        calibration = calibrate(x["train"], train.y_true, y_unseen)
    if calibration.scale:
        exported = add_residual_scale(exported, calibration.scale)
    x["test"] = preprocessing.transform(test.cells)
    baselines = _predict_baselines(dataset, x)
    held_out = "test" if test.rows.size else "train"
    # A large table leaves no room for more beside its cells, which are now predicted from.
    x = {held_out: x[held_out]}
    pipeline = Pipeline(exported.SerializeToString())
    tested = pipeline.run(test.cells)
    y_pred = {name: pipeline.predict(dataset.parts[name].cells) for name in ("train", "validation")}
    y_pred["test"] = tested[PREDICTION]
    _check_agreement(preprocessing, model, x[held_out], y_pred[held_out], float(train.y_true.std()))
    metrics = _all_metrics(dataset, baselines, y_pred)
    if calibrated_on == "out_of_fold":
        metrics["out_of_fold"] = regression_metrics(train.y_true, y_unseen)
    if metrics["test"]:
        scale = tested.get(RESIDUAL_SCALE)
        half_width = calibration.intervals.half_widths(LEVEL, len(test.y_true), scale)
        metrics["test"] |= interval_metrics(test.y_true, y_pred["test"], half_width)
    write_results(
        run,
        Results(
            exported.SerializeToString(),
            calibration,
            calibrated_on,
            metrics,
            PredictedRows(test.rows, test.y_true, y_pred["test"]),
            PredictedRows(train.rows, train.y_true, y_unseen) if calibrated_on == "out_of_fold" else None,
        ),
    )
    return {
        "metrics": metrics,
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "best_epochs": progress.best_epochs.tolist(),
        "refit_epochs": progress.refit_epochs.tolist(),
        "verdict": _verdict(config, progress),
        "parameters": parameters,
        "features": x[held_out].shape[1],
    }


def _check_agreement(
    preprocessing: "Preprocessing", model: Any, x: np.ndarray, y_pred: np.ndarray, spread: float
) -> None:
    """Compares ONNX Runtime's predictions with Keras's, for `COMPARED_ROWS` rows from everywhere.

    Raises:
        RuntimeError: They differ by more than `AGREEMENT` of the target's standard deviation.
    """
    if not len(x):
        return
    rows = np.unique(np.linspace(0, len(x) - 1, COMPARED_ROWS, dtype=int))
    # Called as it is, because `predict` would compile it first.
    scaled = np.asarray(model(x[rows], training=False))[:, 0].astype(np.float64)
    apart = float(np.max(np.abs(preprocessing.target.inverse(scaled) - y_pred[rows]))) / spread
    if not apart <= AGREEMENT:
        raise RuntimeError(f"pipeline.onnx and the Keras model differ by {apart:.2g} standard deviations")


def _predict_baselines(dataset: Dataset, x: Mapping[str, np.ndarray]) -> tuple[str, dict[str, np.ndarray]]:
    """The rows held out furthest, and what each baseline predicts for them."""
    from dlreg.evaluation.baselines import linear_baseline, mean_baseline

    y_train = dataset.parts["train"].y_true
    held_out = next(name for name in ("test", "validation", "train") if len(x[name]))
    return held_out, {
        "mean": mean_baseline(y_train, len(x[held_out])),
        "linear": linear_baseline(x["train"], y_train, x[held_out]),
    }


def _all_metrics(
    dataset: Dataset, baselines: tuple[str, dict[str, np.ndarray]], y_pred: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Metrics of each part, and of the baselines."""
    y_true = {name: part.y_true for name, part in dataset.parts.items()}
    held_out, predicted = baselines
    return {name: regression_metrics(y_true[name], y_pred[name]) for name in y_true} | {
        "baselines": {
            name: regression_metrics(y_true[held_out], values) for name, values in predicted.items()
        }
    }


def _loss_curve(config: Config, progress: Progress) -> bytes:
    from dlreg.figures.plots import plot_loss
    from dlreg.figures.writing import render_figure

    figure = plot_loss(
        progress.history,
        loss_name=config.training.loss,
        best_epoch=progress.best_epoch,
        target=config.data.target,
        target_scaling=config.preprocessing.target,
    )
    return render_figure(figure, "png")


def _verdict(config: Config, progress: Progress) -> dict[str, Any]:
    history = progress.history
    kept: Kept = "best" if config.training.restore_best_weights else "last"
    return asdict(
        judge_learning_curve(
            history["loss"],
            history.get("val_loss"),
            stopped_early=progress.epoch < progress.epochs,
            kept="refitted" if config.training.refit else kept,
        )
    )

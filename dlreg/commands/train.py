"""One run, from a config to a complete run directory."""

import csv
import importlib.metadata
import io
import os
import platform
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlreg import __version__
from dlreg.config.schema import Config
from dlreg.config.writing import dump_config
from dlreg.engine.backend import import_backend
from dlreg.engine.compile_cache import compile_cache
from dlreg.errors import DivergedError, DlregError
from dlreg.evaluation.calibration import describe as describe_intervals
from dlreg.evaluation.learning_curve import Kept, judge_learning_curve
from dlreg.preview.advice import advise
from dlreg.preview.plan import plan_training
from dlreg.runs import directory as run_dir
from dlreg.runs.checkpointing import Saver
from dlreg.runs.directory import RunDir, to_json
from dlreg.runs.interruption import Interruption
from dlreg.runs.resuming import origin_of, refuse_changes
from dlreg.table.dataset import Dataset, load_dataset, split_record
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.listener import Listener
from dlreg.training.members import members_of
from dlreg.training.progress import Progress

if TYPE_CHECKING:
    from dlreg.commands.train_steps import Prepared

PACKAGES = ("tensorflow", "keras", "scikit-learn", "pandas", "numpy", "onnx", "onnxruntime", "skl2onnx")
BLOCK = 4096


@dataclass(frozen=True)
class Outcome:
    """What a training came to, as `run.json` and `--json` tell it.

    Attributes:
        metrics: By part, and of the baselines.
        epochs: How many there were, refitting left out.
        best_epoch: The 1-based epoch with the lowest watched loss.
        best_epochs: The same of each member.
        refit_epochs: How many epochs each member was refitted.
        verdict: What the learning curve shows.
        parameters: Of the networks, as Keras counts them.
        features: Inputs of the networks.
    """

    metrics: dict[str, Any]
    epochs: int
    best_epoch: int
    best_epochs: list[int]
    refit_epochs: list[int]
    verdict: dict[str, Any]
    parameters: int
    features: int


def train_run(
    config: Config,
    path: Path | None,
    *,
    name: str,
    overwrite: bool,
    resume: bool,
    interruption: Interruption,
    listener: Listener,
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
    began, started = time.monotonic(), _now()
    listener.on_stage(f"reading {config.data.path}")
    dataset = load_dataset(config)
    plan = plan_training(config, dataset)
    notes = [*dataset.notes, *(str(each.fault) for each in advise(config, dataset))]
    for note in notes:
        listener.on_note(note)
    path = path or config.run.dir or run_dir.next_run_dir(name)
    with run_dir.open_run_dir(path, overwrite=overwrite, resume=resume) as run:
        facts = {"process": os.getpid(), "started": started, **_facts(config, dataset, plan.threads)}
        if resume:
            refuse_changes(config, path, facts)
        run.set_status("running", facts)
        run.write(run_dir.CONFIG, dump_config(config).encode())
        saver = Saver(run, origin_of(config, facts), plan.epochs + plan.refit_epochs, interruption)
        try:
            with compile_cache(enabled=config.run.compile_cache) as cache:
                listener.on_stage("importing TensorFlow")
                import_backend(cache, plan.threads)
                outcome = _make(config, dataset, run, saver, listener)
        except BaseException as error:
            # What a signal breaks off may fail in any way.
            if interruption.received or isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise saver.stop(interruption.received or signal.SIGINT) from None
            exit_code = error.exit_code if isinstance(error, DlregError) else 1
            if isinstance(error, DivergedError):
                run.remove_checkpoint()
            run.set_status("failed", {"error": str(error), "exit_code": exit_code})
            raise
        results = {"seconds": round(time.monotonic() - began, 3), "notes": notes, **vars(outcome)}
        run.set_status("complete", {"finished": _now(), **results})
        run.remove_checkpoint()
    return {"run_dir": str(path), **results}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _facts(config: Config, dataset: Dataset, threads: int | None) -> dict[str, Any]:
    paths = {"path": config.data.path, "test_path": config.data.test_path}
    return {
        "versions": {"dlreg": __version__, "python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        "seed": config.training.seed,
        "data": {
            f"data.{key}": {
                "path": str(path),
                "size": path.stat().st_size,
                "sha256": run_dir.file_sha256(path),
            }
            for key, path in paths.items()
            if path
        },
        "rows": {name: int(part.rows.size) for name, part in dataset.parts.items()},
        "machine": {"system": platform.platform(), "processor": _processor(), "cpu_count": os.cpu_count()},
        "threads": threads,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _make(config: Config, dataset: Dataset, run: RunDir, saver: Saver, listener: Listener) -> Outcome:
    """Trains and writes every file but `run.json`, step by step."""
    from dlreg.commands import train_steps as steps
    from dlreg.model.keras_model import keras_file, summary_of
    from dlreg.training.loop import Hooks
    from dlreg.training.train import train_members

    run.write(run_dir.SPLIT, split_record(dataset, config.data.test_path, members_of(config)))
    prepared = steps.prepare(config, dataset)
    run.write(run_dir.PREPROCESSING, to_json(_describe_prepared(prepared)))
    listener.on_stage("compiling the training loop")
    with saver.looking_after():
        trained = train_members(
            config,
            dataset,
            prepared.preprocessing,
            prepared.variants,
            prepared.x,
            Hooks(_resuming(saver, listener), listener.on_epoch, saver.after_epoch),
        )
    networks = steps.combine(config, dataset, prepared, trained)
    progress = trained.progress
    run.write(run_dir.HISTORY, to_json(_history_record(progress)))
    run.write(run_dir.SUMMARY, summary_of(networks.model).encode())
    run.write(run_dir.MODEL, keras_file(networks.model))
    run.write(run_dir.LOSS_CURVE, _loss_curve(config, progress), hashed=False)
    if progress.diverged:
        raise DivergedError(
            f"the loss is not finite in epoch {len(progress.values)}: training diverged. Try a smaller "
            f"training.learning_rate than {config.training.learning_rate:g}, or training.clip_norm: 1.0"
        )
    listener.on_stage("writing the pipeline")
    built = steps.build_pipeline(dataset, prepared, networks)
    held_out = steps.hold_out(dataset, prepared)
    n_features = prepared.x["train"].shape[1]
    # A large table leaves no room for its preprocessed rows beside its cells, which are now predicted from.
    del prepared
    measured = steps.measure(dataset, networks, built, held_out)
    if networks.y_unseen is not None:
        train = dataset.parts["train"]
        run.write(run_dir.OUT_OF_FOLD, _predictions_table(train.rows, train.y_true, networks.y_unseen))
    test = dataset.parts["test"]
    run.write(run_dir.PIPELINE, built.content)
    run.write(run_dir.INTERVALS, to_json(describe_intervals(built.calibration, built.calibrated_on)))
    run.write(run_dir.METRICS, to_json(measured.metrics))
    run.write(run_dir.PREDICTIONS, _predictions_table(test.rows, test.y_true, measured.y_pred_test))
    return Outcome(
        metrics=measured.metrics,
        epochs=progress.epoch,
        best_epoch=progress.best_epoch,
        best_epochs=progress.best_epochs.tolist(),
        refit_epochs=progress.refit_epochs.tolist(),
        verdict=_verdict(config, progress),
        parameters=networks.n_parameters,
        features=n_features,
    )


def _describe_prepared(prepared: "Prepared") -> dict[str, Any]:
    from dlreg.features.preprocessing import describe
    from dlreg.model.embeddings import describe_embedding

    embeddings = [describe_embedding(variant.network.embedding) for variant in prepared.variants]
    return describe(prepared.preprocessing) | {"embeddings": embeddings}


def _resuming(saver: Saver, listener: Listener) -> Callable[[Checkpoint], Checkpoint | None]:
    def resume_from(template: Checkpoint) -> Checkpoint | None:
        checkpoint = saver.load(template)
        if checkpoint:
            listener.on_note(f"going on after epoch {len(checkpoint.values):,}")
        return checkpoint

    return resume_from


def _predictions_table(rows: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> bytes:
    with io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["row", "y_true", "y_pred"])
        # As Python numbers all at once they would take more memory than the table.
        for start in range(0, len(rows), BLOCK):
            block = slice(start, start + BLOCK)
            columns = (values[block].tolist() for values in (rows, y_true, y_pred))
            writer.writerows(zip(*columns, strict=True))
        text.flush()
        return text.buffer.getvalue()


def _history_record(progress: Progress) -> dict[str, Any]:
    """Keras's `History.history`; `members` holds each of several members', `refit` what came after."""

    def finite(history: Mapping[str, list[float]]) -> dict[str, list[float | None]]:
        return {name: [v if np.isfinite(v) else None for v in values] for name, values in history.items()}

    members = {"members": [finite(member) for member in progress.members]}
    refit = {"refit": finite(progress.refit)} if progress.refit_epoch else {}
    return finite(progress.history) | (members if len(progress.members) > 1 else {}) | refit


def _loss_curve(config: Config, progress: Progress) -> bytes:
    from dlreg.figures.plots import plot_loss, render_figure

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

"""A training that is broken off, however often, ends as if it never had been: the same to the bit.

By default a few kills of one config; `DLREG_LONG_TESTS=1` kills each of five 40 times, and ten times in one
run, and sends signals at 50 moments (about half an hour; `-k plateau` takes one of the five).
"""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load
from support.command_line import run_cli
from support.training import train_on

from dlreg.engine.update_rules import build_optimizer
from dlreg.errors import RunDirError
from dlreg.model.architecture import Network, Variant
from dlreg.model.embeddings import Periodic, fit_embedding
from dlreg.model.initial_weights import initial_weights
from dlreg.runs.checkpoint_file import from_file, to_bytes
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import CHECKPOINT, REQUIRED, RUN
from dlreg.runs.reading import read_any_record
from dlreg.table.splits import leaving_out, rows_per_epoch
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.members import plan_members, training_rows
from dlreg.training.progress import EarlyStopping, Plateau, Refit
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import TrainingRows, padded_rows, shuffled_rows

LONG = bool(os.environ.get("DLREG_LONG_TESTS"))
N_ROWS, BATCH_SIZE, EPOCHS = 50, 16, 9
STEPS = -(-N_ROWS // BATCH_SIZE)
ORIGIN = {"config": "a", "data": {"data.path": "b"}, "versions": {"dlreg": "1"}}
NOWHERE = Path("checkpoint.safetensors")


class KilledError(Exception):
    """Stands for the end of the process."""


def make_rows(n_rows, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 4)).astype(np.float32)
    y = x[:, :1] * 1.5 - np.sin(2 * x[:, 1:2]) + 0.3 * generator.normal(size=(n_rows, 1))
    return TrainingRows(x, y.astype(np.float32))


TRAIN, VALIDATION = make_rows(N_ROWS, 1), make_rows(20, 2)
LEARNT = {"parametric_activation": True, "feature_scale": True, "initializer": "he_normal"}
PLAIN = {"network": Network(4, [6, 5]), "members": 1, "optimizer": build_optimizer("adam")}
TWO_VARIANTS = {
    "variants": [
        Variant(Network(4, [6], "mish", embedding=Periodic(3), **LEARNT), 3),
        Variant(
            Network(
                4, [6], "mish", embedding=fit_embedding("piecewise_linear", TRAIN.x), dropout=0.2, **LEARNT
            ),
            3,
        ),
    ],
    "members": 6,
    "folds": leaving_out(np.split(np.arange(48), 3)),
}
CASES = {
    "dropout": {"network": Network(4, [6, 5], dropout=0.3)},
    "batch norm, rmsprop": {
        "network": Network(4, [6, 5], batch_norm=True),
        "optimizer": build_optimizer("rmsprop", momentum=0.5),
    },
    "early stopping": {"early_stopping": EarlyStopping(patience=2), "learning_rate": 0.2, "epochs": 30},
    "plateau": {"plateau": Plateau(patience=1, factor=0.5), "learning_rate": 0.1},
    "cosine, adamw, three members": {
        "members": 3,
        "optimizer": build_optimizer("adamw", weight_decay=0.1, clip_norm=1.0),
        "schedule": "cosine",
        "learning_rate": 0.2,
        "early_stopping": EarlyStopping(patience=3),
    },
    "members that share weights": {
        "network": Network(4, [6, 5], dropout=0.3, shared_members=3),
        "members": 2,
    },
    "members with values of their own": {
        "network": Network(4, [6, 5], dropout=0.4),
        "members": 3,
        "folds": leaving_out(np.split(np.arange(48), 3)),
        "optimizer": build_optimizer("adam", weight_decay=(0.0, 0.1, 1.0)),
        "member_dropout": np.array([0.0, 0.1, 0.4]),
        "rate_factors": np.array([1.0, 0.1, 3.0]),
        "refit": Refit(0.7, 0.1),
    },
    "sgd, no validation": {"optimizer": build_optimizer("sgd"), "validation": make_rows(0, 1)},
    "more parameters than are packed": {"network": Network(4, [130, 130]), "epochs": 4},
    "two variants of three folds": TWO_VARIANTS,
    "refitting": {**TWO_VARIANTS, "learning_rate": 0.2, "epochs": 9, "refit": Refit(0.7, 0.1)},
    "averaged, muon, refitting": {
        "network": Network(4, [6, 5], batch_norm=True),
        "members": 3,
        "folds": leaving_out(np.split(np.arange(48), 3)),
        "optimizer": build_optimizer("muon", ema_momentum=0.9, clip_norm=1.0),
        "epochs": 6,
        "refit": Refit(0.7, 0.1),
    },
    "refitting after early stopping": {
        **TWO_VARIANTS,
        "variants": [Variant(Network(4, [6], batch_norm=True, dropout=share), 3) for share in (0.0, 0.2)],
        "learning_rate": 0.1,
        "epochs": 30,
        "early_stopping": EarlyStopping(patience=3),
        "refit": Refit(0.5, 0.1),
    },
}


def train(case, *, content=None, stop_after=None, epochs=None, origin=ORIGIN):
    """What `fit` returns, and the file of each epoch's checkpoint; with `stop_after` the files alone."""
    case = {**PLAIN, "learning_rate": 0.03, "epochs": EPOCHS, **case}
    files = []
    variants = case.get("variants", [Variant(case["network"], case["members"])])
    folds = case.get("folds", [])
    members = plan_members(range(len(variants)), variants[0].n_members // (len(folds) or 1), len(folds))
    # Members that share weights meet rows in an order of their own each.
    visiting = [member for member in members for _ in range(variants[0].network.shared_members)]
    epochs = epochs or case["epochs"]

    def after_epoch(take):
        files.append(to_bytes(take(), origin))
        if stop_after and len(files) >= stop_after:
            raise KilledError

    def resume_from(like):
        if content is None:
            return None
        return from_bytes(content, like, 2 * epochs)

    schedule = build_schedule(
        case.get("schedule", "constant"), case["learning_rate"], epochs=epochs, steps_per_epoch=STEPS
    )
    try:
        weights, validated, progress, _ = train_on(
            TRAIN,
            TRAIN if folds else case.get("validation", VALIDATION),
            variants=variants,
            initial=[
                weights
                for variant in variants
                for weights in initial_weights(variant.network, 3, variant.n_members)
            ],
            optimizer=case["optimizer"],
            schedule=schedule,
            epochs=epochs,
            batch_size=BATCH_SIZE,
            seed=5,
            n_rows=rows_per_epoch(N_ROWS, folds),
            order_of_rows=shuffled_rows(training_rows(visiting, N_ROWS, folds), 5),
            refit=case.get("refit"),
            validation_rows=padded_rows([folds[member.fold].validation for member in members])
            if folds
            else None,
            metrics={"mae": lambda a, b: abs(a - b)},
            early_stopping=case.get("early_stopping"),
            plateau=case.get("plateau"),
            member_dropout=case.get("member_dropout"),
            rate_factors=case.get("rate_factors"),
            resume_from=resume_from,
            after_epoch=after_epoch,
        )
    except KilledError:
        return None, None, files
    return [*weights, *validated], progress, files


def from_bytes(content, like, epochs=EPOCHS):
    return from_file(io.BytesIO(content), len(content), like, ORIGIN, epochs=epochs, path=NOWHERE)


def assert_same(first, second):
    (weights, progress, _), (other_weights, other_progress, _) = first, second
    for one, other in zip(weights, other_weights, strict=True):
        for ours, theirs in zip(
            [*one.parameters, *one.statistics], [*other.parameters, *other.statistics], strict=True
        ):
            assert ours.tobytes() == theirs.tobytes()
    assert np.array(progress.values).tobytes() == np.array(other_progress.values).tobytes()
    for name in ("history", "members", "refit", "epoch", "best_epoch", "diverged", "finished"):
        assert getattr(progress, name) == getattr(other_progress, name), name
    for name in ("best_epochs", "refit_epochs", "is_training", "slowdown"):
        assert (getattr(progress, name) == getattr(other_progress, name)).all(), name


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_going_on_after_any_epoch_ends_as_without_a_break(case):
    whole = train(case)
    assert len(whole[1].values) == len(whole[2])
    for content in whole[2][::2] if len(whole[2]) > 4 else whole[2]:
        assert_same(train(case, content=content), whole)


def test_rules_that_count_epochs_are_at_work_in_the_cases():
    assert train(CASES["early stopping"])[1].epoch < 30
    assert train(CASES["plateau"])[1].slowdown[0] < 1
    assert len(set(train(CASES["cosine, adamw, three members"])[1].best_epochs)) > 1
    progress = train(CASES["refitting after early stopping"])[1]
    assert progress.epoch < 30
    assert len(set(progress.refit_epochs)) > 1
    assert progress.refit_epoch == max(progress.refit_epochs) > 1


def test_a_training_broken_off_after_every_epoch_ends_as_without_a_break():
    case = {**CASES["dropout"], "epochs": 11}
    whole, content = train(case), None
    for _ in range(10):
        _, progress, files = train(case, content=content, stop_after=1)
        assert progress is None
        content = files[-1]
    assert_same(train(case, content=content), whole)


def test_more_epochs_are_those_of_a_longer_training():
    case = CASES["plateau"]
    content = train(case)[2][-1]
    assert_same(train(case, content=content, epochs=14), train(case, epochs=14))


def test_a_diverged_epoch_makes_no_checkpoint():
    _, progress, files = train({"optimizer": build_optimizer("sgd"), "learning_rate": 1e6, "epochs": 30})
    assert progress.diverged
    assert len(files) == progress.epoch - 1


@pytest.fixture(scope="module")
def written():
    """The file after the fourth epoch, and what it holds."""
    content = train({}, stop_after=4)[2][-1]
    arrays = load(content)
    return content, Checkpoint(arrays, arrays.pop("values"))


def test_a_checkpoint_whose_losses_are_no_numbers_is_refused(written):
    checkpoint = written[1]
    content = to_bytes(checkpoint._replace(values=checkpoint.values * np.nan), ORIGIN)
    with pytest.raises(RunDirError) as raised:
        train({}, content=content)
    assert len(str(raised.value)) < 400


def test_epochs_beyond_the_end_of_a_training_are_refused(written):
    rules = {"early_stopping": EarlyStopping(patience=1, min_delta=1e9)}
    with pytest.raises(RunDirError, match="training ends after epoch 2 of the 4"):
        train(rules, content=written[0])


# ---------------------------------------------------------------- the command line

TINY = """\
data: {path: table.csv, target: y}
model: {hidden_layers: [8, 8], dropout: 0.1, ensemble: 2}
training: {epochs: 6000, batch_size: 32, early_stopping: null, optimizer: adamw}
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a table, a config whose training takes a few seconds, and its run `whole`."""
    folder = tmp_path_factory.mktemp("resume")
    rows = make_rows(600, 3)
    table = np.column_stack([*rows])
    np.savetxt(folder / "table.csv", table, delimiter=",", header="a,b,c,d,y", comments="", fmt="%.6g")
    (folder / "config.yaml").write_text(TINY)
    done = run_cli("train", "config.yaml", "--run-dir", "whole", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def stopped(work):
    """The run that SIGINT stopped, and what was said; nobody goes on with it but with copies."""
    process = start_training(work, "config.yaml", "--run-dir", "stopped dir", "--resume")
    wait_for(work / "stopped dir" / "checkpoint.safetensors", process)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=20)
    return work / "stopped dir", process.returncode, errors, time.monotonic() - began


def start_training(folder, *arguments):
    command = [sys.executable, "-m", "dlreg", "train", *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_for(file, process):
    deadline = time.monotonic() + 90
    while not file.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for_news(file, seconds):
    """Waits until a file is written anew, or the time is over."""
    before, deadline = written_at(file), time.monotonic() + seconds
    while written_at(file) == before and time.monotonic() < deadline:
        time.sleep(0.005)


def written_at(file):
    return file.stat().st_mtime_ns if file.exists() else 0


def assert_same_run(path, whole):
    """All files are the same to the bit, but run.json; and nothing else is there."""
    names = {entry.name for entry in path.iterdir()} - {CHECKPOINT}
    assert names == {entry.name for entry in whole.iterdir()} > REQUIRED
    for name in sorted(names - {RUN}):
        assert (path / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_signal_ends_it_soon_with_a_checkpoint_and_says_how_to_go_on(stopped):
    path, code, errors, seconds = stopped
    assert code == 130
    assert seconds < 5
    assert "Traceback" not in errors
    last = errors.splitlines()[-1]
    assert (
        last == "error: stopped dir: training was interrupted. Go on with: dlreg train 'stopped dir' --resume"
    )
    assert json.loads((path / "run.json").read_text())["status"] == "interrupted"
    assert (path / "checkpoint.safetensors").exists()


# Trainings of a second or two, each with something that a resume could lose.
KILLED = {
    "dropout": """
model: {hidden_layers: [8, 8], dropout: 0.2}
training: {epochs: 900, early_stopping: null}
""",
    "batch norm": """
model: {hidden_layers: [8, 8], batch_norm: true}
training: {epochs: 900, early_stopping: null, optimizer: rmsprop, momentum: 0.5}
""",
    "early stopping": """
model: {hidden_layers: [8, 8]}
training: {epochs: 100000, learning_rate: 0.0003, early_stopping: {patience: 30}}
""",
    "plateau": """
model: {hidden_layers: [8, 8]}
training: {epochs: 900, early_stopping: null, schedule: {name: plateau, patience: 20, factor: 0.7}}
""",
    "cosine, adamw, averaged, ensemble": """
model: {hidden_layers: [8, 8], dropout: 0.1, ensemble: 3}
training: {epochs: 900, optimizer: adamw, weight_decay: 0.01, clip_norm: 1.0, ema_momentum: 0.99,
  schedule: {name: cosine, warmup_epochs: 5}, early_stopping: {patience: 600}}
""",
    "refit": """
model: {hidden_layers: [8, 8], dropout: 0.1, blend: [ridge, trees]}
training: {epochs: 500, validation_split: 0, cross_validation: 3, early_stopping: {patience: 300},
  refit: {epochs_fraction: 1.5}}
""",
}
KILLED["refit, from disk"] = KILLED["refit"]


@pytest.fixture(scope="module", params=list(KILLED) if LONG else ["refit", "refit, from disk"])
def killed(request, work, tmp_path_factory, forks):
    """A folder with a config and its run `whole`."""
    folder = tmp_path_factory.mktemp("killed")
    shutil.copy(work / "table.csv", folder)
    cache = "kept" if request.param.endswith("from disk") else "memory"
    data = f"data: {{path: table.csv, target: y, cache: {cache}}}"
    (folder / "config.yaml").write_text(data + KILLED[request.param])
    done = forks.run("train", "config.yaml", "--run-dir", "whole", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def is_complete(path) -> bool:
    try:
        return json.loads((path / "run.json").read_text())["status"] == "complete"
    except FileNotFoundError:
        return False


def test_random_kills_change_nothing(killed, forks):
    generator, kills, path = random.Random(killed.name), 0, killed / "run"
    while kills < (40 if LONG else 3):
        pid = forks.start("train", "config.yaml", "--run-dir", "run", "--resume", cwd=killed)
        if generator.random() < 0.5:
            wait_for_news(path / "checkpoint.safetensors", 2)
        time.sleep(generator.uniform(0, 2.5))
        os.kill(pid, signal.SIGKILL)
        ended = forks.wait()
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        kills += ended.returncode != 0
        if is_complete(path):
            assert_same_run(path, killed / "whole")
            shutil.rmtree(path)
    done = forks.run("train", "config.yaml", "--run-dir", "run", "--resume", cwd=killed)
    assert done.returncode == 0, done.stderr
    assert_same_run(path, killed / "whole")
    shutil.rmtree(path)


def test_ten_kills_in_one_run_change_nothing(killed, forks):
    path, epochs = killed / "run", []
    for _ in range(10 if LONG else 4):
        pid = forks.start("train", "config.yaml", "--run-dir", "run", "--resume", cwd=killed)
        wait_for_news(path / "checkpoint.safetensors", 30)
        os.kill(pid, signal.SIGKILL)
        assert forks.wait().returncode == -signal.SIGKILL
        epochs.append(len(load((path / "checkpoint.safetensors").read_bytes())["values"]))
    assert epochs == sorted(set(epochs)), "each went on where the last one was killed"
    done = forks.run("train", "config.yaml", "--run-dir", "run", "--resume", cwd=killed)
    assert done.returncode == 0, done.stderr
    assert f"going on after epoch {epochs[-1]:,}" in done.stderr
    assert_same_run(path, killed / "whole")


def test_kills_of_the_command_itself_change_nothing(work):
    path, generator = work / "killed", random.Random(7)
    for _ in range(10 if LONG else 1):
        process = start_training(work, "config.yaml", "--run-dir", "killed", "--resume")
        if LONG:
            time.sleep(generator.uniform(0, 12))
        else:
            wait_for(path / "checkpoint.safetensors", process)
        process.kill()
        process.communicate()
    done = run_cli("train", "config.yaml", "--run-dir", "killed", "--resume", cwd=work)
    assert done.returncode == 0, done.stderr
    assert_same_run(path, work / "whole")


def test_a_stopped_run_goes_on_by_its_directory_alone(work, stopped):
    shutil.copytree(stopped[0], work / "copy")
    (work / "config.yaml").rename(work / "aside.yaml")
    done = run_cli("train", "copy", "--resume", "--json", cwd=work)
    (work / "aside.yaml").rename(work / "config.yaml")
    assert done.returncode == 0, done.stderr
    assert_same_run(work / "copy", work / "whole")


def test_a_complete_run_says_so(work, cli):
    done = cli("train", "config.yaml", "--run-dir", "whole", "--resume", cwd=work)
    assert (done.returncode, done.stderr) == (0, "note: the run is complete already\n")
    assert "best of 6,000 epochs" in done.stdout
    done = cli("train", "whole", "--resume", "--json", cwd=work)
    summary = json.loads(done.stdout)
    record = json.loads((work / "whole" / "run.json").read_text())
    assert set(summary) - {"schema_version", "run_dir", "gates"} < set(record)
    assert all(summary[name] == record[name] for name in ("metrics", "epochs", "verdict", "seconds", "notes"))
    done = cli("train", "whole", "--resume", "--quiet", cwd=work)
    assert (done.returncode, done.stdout) == (0, "whole\n")


# Steps so large that an operation takes several threads, which round sums otherwise than one.
WIDE = """\
data: {path: wide.csv, target: y}
model: {hidden_layers: [256, 256]}
training: {epochs: 8, batch_size: 3000, early_stopping: null}
"""
CORES = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []
two_cores = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores")


@pytest.fixture(scope="module")
def wide(tmp_path_factory, forks):
    """A folder with runs that one core and two made, each of which took the threads by itself."""
    folder = tmp_path_factory.mktemp("wide")
    table = np.column_stack([*make_rows(6000, 5)])
    np.savetxt(folder / "wide.csv", table, delimiter=",", header="a,b,c,d,y", comments="", fmt="%.6g")
    (folder / "config.yaml").write_text(WIDE)
    for n_cores in (1, 2):
        done = forks.run(
            "train", "config.yaml", "--run-dir", f"whole{n_cores}", cwd=folder, cores=CORES[:n_cores]
        )
        assert done.returncode == 0, done.stderr
        assert read_any_record(folder / f"whole{n_cores}")["threads"] == n_cores
    assert (folder / "whole1" / "history.json").read_bytes() != (
        folder / "whole2" / "history.json"
    ).read_bytes()
    return folder


def kill_after_checkpoints(wide, forks, path, n_checkpoints, cores):
    process = forks.start("train", "config.yaml", "--run-dir", path, cwd=wide, pause=0, cores=cores)
    for _ in range(n_checkpoints):
        wait_for_news(path / CHECKPOINT, 20)
    os.kill(process, signal.SIGKILL)
    assert forks.wait().returncode == -signal.SIGKILL
    assert (path / CHECKPOINT).exists()


@two_cores
@pytest.mark.parametrize("n_checkpoints", [1, 3, 5, 7] if LONG else [2])
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_run_goes_on_as_it_began_whatever_the_cores(wide, forks, tmp_path, before, after, n_checkpoints):
    for number in range(5 if LONG else 1):
        path = tmp_path / f"run{number}"
        kill_after_checkpoints(wide, forks, path, n_checkpoints, CORES[:before])
        done = forks.run("train", path, "--resume", cwd=wide, cores=CORES[:after])
        assert done.returncode == 0, done.stderr
        assert (
            f"going on with run.threads {before}, as the run began; here it would be {after}" in done.stderr
        )
        assert_same_run(path, wide / f"whole{before}")


@two_cores
def test_another_number_of_threads_is_refused_with_the_way_on(wide, forks, tmp_path):
    path = tmp_path / "run"
    kill_after_checkpoints(wide, forks, path, 2, CORES)
    refused = forks.run("train", path, "--resume", "--set", "run.threads=1", cwd=wide)
    assert refused.returncode == 5
    assert "run.threads was 2, now it is 1" in refused.stderr
    assert "Go on with --set run.threads=2" in refused.stderr
    done = forks.run("train", path, "--resume", "--set", "run.threads=2", cwd=wide, cores=CORES[:1])
    assert done.returncode == 0, done.stderr
    for name in ("history.json", "pipeline.onnx", "predictions.csv"):
        assert (path / name).read_bytes() == (wide / "whole2" / name).read_bytes(), name
    again = forks.run("train", path, "--resume", "--set", "run.threads=1", cwd=wide)
    assert (again.returncode, "run.threads was 2, now it is 1" in again.stderr) == (5, True)


REFUSED = {
    "a key": (["--set", "training.learning_rate=0.5"], 5, ["training.learning_rate was 0.001, now it is 0.5"]),
    "two keys": (
        ["--set", "model.dropout=0", "--set", "training.seed=1"],
        5,
        ["model.dropout was 0.1, now it is 0.0", "training.seed was 42, now it is 1"],
    ),
    "another table": (["--data", "other.csv"], 5, ["data.path was"]),
    "fewer epochs": (["--set", "training.epochs=1"], 5, ["training.epochs was 6000, now it is 1"]),
    "cosine": (["--set", "training.schedule=cosine"], 5, ['training.schedule.name was "constant"']),
    "overwrite": (["--overwrite"], 2, ["--resume", "--overwrite"]),
    "two directories": (["--run-dir", "whole"], 2, ["not both"]),
}  # fmt: skip


@pytest.mark.parametrize(("options", "code", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_changed_is_refused_by_name(work, stopped, tmp_path, cli, options, code, fragments):
    shutil.copy(work / "table.csv", work / "other.csv")
    path = shutil.copytree(stopped[0], tmp_path / "run")
    before = {entry.name: entry.read_bytes() for entry in path.iterdir() if entry.name != "run.json"}
    done = cli("train", path, "--resume", *options, cwd=work)
    assert done.returncode == code, done.stderr
    for fragment in fragments:
        assert fragment in done.stderr
    after = {entry.name: entry.read_bytes() for entry in path.iterdir() if entry.name in before}
    assert after == before


def rewrite_record(path, **changes):
    with open_run_dir(path, resume=True) as run:
        record = read_any_record(path)
        run.record = record
        run.set_status(changes.pop("status", record["status"]), changes)


def test_changed_data_and_versions_are_refused(work, stopped, tmp_path, cli):
    path = shutil.copytree(stopped[0], tmp_path / "run")
    record = read_any_record(path)
    rewrite_record(path, versions={**record["versions"], "tensorflow": "2.20.0", "python": "3.9"})
    done = cli("train", path, "--resume", cwd=work)
    assert (done.returncode, "the run began with tensorflow 2.20.0, this is" in done.stderr) == (5, True)
    assert "python" not in done.stderr
    entry = {**record["data"]["data.path"], "sha256": "0" * 64}
    rewrite_record(path, versions=record["versions"], data={"data.path": entry})
    done = cli("train", path, "--resume", cwd=work)
    assert done.returncode == 5
    assert "table.csv: data.path: the file has changed since the run began" in done.stderr


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("pipe", 0, "expected a plain file"),
        ("/dev/zero", 0, "expected a plain file"),
        ("/proc/self/environ", 0, "expected a plain file"),
        ("/etc/passwd", None, "the file has changed since the run began"),
        ("/" + "x" * 5000, 1, "is gone"),
        ("folder", 0, "is gone"),
    ],
    ids=["pipe", "device", "environment", "guess", "long name", "folder"],
)
def test_a_strangers_unfinished_run_reads_no_data_but_its_own(
    work, stopped, tmp_path, cli, monkeypatch, name, size, said
):
    path = shutil.copytree(stopped[0], tmp_path / "run")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    file = tmp_path / name
    config = (path / "config.yaml").read_text().replace(str(work / "table.csv"), str(file))
    (path / "config.yaml").write_text(config)
    entry = {"path": str(file), "size": file.stat().st_size if size is None else size, "sha256": "0" * 64}
    rewrite_record(path, data={"data.path": entry})
    monkeypatch.setattr("dlreg.table.csv_scan.open_csv", lambda path: pytest.fail(f"opened {path}"))
    done = cli("train", path, "--resume", cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (5, True), done.stderr
    assert "root:" not in done.stderr


def test_a_checkpoint_that_a_kill_left_in_a_complete_run_is_removed(work, tmp_path, cli):
    path = shutil.copytree(work / "whole", tmp_path / "run")
    (path / "checkpoint.safetensors").write_bytes(b"left")
    assert cli("train", path, "--resume", cwd=work).returncode == 0
    assert not (path / "checkpoint.safetensors").exists()


def test_a_diverged_run_is_not_tried_again(work, stopped, tmp_path, cli):
    path = shutil.copytree(stopped[0], tmp_path / "run")
    rewrite_record(path, status="failed", exit_code=7)
    done = cli("train", path, "--resume", cwd=work)
    assert (done.returncode, "the run diverged" in done.stderr) == (7, True)


def test_a_checkpoint_too_large_or_no_file_is_refused(work, stopped, tmp_path, cli):
    path = shutil.copytree(stopped[0], tmp_path / "run")
    file = path / "checkpoint.safetensors"
    with file.open("r+b") as opened:
        opened.truncate(1 << 40)
    for fragment in ("not whole", "plain file"):
        done = cli("train", path, "--resume", cwd=work)
        assert (done.returncode, fragment in done.stderr) == (5, True), done.stderr
        assert f"{file}: " in done.stderr
        file.unlink(missing_ok=True)
        if fragment == "not whole":
            file.symlink_to("/dev/zero")


COMMAND = Path(sys.executable).with_name("dlreg")
# From the start of the interpreter to the end of the run, in shares of the time a run takes.
MOMENTS = [number / 50 for number in range(50)] if LONG else [0.01, 0.1, 0.4]


@pytest.fixture(scope="module")
def seconds_of_a_run(killed):
    """How long the command takes, from nothing to the end."""
    began = time.monotonic()
    done = subprocess.run([COMMAND, "train", "config.yaml", "--run-dir", "timed"], cwd=killed, check=False)
    assert done.returncode == 0
    return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_signal_at_any_moment_leaves_nothing_or_a_run_that_goes_on(
    killed, forks, tmp_path, seconds_of_a_run, moment, number
):
    if (round(moment * 50) + number) % 2:
        pytest.skip("the other signal's moment")
    path = tmp_path / "run"
    process = subprocess.Popen(
        [COMMAND, "train", "config.yaml", "--run-dir", path],
        cwd=killed,
        stderr=subprocess.PIPE,
        text=True,
        # In the background of a script it would be ignored until Python is up.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(moment * seconds_of_a_run)
    ended = process.poll() is not None
    process.send_signal(number)
    began = time.monotonic()
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    # Python itself may not be up yet; a shell sees the same number.
    assert process.returncode == 0 if ended else process.returncode in (128 + number, -number), errors
    if moment > 0.02:
        assert "Traceback" not in errors
    if path.exists():
        done = forks.run("train", "config.yaml", "--run-dir", path, "--resume", cwd=killed)
        assert done.returncode == 0, done.stderr
        assert_same_run(path, killed / "whole")
    else:
        assert list(tmp_path.iterdir()) == []


def test_a_run_directory_without_a_config_is_told_apart(work, tmp_path, cli):
    done = cli("train", tmp_path, "--resume", cwd=work)
    assert (done.returncode, "nothing to resume" in done.stderr) == (5, True)
    done = cli("train", "config.yaml", "--resume", cwd=work)
    assert (done.returncode, "which run" in done.stderr) == (2, True)

"""A training that is broken off, however often, ends as if it never had been: the same to the bit.

`DLREG_LONG_TESTS=1` kills the real command line 200 times instead of three.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run_cli
from safetensors.numpy import load, save

from dlreg import run_dir, training
from dlreg.checkpoint import Checkpoint, from_bytes, max_file_bytes, to_bytes
from dlreg.errors import RunDirError
from dlreg.model import initial_weights
from dlreg.network import Network
from dlreg.optimizers import build_optimizer
from dlreg.progress import EarlyStopping, Plateau
from dlreg.schedules import build_schedule
from dlreg.training import Rows, fit, shuffled_rows

LONG = bool(os.environ.get("DLREG_LONG_TESTS"))
N_ROWS, BATCH_SIZE, EPOCHS = 50, 16, 9
STEPS = -(-N_ROWS // BATCH_SIZE)
ORIGIN = {"config": "a", "data": {"data.path": "b"}, "versions": {"dlreg": "1"}}
NOWHERE = Path("checkpoint.safetensors")


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module", autouse=True)
def _compiled_once():
    """Programs are compiled once for each network and optimizer, not for each training."""
    programs, compile_epoch = {}, training.compile_epoch

    def compile_or_reuse(network, optimizer, *arguments, **options):
        key = (repr(network), id(optimizer), *options.items())
        if key not in programs:
            programs[key] = compile_epoch(network, optimizer, *arguments, **options), optimizer
        return programs[key][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "compile_epoch", compile_or_reuse)
        yield


def make_rows(n_rows, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 4)).astype(np.float32)
    y = x[:, :1] * 1.5 - np.sin(2 * x[:, 1:2]) + 0.3 * generator.normal(size=(n_rows, 1))
    return Rows(x, y.astype(np.float32))


TRAIN, VALIDATION = make_rows(N_ROWS, 1), make_rows(20, 2)
PLAIN = {"network": Network(4, [6, 5]), "members": 1, "optimizer": build_optimizer("adam")}
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
    "sgd, no validation": {"optimizer": build_optimizer("sgd"), "validation": make_rows(0, 1)},
    "more parameters than are packed": {"network": Network(4, [130, 130]), "epochs": 4},
}


def train(case, *, content=None, stop_after=None, epochs=None, origin=ORIGIN):
    """What `fit` returns, and the file of each epoch's checkpoint; with `stop_after` the files alone."""
    case = {**PLAIN, "learning_rate": 0.03, "epochs": EPOCHS, **case}
    network, files = case["network"], []
    epochs = epochs or case["epochs"]

    def keep(take):
        files.append(to_bytes(take(), origin))
        if stop_after and len(files) >= stop_after:
            raise Killed

    def start(like):
        if content is None:
            return None
        assert len(content) <= max_file_bytes(like)
        return from_bytes(content, like, ORIGIN, epochs=epochs, path=NOWHERE)

    schedule = build_schedule(
        case.get("schedule", "constant"), case["learning_rate"], epochs=epochs, steps_per_epoch=STEPS
    )
    try:
        weights, progress = fit(
            network,
            initial_weights(network, 3, case["members"]),
            case["optimizer"],
            schedule,
            "mse",
            TRAIN,
            case.get("validation", VALIDATION),
            epochs=epochs,
            batch_size=BATCH_SIZE,
            seed=5,
            order_of_rows=shuffled_rows(N_ROWS, 5),
            metrics={"mae": lambda a, b: abs(a - b)},
            early_stopping=case.get("early_stopping"),
            plateau=case.get("plateau"),
            start=start,
            keep=keep,
        )
    except Killed:
        return None, None, files
    return weights, progress, files


def assert_same(first, second):
    (weights, progress, _), (other_weights, other_progress, _) = first, second
    for one, other in zip(weights, other_weights, strict=True):
        for ours, theirs in zip(
            [*one.parameters, *one.statistics], [*other.parameters, *other.statistics], strict=True
        ):
            assert ours.tobytes() == theirs.tobytes()
    assert np.array(progress.values).tobytes() == np.array(other_progress.values).tobytes()
    for name in ("history", "members", "epoch", "best_epoch", "diverged", "finished"):
        assert getattr(progress, name) == getattr(other_progress, name), name
    for name in ("best_epochs", "is_training", "slowdown"):
        assert (getattr(progress, name) == getattr(other_progress, name)).all(), name


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_going_on_after_any_epoch_ends_as_without_a_break(case):
    whole = train(case)
    assert whole[1].epoch == len(whole[2])
    for content in whole[2][::2] if len(whole[2]) > 4 else whole[2]:
        assert_same(train(case, content=content), whole)


def test_rules_that_count_epochs_are_at_work_in_the_cases():
    assert train(CASES["early stopping"])[1].epoch < 30
    assert train(CASES["plateau"])[1].slowdown[0] < 1
    assert len(set(train(CASES["cosine, adamw, three members"])[1].best_epochs)) > 1


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


# ---------------------------------------------------------------- files that a stranger may have written


@pytest.fixture(scope="module")
def written():
    """The file after the fourth epoch, and what it holds."""
    content = train({}, stop_after=4)[2][-1]
    arrays = load(content)
    return content, Checkpoint(arrays, arrays.pop("values"))


def with_tensor(checkpoint, name, value):
    return checkpoint._replace(tensors={**checkpoint.tensors, name: value})


def header_of(content):
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def with_header(content, change):
    header, data = header_of(content)
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def bend(name, key, value):
    return lambda content, _: with_header(content, lambda header: header[name].__setitem__(key, value))


FIRST = "parameters.0"
HOSTILE = {
    "nothing": lambda content, _: b"",
    "four bytes": lambda content, _: content[:4],
    "cut short": lambda content, _: content[:-7],
    "cut in the header": lambda content, _: content[:100],
    "longer": lambda content, _: content + b"\0" * 8,
    "another format": lambda content, _: b"PK\x03\x04" + content,
    "a header beyond the file": lambda content, _: (1 << 40).to_bytes(8, "little") + content[8:],
    "a negative header": lambda content, _: b"\xff" * 8 + content[8:],
    "a huge header": lambda content, _: (2 << 20).to_bytes(8, "little") + b" " * (2 << 20) + content,
    "a nested header": lambda content, _: (50_000).to_bytes(8, "little") + b"[" * 50_000,
    "a list for a header": lambda content, _: (2).to_bytes(8, "little") + b"[]",
    "no metadata": lambda content, c: save({**c.tensors, "values": c.values}),
    "metadata of others": lambda content, c: save({**c.tensors, "values": c.values}, {"dlreg": "[1]"}),
    "a shape that lies": bend(FIRST, "shape", [2**31, 2**31]),
    "a shape of no numbers": bend(FIRST, "shape", [0, 2**62]),
    "a shape of text": bend(FIRST, "shape", "46"),
    "another dtype": bend(FIRST, "dtype", "F16"),
    "no dtype": bend(FIRST, "dtype", None),
    "offsets beyond the file": bend(FIRST, "data_offsets", [0, 1 << 50]),
    "offsets of another": bend(FIRST, "data_offsets", [0, 96]),
    "no tensor": lambda content, _: with_header(content, lambda header: header.pop(FIRST)),
    "one tensor more": lambda _, c: to_bytes(with_tensor(c, "evil", np.zeros(3, np.float32)), ORIGIN),
    "a wrong shape": lambda _, c: to_bytes(with_tensor(c, FIRST, np.zeros((6, 4), np.float32)), ORIGIN),
    "double precision": lambda _, c: to_bytes(with_tensor(c, FIRST, np.zeros((4, 6))), ORIGIN),
    "not a number": lambda _, c: to_bytes(with_tensor(c, FIRST, np.full((4, 6), np.nan, np.float32)), ORIGIN),
    "an infinite slot": lambda _, c: to_bytes(with_tensor(c, "slots.1.0", np.full((4, 6), np.inf, np.float32)), ORIGIN),
    "a loss that is no number": lambda _, c: to_bytes(c._replace(values=c.values * np.nan), ORIGIN),
    "no epochs": lambda _, c: to_bytes(c._replace(values=c.values[:0]), ORIGIN),
    "values of another network": lambda _, c: to_bytes(c._replace(values=c.values[:, :3]), ORIGIN),
    "another run": lambda _, c: to_bytes(c, {**ORIGIN, "config": "z"}),
    "more epochs than asked for": lambda _, c: to_bytes(c._replace(values=np.repeat(c.values, 9, 0)), ORIGIN),
}  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_is_no_checkpoint_of_this_training_is_refused(written, make):
    with pytest.raises(RunDirError) as raised:
        train({}, content=bytes(make(*written)))
    assert len(str(raised.value)) < 400


def test_every_flipped_bit_is_noticed(written):
    content, like = written
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        with pytest.raises(RunDirError):
            from_bytes(bytes(changed), like, ORIGIN, epochs=EPOCHS, path=NOWHERE)


def test_epochs_beyond_the_end_of_a_training_are_refused(written):
    rules = {"early_stopping": EarlyStopping(patience=1, min_delta=1e9)}
    with pytest.raises(RunDirError, match="training ends after epoch 2 of the 4"):
        train(rules, content=written[0])

"""Adds small runs of this version to the corpus, which every later version has to read to the same numbers.

    python tests/corpus/add_version.py                # at a release: as tests/corpus/VERSION, for ever
    python tests/corpus/add_version.py --unreleased   # before one: as tests/corpus/unreleased, anew each time

Each run has a folder: its table, `inputs.csv` with new rows, the run directory without its figures, what it
predicts for the new rows (`expected.csv`), and its metrics and importances (`expected.json`).
`tests/end_to_end/test_old_runs.py` opens them all.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml
from onnxruntime import InferenceSession

from dlreg import __version__
from dlreg.config.presets import PRESETS
from dlreg.processor import read_cpuinfo
from dlreg.runs.names import FIGURES, PIPELINE

CORPUS = Path(__file__).parent
HASHES = CORPUS / "versions.json"
UNRELEASED = "unreleased"
TARGET = "minutes"
N_NEW = 12
DATES = {
    "european": "%d/%m/%Y %H:%M",
    "packed": "%Y%m%d%H%M%S",
    "short": {"format": "%d.%m.%y", "latest": 2026},
    "named": "%d-%b-%Y",
    "twelve": "%A, %d %B %Y %I:%M:%S %p",
    "ordinal day": "%Y/%j",
    "moment": "%Y-%m-%dT%H:%M:%S%z",
    "clock": "%H:%M",
    "seconds": "epoch_seconds",
    "milliseconds": "epoch_milliseconds",
}


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers alone, some of them missing."""
    return frame[["distance", "passengers", "wind", TARGET]]


def kinds(frame: pd.DataFrame) -> pd.DataFrame:
    """Each kind of column, with a unit, missing cells, levels that differ in case, and many levels."""
    return frame.drop(columns="moment")


def dates(frame: pd.DataFrame) -> pd.DataFrame:
    """The same moments in many formats."""
    moments = frame["moment"]
    texts = {
        name: moments.dt.strftime(given if isinstance(given, str) else given["format"])
        for name, given in DATES.items()
    }
    seconds = (moments - pd.Timestamp(0)) // pd.Timedelta("1s")
    offsets = np.where(frame["passengers"] > 2, "+01:00", "Z")
    others = {
        "moment": texts["moment"] + offsets,
        "seconds": seconds,
        "milliseconds": 1000 * seconds,
        "day": moments.dt.strftime("%Y-%m-%d"),
    }
    return pd.DataFrame({**texts, **others, TARGET: frame[TARGET]})


def odd_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns called as the pipeline's own tensors, and in another script."""
    names = {"distance": "prediction", "passengers": "dlreg/0", "wind": "residual_scale", "zone": "풍속 등급"}
    return frame[[*names, TARGET]].rename(columns=names)


class Case(NamedTuple):
    """A run of the corpus.

    Attributes:
        make: Its columns, of all there are.
        sections: What its config has beside `data.path`, `data.target` and the few epochs of all runs.
        n_rows: Of its table.
        csv: How its table is written, as `DataFrame.to_csv` takes it.
        own: Names rows of a table of their own, such as `test_path`, by the number of them.
    """

    make: Callable[[pd.DataFrame], pd.DataFrame]
    sections: Mapping[str, Mapping[str, Any]]
    n_rows: int = 90
    csv: Mapping[str, Any] = {}
    own: Mapping[str, int] = {}


UNITS = {"types": {"area": "number"}}
TINY = {"hidden_layers": [4]}
CASES = {
    "numbers": Case(plain, {}),
    "kinds": Case(
        kinds,
        {
            "data": {**UNITS, "fold_case": True},
            "preprocessing": {"missing_indicator": True},
            "model": {"activation": "gelu"},
        },
    ),
    "dates": Case(
        dates, {"data": {"dates": DATES, "time_zone": "Europe/Berlin"}, "model": {"activation": "tanh"}}
    ),
    "ordinal": Case(
        kinds,
        {
            "data": UNITS,
            "preprocessing": {"categorical": "ordinal", "numeric": "minmax", "target": "minmax"},
            "model": {"activation": "leaky_relu", "l2": 0.01},
            "training": {"loss": "mae", "schedule": "cosine"},
        },
    ),
    "periodic": Case(
        kinds,
        {
            "data": UNITS,
            "preprocessing": {"categorical": "embedding", "embedding": "periodic", "target": "log1p"},
            "model": {"activation": "celu"},
            "training": {"loss": "huber", "optimizer": "adamw", "weight_decay": 0.01},
        },
    ),
    "piecewise_linear": Case(
        plain,
        {
            "preprocessing": {
                "embedding": "piecewise_linear",
                "numeric": "quantile",
                "target": "log",
                "clip_predictions": True,
            },
            "model": {"activation": "soft_shrink"},
            "training": {"loss": "log_cosh", "optimizer": "nadam"},
        },
    ),
    "robust": Case(
        plain,
        {
            "preprocessing": {"numeric": "robust", "missing": "mean", "target": "none"},
            "model": {"activation": "hard_sigmoid", "batch_norm": True, "dropout": 0.2},
            "training": {"optimizer": "rmsprop", "momentum": 0.5, "restore_best_weights": False},
        },
    ),
    "linear": Case(
        plain,
        {
            "data": {"split": "ordered", "test_split": 0},
            "preprocessing": {"numeric": "none"},
            "model": {"hidden_layers": []},
            "training": {"optimizer": "sgd", "clip_norm": 1.0, "learning_rate": 0.0001},
        },
    ),
    "ensemble": Case(
        kinds,
        {
            "data": UNITS,
            "preprocessing": {"numeric": "robust_clip"},
            "model": {
                "ensemble": 3,
                "activation": "mish",
                "parametric_activation": True,
                "feature_scale": True,
            },
        },
    ),
    "cross_validation": Case(
        plain,
        {
            "preprocessing": {"embedding": ["periodic", "piecewise_linear"]},
            "model": {"activation": "selu", "blend": True},
            "training": {"cross_validation": 3, "refit": {"epochs_fraction": 0.5}},
        },
    ),
    "forward": Case(
        kinds,
        {
            "data": {**UNITS, "split": "time", "split_by": "day"},
            "model": {"activation": "softsign"},
            "training": {"cross_validation": 3},
        },
    ),
    "groups": Case(
        kinds,
        {
            "data": {**UNITS, "split": "group", "split_by": "street"},
            "model": {"activation": "elu"},
            "training": {"learning_rate": 0.05, "epochs": 12},
        },
        n_rows=400,
    ),
    "fast": Case(plain, {"model": TINY, "training": {"auto_steps": 16}}),
    "accurate": Case(kinds, {"data": UNITS, "model": TINY, "training": {"auto_steps": 16}}),
    "best": Case(plain, {"model": {**TINY, "ensemble": 2}, "training": {"auto_steps": 16}}),
    "written_otherwise": Case(
        kinds,
        {
            "data": {
                **UNITS,
                "delimiter": ";",
                "decimal": ",",
                "encoding": "cp949",
                "missing_values": ["없음"],
            },
            "model": {"activation": "hard_tanh"},
        },
        csv={"sep": ";", "decimal": ",", "encoding": "cp949", "na_rep": "없음"},
        own={"test_path": 25, "validation_path": 25},
    ),
    "odd_names": Case(odd_names, {"model": {"activation": "squareplus"}}),
}


def make_frame(n_rows: int, seed: int) -> pd.DataFrame:
    """Every column there is: rides that take longer the farther, in rain, and in the morning."""
    generator = np.random.default_rng(seed)
    moment = pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 700 * 24 * 60, n_rows), "min")
    distance, rain = generator.gamma(2.0, 3.0, n_rows), generator.random(n_rows) < 0.4
    zone, wind = generator.choice(["North", "West", "Centre", None], n_rows), generator.normal(5, 2, n_rows)
    noise = generator.normal(0, 0.2 + 0.4 * distance)
    return pd.DataFrame(
        {
            "distance": distance.round(3),
            "passengers": generator.integers(1, 5, n_rows),
            "wind": np.where(generator.random(n_rows) < 0.1, np.nan, wind.round(2)),
            "area": [f"{number} m²" for number in generator.integers(20, 200, n_rows)],
            "zone": zone,
            "tree": generator.choice(["elm", "Elm", "oak", "OAK", " oak "], n_rows),
            "street": [f"street {number}" for number in generator.integers(0, 12, n_rows)],
            "rain": np.where(rain, "Yes", "no"),
            "day": moment.strftime("%Y-%m-%d"),
            "moment": moment,
            TARGET: (3 + 4 * distance + 5 * rain + 3 * (zone == "Centre") + noise).clip(0.5).round(2),
        }
    )


def add_version(name: str, *, replaces: bool) -> Path:
    """Trains every case and keeps it in the corpus.

    Args:
        name: The folder's name.
        replaces: Whether one of that name may be there.
    """
    folder = CORPUS / name
    if folder.exists() and not replaces:
        raise SystemExit(f"{folder} is there already, and what a version wrote is never changed")
    with tempfile.TemporaryDirectory(prefix="dlreg-corpus-") as temporary:
        for case in CASES:
            print(case, flush=True)
            add_case(Path(temporary) / case, CASES[case], case)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(temporary, folder, ignore=shutil.ignore_patterns("config.yml", *FIGURES))
    return folder


def add_case(folder: Path, case: Case, name: str) -> None:
    """Writes the tables of a case, trains on them, and keeps what the run says of them."""
    folder.mkdir()
    numbers = sum(map(ord, name))
    case.make(make_frame(case.n_rows, numbers)).to_csv(folder / "table.csv", index=False, **case.csv)
    case.make(new_rows(numbers + 1)).drop(columns=TARGET).to_csv(
        folder / "inputs.csv", index=False, **case.csv
    )
    for number, (key, n_rows) in enumerate(case.own.items()):
        rows = case.make(make_frame(n_rows, numbers + 2 + number))
        rows.to_csv(folder / f"{key}.csv", index=False, **case.csv)
    preset = name if name in PRESETS else "standard"
    config: dict[str, Any] = {
        "preset": preset,
        **{key: dict(section) for key, section in case.sections.items()},
    }
    own = {key: f"{key}.csv" for key in case.own}
    config["data"] = {"path": "table.csv", "target": TARGET, **own, **config.get("data", {})}
    if preset == "standard":
        config["model"] = TINY | config.get("model", {})
        config["training"] = {"epochs": 3, **config.get("training", {})}
    (folder / "config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    dlreg(folder, "train", "config.yml", "--run-dir", "run", "--quiet")
    outputs = [output.name for output in InferenceSession(folder / "run" / PIPELINE).get_outputs()]
    spread = ["--spread"] if "spread" in outputs else []
    dlreg(folder, "predict", "run", "inputs.csv", "-o", "expected.csv", "--interval", "0.5", *spread)
    expected = {
        "folder": str(folder),
        "runtime": runtime(),
        "metrics": json.loads(dlreg(folder, "evaluate", "run", "--json"))["metrics"],
        "metrics of the table": json.loads(dlreg(folder, "evaluate", "run", "--data", "table.csv", "--json"))[
            "metrics"
        ],
        "importances": json.loads(dlreg(folder, "explain", "run", "--repeats", "2", "--json"))["columns"],
    }
    (folder / "expected.json").write_text(
        json.dumps(expected, indent=1, ensure_ascii=False), encoding="utf-8"
    )


def runtime() -> dict[str, Any]:
    """What the last bits of a number may depend on; elsewhere it is the same but for rounding."""
    features = next((line for line in read_cpuinfo() if line.startswith(("flags", "Features"))), "")
    return {
        **{name: version(name) for name in ("numpy", "onnxruntime")},
        "processor": sha256((features or platform.processor()).encode()).hexdigest()[:16],
        "cpu_count": os.cpu_count(),
    }


def new_rows(seed: int) -> pd.DataFrame:
    """Rows to predict: some as in training, some with what it never saw."""
    frame = make_frame(N_NEW, seed)
    frame.loc[0, ["wind", "zone"]] = None
    frame.loc[1, ["zone", "street"]] = "nowhere"
    frame.loc[2, "distance"] = 1e6
    return frame


def dlreg(folder: Path, *arguments: str) -> str:
    """What the command line prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "dlreg", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"dlreg {' '.join(arguments)} of {folder.name}: {done.stderr}")
    return done.stdout


def hash_of(folder: Path) -> str:
    """One hash of all files below a folder and of their names."""
    lines = sorted(
        f"{file.relative_to(folder).as_posix()} {sha256(file.read_bytes()).hexdigest()}\n"
        for file in folder.rglob("*")
        if file.is_file()
    )
    return sha256("".join(lines).encode()).hexdigest()


def main() -> None:
    """Adds this version, or what is going to be one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--unreleased", action="store_true", help="the runs of before a release, replaced each time"
    )
    if parser.parse_args().unreleased:
        folder = add_version(UNRELEASED, replaces=True)
    else:
        folder = add_version(__version__, replaces=False)
        hashes = json.loads(HASHES.read_text()) | {__version__: hash_of(folder)}
        HASHES.write_text(json.dumps(hashes, indent=2) + "\n")
        shutil.rmtree(CORPUS / UNRELEASED, ignore_errors=True)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {len(CASES)} runs, {size:,} bytes")


if __name__ == "__main__":
    main()

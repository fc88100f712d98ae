"""One table written in many ways: the same metrics and predictions, from dlreg and from `pipeline.onnx` alone."""

import json

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from support.command_line import run_cli

N_ROWS = 120
CONFIG = """
data: {path: table.csv, target: y, fold_case: true, types: {code: category}}
training: {epochs: 5}
"""


def table():
    generator = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "area": generator.uniform(20, 250, N_ROWS).round(1),
            "pool": generator.choice(["True", "False"], N_ROWS),
            "town": generator.choice(["Älm", "Oak hill", "ash", "대구"], N_ROWS),
            "code": generator.choice(["3", "12", "-4", "070"], N_ROWS),
            "sold": pd.to_datetime(generator.integers(1.5e9, 1.7e9, N_ROWS), unit="s").strftime(
                "%Y-%m-%d %H:%M"
            ),
        }
    )
    frame["y"] = (frame["area"] * (1 + (frame["pool"] == "True")) + generator.normal(size=N_ROWS)).round(2)
    return frame


RESPELT = {
    "shouted": {
        "pool": str.upper, "town": str.upper, "code": lambda x: x if x.startswith("0") else f"{x}.0", "sold": " {} ".format,
    },
    "as ones": {
        "pool": lambda x: str(int(x == "True")), "town": " {}\xa0".format, "code": "\t{}".format, "sold": "{} ".format,
    },
    "as floats": {
        "pool": lambda x: f"{x == 'True':.1f}", "town": str.swapcase, "code": lambda x: x if x.startswith("0") else f"{x},00",
        "sold": " {}".format,
    },
    "in German": {
        "pool": lambda x: "Ja" if x == "True" else "Nein", "town": "\u3000{}".format, "code": lambda x: x if x[0] in "0-" else f"+{x}",
        "sold": str,
    },
    "in Korean": {"pool": lambda x: "예" if x == "True" else "아니오", "town": str.title, "code": str, "sold": str},
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spellings")
    table().to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG)
    done = run_cli("train", "config.yaml", "--run-dir", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run_cli("predict", "run", "table.csv", "-o", "plain.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", RESPELT)
def test_another_spelling_is_measured_and_predicted_alike(project, name):
    respelt = table()
    for column, spelling in RESPELT[name].items():
        respelt[column] = respelt[column].map(spelling)
    respelt.to_csv(project / "other.csv", index=False)
    expected, measured = (
        json.loads(run_cli("evaluate", "run", "--data", csv, "--json", cwd=project).stdout)
        for csv in ("table.csv", "other.csv")
    )
    assert measured["metrics"] == expected["metrics"]
    assert measured["cells"]["unseen"] == {}
    done = run_cli("predict", "run", "other.csv", "-o", "other_predictions.csv", "--strict", cwd=project)
    assert done.returncode == 0, done.stderr
    y_pred = pd.read_csv(project / "plain.csv")["y_pred"].to_numpy()
    assert np.array_equal(pd.read_csv(project / "other_predictions.csv")["y_pred"], y_pred)
    # The cells as they are, in ONNX Runtime without dlreg.
    session = ort.InferenceSession(str(project / "run" / "pipeline.onnx"), providers=["CPUExecutionProvider"])
    cells = {
        column.name: respelt[[column.name]].to_numpy(dtype=object if "string" in column.type else float)
        for column in session.get_inputs()
    }
    assert np.array_equal(session.run(None, cells)[0][:, 0], y_pred)

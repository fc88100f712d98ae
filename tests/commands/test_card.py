"""`dlreg card`: what the hub reads, what a person reads, and code that runs."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from support.command_line import run_cli

from dlreg.commands.card import card
from dlreg.commands.verify import verify
from dlreg.errors import RunDirError, UsageError
from dlreg.files.hashing import sha256_of_file
from dlreg.runs.reading import record_json

HOSTILE = (
    "a|b", "`tick`", "new\nline", "<script>alert(1)</script>", "---", "[x](http://e.example)", "www.e.example",
    "\x1b[31mred", "{{ jinja }}", 'quo"te', "it's", "__proto__", "\u202eback", "\\", "&amp;", " blank ", "# head",
    "```", "12",
)  # fmt: skip


@pytest.fixture(scope="module")
def written(project, tmp_path_factory):
    """A run, and the text of its card."""
    folder = tmp_path_factory.mktemp("card")
    run = shutil.copytree(project / "run", folder / "run")
    done = run_cli("card", "run", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "run/README.md\n", "")
    return run, (run / "README.md").read_text(encoding="utf-8")


def block(language, text):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


def altered(run, **contents):
    """A run some of whose files say something else, with hashes that agree."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record.pop("sha256")
    record |= contents.pop("record", {})
    for name, content in contents.items():
        file = run / name.replace("_", ".")
        file.write_text(content, encoding="utf-8")
        record["files"][file.name] = {"size": file.stat().st_size, "sha256": sha256_of_file(file)}
    (run / "run.json").write_bytes(record_json(record))
    return run


def test_the_hub_reads_what_the_run_measured(written, project):
    run, text = written
    data = ModelCard(text).data
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert (data.library_name, data.pipeline_tag, data.model_name) == ("dlreg", "tabular-regression", "run")
    assert {result.metric_type: result.metric_value for result in data.eval_results} == {
        name: metrics[name] for name in ("rmse", "mae", "mape", "r2")
    }
    (result, *_) = data.eval_results
    assert (result.task_type, result.dataset_name, result.dataset_split) == (
        "tabular-regression", "table.csv", "test",
    )  # fmt: skip
    assert result.dataset_args["sha256"] == sha256_of_file(project / "table.csv")


def test_a_person_reads_every_part_with_its_metrics_and_their_interval(written, project):
    run, text = written
    html = MarkdownIt("commonmark").enable("table").render(ModelCard(text).text)
    heads = re.findall(r"<h2>(.*?)</h2>", html)
    assert heads == ["Data and split", "Metrics", "Columns", "Intervals", "Limits", "Use", "Origin"]
    parts = re.findall(r"<tr>\n<td>(.*?)</td>\n<td", html)
    assert parts[1:7] == [
        "train", "validation", "test", "test, 95% interval", "mean baseline, test", "linear baseline, test",
    ]  # fmt: skip
    low, high = re.search(r"95% interval \|  \| ([\d.]+) to ([\d.]+)", text).groups()
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert float(low) < metrics["rmse"] < float(high)
    for name in json.loads((run / "preprocessing.json").read_text(encoding="utf-8"))["columns"]:
        assert f"| `{name}` |" in text
    assert '<img src="loss_curve.png"' in html
    assert str(project) not in text


def test_the_python_of_a_card_predicts_what_dlreg_predicts(written, tmp_path):
    run, text = written
    script = block("python", text) + "\nimport sys\njson.dump([row, prediction, below, above], sys.stdout)\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=run, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    row, prediction, below, above = json.loads(done.stdout.splitlines()[-1])
    pd.DataFrame([row]).to_csv(tmp_path / "row.csv", index=False)
    predicted = run_cli("predict", run, "row.csv", "--interval", "0.9", cwd=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    values = [float(value) for value in predicted.stdout.splitlines()[1].split(",")[1:]]
    assert values == [prediction, prediction - below, prediction + above]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_javascript_of_a_card_predicts_the_same(written, tmp_path):
    """With `onnxruntime-node` where NODE_PATH has it; else its syntax is checked alone."""
    run, text = written
    (tmp_path / "card.mjs").write_text(block("js", text), encoding="utf-8")
    node = shutil.which("node")
    subprocess.run([node, "--check", "card.mjs"], cwd=tmp_path, check=True)
    folder = Path(os.environ.get("NODE_PATH", ""))
    if not (folder / "onnxruntime-node").exists():
        pytest.skip("NODE_PATH has no onnxruntime-node: the syntax was checked alone")
    (tmp_path / "node_modules").symlink_to(folder)
    shutil.copy(run / "pipeline.onnx", tmp_path)
    done = subprocess.run([node, "card.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    python = subprocess.run(
        [sys.executable, "-c", block("python", text)], cwd=run, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == float(python.stdout.split()[0])


def test_no_text_of_a_run_becomes_markup_or_another_key(project, tmp_path):
    run = shutil.copytree(project / "run", tmp_path / "a\n---\nlicense: mit\n# `<b>`")
    columns = {
        name: {"kind": "category", "levels": [name, ""]}
        if number % 2
        else {"kind": "number", "unit": name[:20]}
        for number, name in enumerate(HOSTILE)
    }
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    config["data"]["target"] = HOSTILE[3]
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    data = {"data.path": record["data"]["data.path"] | {"path": "/home/me/x\n---\nlicense: mit\n|`.csv"}}
    altered(
        run,
        record={"data": data, "notes": list(HOSTILE), "versions": {name: name for name in HOSTILE}}
        | {"verdict": {"kind": "", "since_epoch": None, "sentence": HOSTILE[5], "advice": HOSTILE[3]}},
        config_yaml=yaml.safe_dump(config, allow_unicode=True),
        preprocessing_json=json.dumps({"columns": columns, "features": []}),
    )
    text = card(run, None).read_text(encoding="utf-8")
    assert all(character.isprintable() or character == "\n" for character in text)
    read = ModelCard(text)
    assert set(read.data.to_dict()) == {"library_name", "pipeline_tag", "tags", "model-index"}
    html = MarkdownIt("commonmark").enable("table").render(read.text)
    assert re.findall(r"<(?:script|a|b|h1)\b[^>]*>", html) == ["<h1>"]
    (image,) = re.findall(r"<img[^>]*>", html)
    assert "loss_curve.png" in image
    assert len(re.findall(r"<h2>", html)) == 7
    tables = [re.findall(r"<t[hd]\b", row) for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)]
    assert {len(cells) for cells in tables} == {4, 6}
    assert sum(len(cells) == 4 for cells in tables) == 3 + len(HOSTILE)
    compile(block("python", text), "card", "exec")
    row = re.search(r"^row = (\{.*?^\})", block("python", text), re.MULTILINE | re.DOTALL).group(1)
    assert tuple(ast.literal_eval(row.replace("np.nan", "None"))) == HOSTILE
    if node := shutil.which("node"):
        names = re.search(r"^const row = \[.*?^\];", block("js", text), re.MULTILINE | re.DOTALL).group()
        script = f"{names}\nconsole.log(JSON.stringify(Object.keys(Object.fromEntries(row)).sort()))"
        done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == sorted(HOSTILE)


def test_a_run_without_test_rows_claims_no_result(project, tmp_path):
    run = shutil.copytree(project / "run", tmp_path / "run")
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8")) | {"test": None}
    altered(
        run,
        record={"metrics": metrics},
        predictions_csv="row,y_true,y_pred\n",
        metrics_json=json.dumps(metrics),
    )
    text = card(run, tmp_path / "card.md").read_text(encoding="utf-8")
    assert "model-index" not in ModelCard(text).data.to_dict()
    assert "It was never tested" in text
    assert "interval |" not in text
    assert "loss_curve.png" not in text


def test_where_nothing_is_known_of_the_data_the_hub_reads_the_rest(project, tmp_path):
    run = altered(shutil.copytree(project / "run", tmp_path / "run"), record={"data": {}, "notes": []})
    results = ModelCard(card(run, None).read_text(encoding="utf-8")).data.eval_results
    assert {result.dataset_name for result in results} == {"unknown"}


def test_notes_say_nothing_of_folders_or_of_a_config(project, tmp_path):
    run = shutil.copytree(project / "run", tmp_path / "run")
    notes = [
        "3 cells are missing",
        f"{project}/table.csv: column 'a' is odd",
        "/home/me/a.yaml:8:3: model.x",
        "--set b: c",
    ]
    altered(run, record={"notes": notes})
    text = card(run, None).read_text(encoding="utf-8")
    assert "\n\n- 3 cells are missing\n- table.csv: column 'a' is odd\n\n" in text


def test_a_card_is_no_foreign_file_and_may_be_edited(written):
    run, _ = written
    assert verify(run)[1] == ()


def test_what_cannot_be_described_or_named_so_is_refused(project, tmp_path):
    with pytest.raises(UsageError, match=r"Markdown file; found 'run\.json'"):
        card(project / "run", project / "run" / "run.json")
    run = shutil.copytree(project / "run", tmp_path / "run")
    (run / "predictions.csv").write_text("row,y_true,y_pred\n")
    with pytest.raises(RunDirError, match="damaged"):
        card(run, None)
    assert not (run / "README.md").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preprocessing.json", "[" * 100_000),
        ("preprocessing.json", '{"columns": {}, "features": []}'),
        ("intervals.json", " " * 2_000_000),
        ("intervals.json", "{}"),
        ("config.yaml", "data: !!python/object/apply:os.system ['true']\n"),
        ("predictions.csv", "row,y_true,y_pred\n0,1e308,-1e308\n"),
    ],
)
def test_files_that_fit_their_hashes_and_no_shape_are_refused(project, tmp_path, name, content):
    run = altered(shutil.copytree(project / "run", tmp_path / "run"), **{name.replace(".", "_"): content})
    with pytest.raises(RunDirError, match=name):
        card(run, None)
    assert not (run / "README.md").exists()


def test_a_link_in_the_place_of_the_card_is_replaced_and_not_followed(project, tmp_path):
    run = shutil.copytree(project / "run", tmp_path / "run")
    (tmp_path / "mine").write_text("mine")
    (run / "README.md").symlink_to(tmp_path / "mine")
    assert not card(run, None).is_symlink()
    assert (tmp_path / "mine").read_text() == "mine"

"""`dlreg report`: a page that says what the run measured, whoever wrote the run."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from support.command_line import run_cli
from support.runs import record_anew, spoil_pipeline

from dlreg.commands.report_facts import gather_facts
from dlreg.commands.verify import verify
from dlreg.report.page import render_page
from dlreg.runs.reading import record_json
from dlreg.runs.trained_run import use_run

MOST_BYTES = 1_000_000
HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(2)>",
    "\" onmouseover='alert(3)",
    "{{ 7 * 7 }}",
)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart: its tags with their attributes, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.texts, self.titles, self._open = [], [], "", []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] == ["title"]:
            self.titles += f"{data}\n"
        elif self._open and self._open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def folder(project, tmp_path_factory):
    """The project, and a page of its run."""
    copy = shutil.copytree(project, tmp_path_factory.mktemp("report") / "project")
    done = run_cli("report", "run", cwd=copy)
    assert (done.returncode, done.stdout) == (0, "run/report.html\n"), done.stderr
    assert "note: reading" in done.stderr
    return copy


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "run" / "report.html").read_text(encoding="utf-8"))


def test_the_page_has_every_section_in_order(page, folder):
    text = page.text
    heads = [
        "Checks", "Metrics", "Learning", "Predictions", "Where the errors are", "What the predictions rely on",
        "Partial dependence", "The table", "How to reproduce",
    ]  # fmt: skip
    places = [text.index(f" {head} ") for head in heads]
    assert places == sorted(places)
    assert text.startswith(" 소요 시간 run A network learned to predict “소요 시간” from 6 columns")
    assert str(folder) not in text


def test_the_numbers_are_those_of_the_run(page, folder):
    metrics = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    for values in (metrics["train"], metrics["test"], *metrics["baselines"].values()):
        assert f" {values['rmse']:.4g} " in page.text
    low, high = re.search(r"95% interval ([\d.]+) to ([\d.]+)\)", page.text).groups()
    assert float(low) < metrics["test"]["rmse"] < float(high)


def test_every_test_row_is_a_point_with_its_numbers(page, folder):
    rows = pd.read_csv(folder / "run" / "predictions.csv")
    titles = re.findall(r"row ([\d,]+): observed ([\d.]+), predicted ([\d.]+) ±", page.titles)
    assert len(titles) == 2 * len(rows)
    for title, row in zip(titles, rows.itertuples(), strict=False):
        assert title == (f"{row.row:,}", f"{row.y_true:.4g}", f"{row.y_pred:.4g}")


def test_the_trees_are_scikit_learns_on_the_same_rows(page, folder):
    table = pd.read_csv(folder / "table.csv")
    split = json.loads((folder / "run" / "split.json").read_text())
    match = re.search(
        r"HistGradientBoosting \(([\d.]+)\) at its defaults, trained on the same rows", page.text
    )
    columns = table[["Wind speed (m/s)", "year"]].to_numpy()
    model = HistGradientBoostingRegressor(random_state=0).fit(
        columns[split["train"]], table["소요 시간"][split["train"]]
    )
    errors = table["소요 시간"][split["test"]] - model.predict(columns[split["test"]])
    # Of the two columns of numbers alone: with all columns the error is of this size, and lower.
    assert 0.5 * np.sqrt(np.mean(errors**2)) < float(match[1]) < np.sqrt(np.mean(errors**2))


def test_nothing_is_loaded_or_run(page):
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "form", "base"}
    policy = next(attributes for tag, attributes in page.tags if attributes.get("http-equiv"))
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert all((attributes.get(name) or "#").startswith("#") for name in ("href", "xlink:href"))


def test_the_run_gives_the_same_page_again_and_stays_valid(page, folder, cli):
    content = (folder / "run" / "report.html").read_bytes()
    assert len(content) < MOST_BYTES
    assert cli("report", "run", "-o", "other.html", cwd=folder).returncode == 0
    assert (folder / "other.html").read_bytes() == content
    assert verify(folder / "run")[1] == ()


def test_ids_are_unique_also_of_several_runs(folder, cli):
    shutil.copytree(folder / "run", folder / "second", dirs_exist_ok=True)
    done = cli("report", "run", "second", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "report.html\n")
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) > 10
    links = {attributes["href"][1:] for _, attributes in page.tags if "href" in attributes}
    assert links <= set(ids)
    assert page.text.startswith(" 2 runs The one of the least validation error first")


def test_in_short_it_is_markdown(folder, cli):
    done = cli("report", "run", "--md", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.startswith("### `소요 시간`, run `run`\n\nA network learned to predict")
    assert "| rows | n | RMSE | MAE | MAPE | R² |\n| --- | --: |" in done.stdout
    assert re.search(
        r"^- ✅ \*\*Gradient-boosted trees:\*\* The network's test RMSE", done.stdout, re.MULTILINE
    )
    written = cli("report", "run", "--md", "-o", "short.md", cwd=folder)
    assert (written.returncode, written.stdout) == (0, "short.md\n")
    assert (folder / "short.md").read_text(encoding="utf-8") == done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["run", "-o", "page.pdf"], 2, "ends in .html"),
        (["run", "--md", "-o", "page.html"], 2, "ends in .md"),
        (["nowhere"], 5, "nowhere"),
        (["run", "-o", "absent/page.html"], 6, "absent"),
        ([], 2, "RUN_DIR"),
    ],
)
def test_mistakes_have_their_exit_codes(folder, cli, arguments, code, fragment):
    done = cli("report", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert fragment in done.stderr


@pytest.mark.parametrize(
    ("content", "fragment"),
    [(None, "the run's data.path is gone. Put it back"), ("x", "changed since the run")],
)
def test_a_table_that_is_gone_or_changed_is_said(project, tmp_path, cli, content, fragment):
    copy = shutil.copytree(project, tmp_path / "project")
    config = (copy / "run" / "config.yaml").read_text(encoding="utf-8")
    assert str(project / "table.csv") in config
    (copy / "run" / "config.yaml").write_text(config.replace(str(project), str(copy)), encoding="utf-8")
    record_anew(copy / "run", "config.yaml")
    if content:
        (copy / "table.csv").write_text(content)
    else:
        (copy / "table.csv").unlink()
    done = cli("report", "run", cwd=copy)
    assert (done.returncode, done.stdout) == (5, "") and fragment in done.stderr
    assert not (copy / "run" / "report.html").exists()


def test_rows_without_a_usable_prediction_are_said(project, tmp_path, cli):
    copy = shutil.copytree(project, tmp_path / "project")
    spoil_pipeline(copy / "run", 0.0)
    done = cli("report", "run", cwd=copy)
    assert done.returncode == 0, done.stderr
    page = Page((copy / "run" / "report.html").read_text(encoding="utf-8"))
    assert re.search(r"Missing predictions \d+ of the test rows have none that is a number to use", page.text)
    assert "It could not be measured" in page.text


@pytest.mark.filterwarnings("ignore:reading")
def test_of_a_sample_it_is_said_what_its_interval_is(folder, page):
    facts = use_run(folder / "run", gather_facts)
    assert not facts.is_sample and "a sample of" not in page.text
    text = Page(render_page([replace(facts, is_sample=True)])).text
    assert "of a sample of the rows, and so wider than that of all" in text
    assert "All " not in text


def test_metrics_of_no_rows_are_refused(project, tmp_path, cli):
    copy = shutil.copytree(project, tmp_path / "project")
    record = json.loads((copy / "run" / "run.json").read_text(encoding="utf-8"))
    record["metrics"]["test"]["n"] = 0
    record.pop("sha256")
    (copy / "run" / "run.json").write_bytes(record_json(record))
    done = cli("report", "run", cwd=copy)
    assert (done.returncode, done.stdout) == (5, "") and "metrics.test.n" in done.stderr


def test_hostile_names_are_text(tmp_path, forks, cli):
    generator = np.random.default_rng(1)
    x = generator.normal(size=120)
    table = pd.DataFrame(
        {HOSTILE[0]: x, HOSTILE[1]: generator.choice(HOSTILE, 120), HOSTILE[3]: generator.normal(size=120)}
    )
    table[HOSTILE[2]] = 5 * x + generator.normal(size=120)
    table.to_csv(tmp_path / "table.csv", index=False)
    config = {
        "data": {"path": "table.csv", "target": HOSTILE[2]},
        "model": {"hidden_layers": [8]},
        "training": {"epochs": 3},
    }
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    done = forks.run("train", "config.yaml", "--run-dir", "</title><script>", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert cli("report", "</title><script>", "-o", "page.html", cwd=tmp_path).returncode == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert text.count("<style>") == text.count("</style>") == 1
    for name in HOSTILE:
        assert name in page.text
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    short = cli("report", "</title><script>", "--md", cwd=tmp_path).stdout
    assert "<script>" not in short and "<img" not in short

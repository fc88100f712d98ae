"""The docs cannot drift: every command in them runs, and every command, option, key, file and exit code is there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from support.c_programs import compile_c, needs_compiler

from dlreg import __version__, errors
from dlreg.cli import app as cli
from dlreg.commands.docs import PAGES
from dlreg.config.reading import load_config
from dlreg.config.reference import full_config
from dlreg.config.schema import Config
from dlreg.pipeline.limits import MAX_TEXTS, MAX_TEXTS_PER_OPERATOR, limits_of
from dlreg.runs.names import FILES
from dlreg.search import study_names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "dlreg" / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = {"README": README} | {page: (DOCS / f"{page}.md").read_text(encoding="utf-8") for page in PAGES}
COMMANDS = typer.main.get_command(cli.app).commands


def blocks(text: str, language: str, containing: str = "") -> list[str]:
    """The code of a page in a language, such as `sh`."""
    code = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [inside for kind, inside in code if kind == language and containing in inside]


def shell(script: str, folder: Path) -> subprocess.CompletedProcess:
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """What a clone has that the README's commands need, with `dlreg` on the path as if installed."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("configs", "data"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "bin").mkdir()
    (folder / "bin" / "dlreg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlreg "$@"\n')
    (folder / "bin" / "dlreg").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def walked(clone) -> Path:
    """The clone after all commands of the start page, so with the runs that the other pages speak of."""
    done = shell("\n".join(blocks(TEXTS["start"], "sh")), clone)
    assert done.returncode == 0, done.stderr
    return clone


def test_the_first_command_prints_what_the_readme_shows(clone):
    (line,) = blocks(README, "sh", "pip install . &&")
    done = shell(line.partition("&&")[2].strip(), clone)
    assert done.returncode == 0, done.stderr
    (shown,) = blocks(README, "text", "progression (")

    def shape(text: str) -> list[str]:
        # Another processor rounds differently, which may change an epoch or a digit.
        table = text.splitlines()[:7]
        return [re.sub(r"-?[0-9][0-9.,]*", "0", " ".join(row.split())) for row in table]

    def interval(text: str) -> list[float]:
        line = next(line for line in text.splitlines() if line.startswith("Intervals"))
        return [float(number) for number in re.findall(r"[0-9]+(?:\.[0-9]+)?", line)]

    assert shape(done.stdout) == shape(shown)
    assert interval(done.stdout) == pytest.approx(interval(shown), rel=0.02)
    assert done.stdout.endswith("Run directory: runs/diabetes-1\n")


def test_the_start_page_writes_what_it_speaks_of(walked):
    assert (walked / "predictions.csv").read_text().startswith("row,y_pred\n")
    assert {"runs/mine/predictions.png", "runs/mine/report.html", "runs/wider/run.json"} <= {
        str(path.relative_to(walked)) for path in walked.glob("runs/*/*")
    }


def commands_in(text: str) -> list[str]:
    """The shell commands of a page, but for installations, which need a network."""
    return [script for script in blocks(text, "sh") if not script.startswith("pip install")]


@pytest.mark.parametrize("page", [page for page in TEXTS if page != "start" and commands_in(TEXTS[page])])
def test_every_command_of_a_page_runs(page, walked, tmp_path):
    # Each in a copy of its own: what one page writes is not there for another.
    folder = tmp_path / "clone"
    from_the_start = shutil.ignore_patterns("runs") if page in ("README", "start.ko") else None
    shutil.copytree(walked, folder, ignore=from_the_start)
    script = "\n".join(commands_in(TEXTS[page]))
    # The long trainings in fewer steps.
    done = shell(re.sub(r"(configs/accurate\.yaml)", r"\1 --set training.auto_steps=64", script), folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [page for page in TEXTS if blocks(TEXTS[page], "python")])
def test_the_python_of_a_page_runs(page, walked):
    code = "\n".join(blocks(TEXTS[page], "python"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=walked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_notebook_runs_from_the_first_cell_to_the_last(walked):
    notebook = json.loads((DOCS / "rides.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    # Nothing is kept of a run: it would soon be that of another version.
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(cells)], cwd=walked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, (walked / "runs" / "rides-notebook" / "run.json").exists()) == ("", True)


def test_what_the_pages_predict_from_python_is_what_predict_says(walked):
    check = """
print(minutes.item())
"""
    (serving,) = blocks(TEXTS["serving"], "python", "onnxruntime")
    done = subprocess.run(
        [sys.executable, "-c", serving + check], cwd=walked, capture_output=True, text=True, check=True
    )
    assert 5 < float(done.stdout) < 60
    (frame,) = blocks(TEXTS["python"], "python", "onnxruntime")
    check = """
told = pd.read_csv("predictions.csv")["y_pred"].to_numpy()
np.testing.assert_allclose(y_pred, told, rtol=1e-12)
"""
    done = subprocess.run(
        [sys.executable, "-c", frame + check], cwd=walked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@needs_compiler
def test_the_c_of_a_page_predicts_what_its_python_does(walked, tmp_path):
    (python,) = blocks(TEXTS["serving"], "python", "onnxruntime")
    code = f"{python}\nprint(minutes.item())"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=walked, capture_output=True, text=True, check=True
    )
    (command,) = blocks(TEXTS["serving"], "sh", "--format c")
    done = shell(command.replace("rides.c", str(tmp_path / "rides.c")), walked)
    assert done.returncode == 0, done.stderr
    (main,) = blocks(TEXTS["serving"], "c")
    program = compile_c({"main.c": main}, "ride", tmp_path, "-O2")
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert float(lines[0]) == pytest.approx(float(told.stdout), abs=0.051)
    lower, upper = map(float, lines[1].split(" to "))
    assert lower < float(lines[0]) < upper


@pytest.mark.parametrize("page", TEXTS)
def test_commands_within_sentences_exist_with_their_options(page):
    prose = re.sub(r"^```.*?^```", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    everywhere = {"--help", "--version", "--debug", "--install-completion"}
    for text in re.findall(r"`dlreg ([^`]+)`", prose):
        words = text.split()
        if words[0].startswith("--"):
            assert words[0] in everywhere, text
            continue
        assert words[0] in COMMANDS, text
        known = {option for parameter in COMMANDS[words[0]].params for option in parameter.opts}
        assert {word for word in words[1:] if word.startswith("--")} <= known | everywhere, text


def test_the_preset_shown_is_that_of_the_config():
    (shown,) = blocks(TEXTS["presets"], "yaml", "preset: accurate")
    assert shown in (ROOT / "configs" / "accurate.yaml").read_text(encoding="utf-8")


def test_the_script_for_ci_trains_gates_and_compares(clone):
    (script,) = blocks(TEXTS["ci"], "bash", "usage: ci.sh")
    (clone / "ci.sh").write_text(script)
    first = shell("bash ci.sh configs/diabetes.yaml baseline", clone)
    assert first.returncode == 0, first.stderr
    run = first.stdout.splitlines()[-1]
    shutil.copytree(clone / run, clone / "baseline")
    again = shell("bash ci.sh configs/diabetes.yaml baseline", clone)
    assert again.returncode == 0, again.stderr
    gates = json.loads((clone / "metrics.json").read_text())["gates"]
    assert [gate["passed"] for gate in gates] == [True, True, True]
    assert gates[2]["regression_percent"] == 0
    (clone / "ci.sh").write_text(script.replace("rmse>60", "rmse>10"))
    assert shell("bash ci.sh configs/diabetes.yaml baseline", clone).returncode == 8


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    assert len(re.findall(rf"^\| `dlreg {name}[ `].*$", README, re.MULTILINE)) == 1
    assert f"\n## dlreg {name}\n" in TEXTS["commands"]


def test_no_other_command_is_promised():
    assert set(re.findall(r"^\| `dlreg (\w+)", README, re.MULTILINE)) == set(COMMANDS)
    assert set(re.findall(r"^## dlreg (\w+)$", TEXTS["commands"], re.MULTILINE)) == set(COMMANDS)


def test_what_is_written_by_the_code_is_as_the_code_has_it():
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "docs", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_page_is_in_the_readme_and_in_the_list():
    files = {path.stem for path in DOCS.glob("*.md")}
    assert files == set(PAGES)
    rows = re.findall(r"^\| \[[^\]]+\]\(dlreg/docs/([\w-]+)\.md\) \| (.*) \|$", README, re.MULTILINE)
    assert dict(rows) == {name: about for name, about in PAGES.items() if not name.endswith(".ko")}


def test_the_readme_is_short():
    assert len(README.encode()) < 10_000


def test_every_json_object_is_documented():
    (table,) = re.findall(
        r"^\| command \| further names \|\n(.*?)(?:\n\n|\Z)", TEXTS["ci"], re.MULTILINE | re.DOTALL
    )
    printing = {
        name
        for name, command in COMMANDS.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == printing


def test_every_exit_code_is_documented():
    codes = {str(kind.exit_code) for kind in errors.DlregError.__subclasses__()} | {"0", "1", "130, 143"}
    (table,) = re.findall(r"^## Exit codes\n(.*?)^## ", TEXTS["ci"], re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| ([0-9, ]+) \|", table, re.MULTILINE)) == codes


def test_every_file_of_a_run_is_documented():
    page = TEXTS["run-directory"]
    (table,) = re.findall(r"^\| file \| content \|\n(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    drawn_when_asked_for = {"predictions.png", "residuals.png", "importance.png"}
    assert all(f"`{name}`" in page for name in drawn_when_asked_for)
    named = set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE))
    assert named == {name for name in FILES if name[0] != "."} - drawn_when_asked_for


def test_every_file_of_a_study_is_documented():
    (table,) = re.findall(r"^\| file \| content \|\n(.*?)\n\n", TEXTS["search"], re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"^\| `([\w.]+)/?` \|", table, re.MULTILINE))
    assert named == study_names.FILES | set(study_names.RUNS)


def test_every_dependency_is_justified():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w.-]+", line).group() for line in project["dependencies"]}
    (table,) = re.findall(
        r"^\| package \| for \|\n(.*?)\n\n", TEXTS["how-it-works"], re.MULTILINE | re.DOTALL
    )
    named = re.findall(r"^\| ([\w, .-]+) \|", table, re.MULTILINE)
    assert {name for cell in named for name in cell.split(", ")} == names


def keys_of(model, above: str = "") -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        is_section = isinstance(inner, type) and hasattr(inner, "model_fields")
        names |= keys_of(inner, f"{name}.") if is_section and not above else {f"{above}{name}"}
    return names


def test_the_full_config_has_every_key_with_its_default():
    full = (ROOT / "configs" / "full.yaml").read_text(encoding="utf-8")
    assert full == full_config(), "write it again with .ci/docs"
    given = set()
    section = ""
    for line in full.splitlines():
        if match := re.match(r"(\w+):( +[^#\s].*)?", line):
            section = match.group(1)
            given |= {section} if match.group(2) else set()
        elif match := re.match(r"  (\w+):", line):
            given.add(f"{section}.{match.group(1)}")
    assert given == keys_of(Config)
    assert load_config(ROOT / "configs" / "full.yaml") == load_config(ROOT / "configs" / "minimal.yaml")


def test_the_config_of_the_first_run_is_the_one_shown():
    shown = blocks(README, "yaml", "progression")[0]
    config = (ROOT / "configs" / "diabetes.yaml").read_text(encoding="utf-8")
    assert shown in config


@pytest.mark.parametrize("page", TEXTS)
def test_what_a_page_points_to_is_there(page):
    folder = ROOT if page == "README" else DOCS
    for target, anchor in re.findall(r"\]\(([^)#:]*)(#[^)]+)?\)", TEXTS[page]):
        path = (folder / target) if target else (folder / f"{page}.md")
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {"#" + re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
            assert anchor in anchors, f"{target}{anchor}"


@pytest.mark.parametrize("english", ["README.md", "dlreg/docs/start.md"])
def test_the_korean_page_is_in_step(english):
    def shape(text: str) -> dict[str, list]:
        return {
            "code": re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL),
            "headings": re.findall(r"^#+", text, re.MULTILINE),
            "commands": re.findall(r"^\| (`dlreg [^`]*`) \|", text, re.MULTILINE),
            "links": sorted(set(re.findall(r"\]\(([^)]*)\)", text)) - pages),
        }

    # The table of pages, which are English, and the links between the two.
    pages = {f"dlreg/docs/{path.name}" for path in DOCS.glob("*.md")}
    pages |= {"README.md", "README.ko.md", "README.md#documentation"}
    path = ROOT / english
    korean = path.with_name(f"{path.stem}.ko.md").read_text(encoding="utf-8")
    assert shape(korean) == shape(path.read_text(encoding="utf-8"))


def test_no_link_of_the_package_index_is_relative():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = README
    for rule in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert len(links) == len(re.findall(r"\]\(([^)]*)\)", README))
    assert [link for link in links if not link.startswith("https://")] == []
    (image,) = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert image == f"{project['project']['urls']['Source']}/raw/main/.github/loss_curve.png"


def test_the_version_has_a_section_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert __version__ in re.findall(r"^## \[([0-9.]+)\]", changelog, re.MULTILINE)


def test_what_contributors_are_pointed_to_is_there():
    contributing = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in re.findall(r"`([.\w]+/[\w./]*)`", contributing):
        places = (ROOT / target, ROOT / "dlreg" / target)
        assert re.search("MODULE|NAME", target) or any(place.exists() for place in places), target


def test_the_security_policy_tells_how_large_a_pipeline_may_be():
    none, one = limits_of(0), limits_of(1)
    text = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    assert f"{none.nodes:,} + {one.nodes - none.nodes:,} n operators" in text
    assert f"{none.parts:,} + {one.parts - none.parts:,} n parts" in text
    assert (
        f"{none.texts:,} + {one.texts - none.texts:,} n texts of lookups ({MAX_TEXTS:,}; of one {MAX_TEXTS_PER_OPERATOR:,})"
        in text
    )
    assert f"{none.n_bytes >> 20} MB + {(one.n_bytes - none.n_bytes) >> 10} kB n" in text

"""The README cannot drift: its commands run, and every command, option, key, file and exit code is in it."""

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

from dlreg import __version__, errors
from dlreg.cli import app as cli
from dlreg.config.reading import load_config
from dlreg.config.reference import full_config
from dlreg.config.schema import Config
from dlreg.pipeline.limits import limits_of
from dlreg.runs.names import FILES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = typer.main.get_command(cli.app).commands


def blocks(language: str, containing: str = "") -> list[str]:
    return [text for kind, text in BLOCKS if kind == language and containing in text]


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


def test_the_first_command_prints_what_the_readme_shows(clone):
    (line,) = blocks("sh", "pip install . &&")
    done = shell(line.partition("&&")[2].strip(), clone)
    assert done.returncode == 0, done.stderr
    (shown,) = blocks("text", "progression (")

    def shape(text: str) -> list[str]:
        # Another processor rounds differently, which may change an epoch or a digit.
        table = text.splitlines()[:7]
        return [re.sub(r"-?[0-9][0-9.,]*", "0", " ".join(row.split())) for row in table]

    assert shape(done.stdout) == shape(shown)
    assert done.stdout.endswith("Run directory: runs/diabetes-1\n")


def test_the_commands_for_a_table_of_ones_own_run_in_this_order(clone):
    (script,) = blocks("sh", "dlreg init")
    done = shell(script, clone)
    assert done.returncode == 0, done.stderr
    assert (clone / "predictions.csv").read_text().startswith("row,y_pred\n")
    (snippet,) = blocks("python", "onnxruntime")
    done = subprocess.run(
        [sys.executable, "-c", snippet + "\nassert 5 < minutes.item() < 60, minutes"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_preset_trains_as_shown_in_fewer_steps(clone):
    (script,) = blocks("sh", "configs/accurate.yaml")
    done = shell(f"{script.strip()} --set training.auto_steps=64", clone)
    assert done.returncode == 0, done.stderr
    assert "out_of_fold" in done.stdout
    assert blocks("yaml", "preset: accurate")[0] in (ROOT / "configs" / "accurate.yaml").read_text()


def test_the_schema_is_written_as_shown(clone):
    (script,) = blocks("sh", "dlreg schema")
    assert shell(script, clone).returncode == 0
    assert json.loads((clone / "dlreg.schema.json").read_text())["title"] == "dlreg config"


def test_the_script_for_ci_trains_gates_and_compares(clone):
    (script,) = blocks("bash", "usage: ci.sh")
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
def test_every_command_and_option_is_documented(name):
    (row,) = re.findall(rf"^\| `dlreg {name}[ `].*$", README, re.MULTILINE)
    for parameter in COMMANDS[name].params:
        options = [option for option in parameter.opts if option.startswith("--")]
        if options and options != ["--help"]:
            short = [option for option in parameter.opts if not option.startswith("--")]
            assert any(re.search(rf"[` ]{option}\b", row) for option in options + short), options


def test_no_other_command_is_promised():
    assert set(re.findall(r"^\| `dlreg (\w+)", README, re.MULTILINE)) == set(COMMANDS)


def test_every_json_object_is_documented():
    (table,) = re.findall(r"^\| command \| further names \|\n(.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    printing = {
        name
        for name, command in COMMANDS.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == printing


def test_every_exit_code_is_documented():
    codes = {str(kind.exit_code) for kind in errors.DlregError.__subclasses__()} | {"0", "1", "130, 143"}
    (table,) = re.findall(r"^## Exit codes\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| ([0-9, ]+) \|", table, re.MULTILINE)) == codes


def test_every_file_of_a_run_is_documented():
    (table,) = re.findall(r"^## The run directory\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    drawn_when_asked_for = {"predictions.png", "residuals.png", "importance.png"}
    assert all(f"`{name}`" in README for name in drawn_when_asked_for)
    named = set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE))
    assert named == {name for name in FILES if name[0] != "."} - drawn_when_asked_for


def test_every_dependency_is_justified():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w.-]+", line).group() for line in project["dependencies"]}
    (table,) = re.findall(r"^\| package \| for \|\n(.*?)\n\n", README, re.MULTILINE | re.DOTALL)
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
    assert blocks("yaml", "Every key with its default") == [full]
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
    shown = blocks("yaml", "progression")[0]
    config = (ROOT / "configs" / "diabetes.yaml").read_text(encoding="utf-8")
    assert shown in config


def test_what_the_readme_points_to_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


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
    assert f"{none.n_bytes >> 20} MB + {(one.n_bytes - none.n_bytes) >> 10} kB n" in text

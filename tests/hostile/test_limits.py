"""What is larger than any real table or config is refused at once, by every command that reads one."""

import json
import shutil
import sys

import pytest
from support.measuring import measure
from support.tables import folder_with, plain_table

from dlreg.config.yaml_source import MAX_KEYS
from dlreg.runs.reading import record_json
from dlreg.table.csv_scan import MAX_COLUMNS, MAX_ROW_BYTES

# Each is read in blocks of 8 MiB, and copied a few times until the limit is seen.
MOST_MIB, MOST_SECONDS = 200, 2.0
CELL = 30_000_000

TABLES = {
    "columns": lambda: ",".join(f"c{index}" for index in range(3 * MAX_COLUMNS)) + "\n",
    "header": lambda: "x" * CELL + ",y\n1,2\n",
    "cell": lambda: "a,b,y\n" + "x" * CELL + ",1,2\n",
    "quoted": lambda: 'a,b,y\n"' + "x\n" * (CELL // 2) + '",1,2\n',
    # Its blocks are as large as any.
    "wide": lambda: ",".join(f"c{index}" for index in range(20_000)) + ',y\n"' + "x\n" * CELL,
}
SAYS = {
    "columns": f"columns.csv:1: a table has at most {MAX_COLUMNS:,} columns, found 300,000",
    "header": f"header.csv:1: a row has at most {MAX_ROW_BYTES:,} bytes",
    "cell": f"cell.csv:2: a row has at most {MAX_ROW_BYTES:,} bytes",
    "quoted": f"quoted.csv:2: a row has at most {MAX_ROW_BYTES:,} bytes",
    "wide": f"wide.csv:2: a row has at most {MAX_ROW_BYTES:,} bytes",
}
COMMANDS = {
    "check": ("check", "config.yaml", "--set", "data.path={}"),
    "train": ("train", "config.yaml", "--data", "{}", "--run-dir", "new"),
    "init": ("init", "{}", "--target", "y"),
    "predict": ("predict", "run", "{}", "-o", "predictions.csv"),
    "evaluate": ("evaluate", "run", "--data", "{}"),
}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process its peak memory")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, project):
    path = tmp_path_factory.mktemp("limits")
    shutil.copytree(project / "run", path / "run")
    shutil.copy(project / "table.csv", path / "good.csv")
    folder_with(path, plain_table())
    return path


@pytest.fixture(scope="module")
def measured(folder):
    for name, content in TABLES.items():
        (folder / f"{name}.csv").write_text(content())
    good = [
        [part.format("table.csv" if command in ("check", "init") else "good.csv") for part in arguments]
        for command, arguments in COMMANDS.items()
        if command != "train"
    ]
    pairs = [(command, name) for name in TABLES for command in COMMANDS]
    jobs = [[part.format(f"{name}.csv") for part in COMMANDS[command]] for command, name in pairs]
    return dict(zip(pairs, measure([*good, jobs[0]], jobs, folder), strict=True))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_beyond_all_limits_is_refused_at_once_and_without_memory(measured, command, name):
    done = measured[command, name]
    printed = done.out if command == "check" else done.err
    assert done.code == 4 and SAYS[name] in printed, done
    assert len(printed) < 1000 and "Traceback" not in done.err
    assert done.mib < MOST_MIB
    assert done.seconds < MOST_SECONDS


def test_blank_lines_in_bulk_cost_next_to_nothing(folder):
    body = (folder / "table.csv").read_text().split("\n", 1)
    (folder / "blank.csv").write_text(f"{body[0]}\n" + "\n" * 30_000_000 + body[1])
    check = ["check", "config.yaml", "--format", "json", "--set"]
    jobs = [[*check, f"data.path={name}.csv"] for name in ("table", "blank")]
    good, blank = measure(jobs[:1], jobs, folder)
    assert good.code == blank.code == 0
    assert json.loads(good.out)["plan"] == json.loads(blank.out)["plan"]
    assert blank.mib < good.mib + MOST_MIB
    assert blank.seconds < good.seconds + MOST_SECONDS


@pytest.mark.parametrize("n_keys", [8000, MAX_KEYS + 10])
def test_a_config_of_unknown_keys_does_not_fill_the_screen(folder, cli, n_keys):
    lines = "".join(f"  key{index}: 1\n" for index in range(n_keys - 4))
    (folder / "keys.yaml").write_text(f"data: {{path: table.csv, target: y}}\nmodel:\n{lines}")
    done = cli("check", "keys.yaml", cwd=folder)
    assert done.returncode == 3 and len(done.stdout) < 6000
    if n_keys > MAX_KEYS:
        assert f"a config has at most {MAX_KEYS:,} keys" in done.stdout
        return
    assert f"and {n_keys - 24:,} more like the one above, {n_keys - 4:,} in all" in done.stdout
    assert cli("check", "keys.yaml", "--format", "github", cwd=folder).stdout.count("\n") < 25
    report = json.loads(cli("check", "keys.yaml", "--format", "json", cwd=folder).stdout)
    assert (len(report["faults"]), report["fault_count"]) == (21, n_keys - 4)
    done = cli("train", "keys.yaml", cwd=folder)
    assert done.returncode == 3 and len(done.stderr) < 6000 and f"{n_keys - 4:,} in all" in done.stderr


def test_thousands_of_foreign_files_in_a_run_are_counted(folder, cli):
    run = folder / "crowded"
    shutil.copytree(folder / "run", run)
    for index in range(3000):
        (run / f"foreign{index}").touch()
    done = cli("verify", "crowded", cwd=folder)
    assert done.returncode == 5 and len(done.stderr) < 5000
    assert "and 2,980 more like the one above, 3,000 in all" in done.stderr
    report = json.loads(cli("verify", "crowded", "--json", cwd=folder).stdout)
    assert (len(report["faults"]), report["fault_count"]) == (21, 3000)
    done = cli("train", "config.yaml", "--run-dir", "crowded", "--overwrite", cwd=folder)
    assert done.returncode == 0 and len(done.stderr) < 1000
    assert len(list(run.glob("foreign*"))) == 3000


def test_thousands_of_missing_files_in_a_run_are_counted(folder, cli):
    run = folder / "listed"
    shutil.copytree(folder / "run", run)
    record = json.loads((run / "run.json").read_text())
    record.pop("sha256")
    entry = next(iter(record["files"].values()))
    record["files"] |= {f"missing{index}": entry for index in range(3000)}
    (run / "run.json").write_bytes(record_json(record))
    done = cli("verify", "listed", cwd=folder)
    assert done.returncode == 5 and len(done.stderr) < 5000 and "3,000 in all" in done.stderr

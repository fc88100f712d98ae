"""A list of runs on a narrow terminal: no name gets lost, and no number is cut off."""

import pytest

from dlreg.cli.run_tables import print_runs

SMALL = {"choosing_rmse": 1.312e-30, "test_rmse": 1.149e-30, "test_rmse_interval": (8.357e-31, 1.437e-30)}
PLAIN = {"choosing_rmse": 2.138, "test_rmse": 1.756, "test_rmse_interval": (1.566, 1.952)}


def report(name, numbers):
    run = {"run_dir": f"runs/{name}", "started": "2026-11-27T13:25", "status": "complete", "rows": 4000}
    return {"folder": "runs", "runs": [{**run, **numbers, "differs": {}}]}


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("numbers", [SMALL, PLAIN])
def test_names_and_numbers_are_whole(monkeypatch, capsys, columns, numbers):
    monkeypatch.setenv("COLUMNS", str(columns))
    print_runs(report("a_long_name_of_a_run-17", numbers))
    lines = capsys.readouterr().out.splitlines()
    # Columns stand one below the other, so that a name goes on in the same place.
    name = "".join(line[:23].split("  ")[0].strip() for line in lines if not line.startswith("run "))
    assert name.replace(" ", "") == "a_long_name_of_a_run-17"
    text = " ".join(lines)
    for number in [numbers["choosing_rmse"], numbers["test_rmse"], *numbers["test_rmse_interval"]]:
        assert f"{number:.4g}" in text


def test_what_fits_has_a_line_for_each_run(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    print_runs(report("mine", PLAIN))
    assert len(capsys.readouterr().out.splitlines()) == 2

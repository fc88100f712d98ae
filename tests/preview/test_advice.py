"""What looks like a mistake is told, and what is right is not."""

import numpy as np
import pandas as pd
import pytest
from support.tables import folder_with, plain_table

from dlreg.commands.check import check
from dlreg.config.keys import SECTIONS

N = 200


def with_target_in(table):
    return table.assign(leak=table["y"] * 3 - 7)


def with_answer_level(table):
    return table.assign(level=np.repeat(["p", "q"], N // 2), y=np.repeat([1.0, 2.0], N // 2))


def with_sum(table):
    generator = np.random.default_rng(5)
    return table.assign(u=generator.poisson(9, N), v=generator.poisson(5, N)).assign(
        y=lambda t: t["u"] + t["v"]
    )


def with_repeated_rows(table):
    return pd.concat([table, table]).sample(frac=1, random_state=1)


def with_days(table):
    return table.assign(day=pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d"))


WARNINGS = {
    "target among the features": (with_target_in, "", "column 'leak' follows exactly the target"),
    "target as a feature": (lambda t: t.assign(same=t["y"]), "", "column 'same' equals the target"),
    "a level says the target": (with_answer_level, "", "each level of column 'level' has one value"),
    "a sum is the target": (with_sum, "", "a weighted sum of the columns 'u', 'v'"),
    "numbered rows": (lambda t: t.assign(id=range(7, N + 7)), "", "column 'id' numbers the rows"),
    "numbers shuffled": (lambda t: t.assign(id=np.random.default_rng(6).permutation(N)), "", "column 'id' numbers the rows"),
    "rows twice": (with_repeated_rows, "", "rows are also among the training or validation rows"),
    "in order of time": (with_days, "", "the rows are in the order of column 'day'"),
    "constant": (lambda t: t.assign(c=1), "", "column 'c' has one value in every training row"),
    "few rows": (lambda t: t.head(24), "training: {batch_size: 8}", "15 training rows for 2 features"),
    "names that look alike": (lambda t: t.assign(**{"a\u200b ": t["b"] + 1}), "", "'a' and 'a\\u200b ' differ in nothing"),
    "a target that looks alike": (lambda t: t.assign(**{" y": t["b"] + 1}), "", "'y' and ' y' differ in nothing"),
    "large batch": (lambda t: t, "training: {batch_size: 500}", "training.batch_size is 500, above the 128"),
    "linear": (lambda t: t, "model: {activation: linear}", "model.activation is linear"),
    "idle time zone": (lambda t: t, "  time_zone: UTC", "data.time_zone is UTC, but no column"),
    "idle calendar": (lambda t: t, "preprocessing: {dates: calendar}", "preprocessing.dates is calendar, but no"),
    "idle holidays": (lambda t: t, "  holidays: KR", "data.holidays is KR, but no column"),
    "unscaled days": (with_days, "preprocessing: {numeric: none}", "preprocessing.numeric is none"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "config", "fragment"), WARNINGS.values(), ids=WARNINGS.keys())
def test_what_looks_like_a_mistake_is_a_warning(tmp_path, change, config, fragment):
    path = folder_with(tmp_path, change(plain_table(N)), f"{config}\n")
    report = check(path)
    assert report.exit_code == 0
    (warning,) = (fault for fault in report.warnings if fragment in fault.message)
    assert warning.hint
    assert warning.line
    strict = check(path, strict=True)
    assert strict.exit_code == (3 if fragment.partition(".")[0] in SECTIONS else 4)
    assert warning in strict.faults
    assert (strict.warnings, strict.plan) == ((), None)


CALM = {
    "plain": (lambda t: t, ""),
    "numbered rows left out": (lambda t: t.assign(id=range(N)), "  exclude: [id]\n"),
    "split by time": (with_days, "  split: time\n  split_by: day\n"),
    "days in no order": (lambda t: with_days(t).assign(day=lambda u: u["day"].sample(frac=1, random_state=2).to_numpy()), ""),
    "linear without layers": (lambda t: t, "model: {activation: linear, hidden_layers: []}\n"),
    "close but no leak": (lambda t: t.assign(near=t["y"] + np.random.default_rng(7).normal(0, 0.1, N)), ""),
    "levels with spread": (lambda t: t.assign(level=np.random.default_rng(8).choice(["p", "q"], N)), ""),
    "whole numbers": (lambda t: t.assign(count=np.random.default_rng(9).integers(0, 1000, N)), ""),
}  # fmt: skip


@pytest.mark.parametrize(("change", "config"), CALM.values(), ids=CALM.keys())
def test_what_is_right_makes_no_warning(tmp_path, change, config):
    report = check(folder_with(tmp_path, change(plain_table(N)), config), strict=True)
    assert (report.exit_code, report.faults, report.warnings) == (0, (), ())


def test_a_wrong_encoding_that_reads_every_byte_is_an_error(tmp_path):
    table = plain_table(N).assign(바람속도=1.5 * np.arange(N) % 7)
    path = folder_with(tmp_path, table, encoding="latin-1")
    (fault,) = check(path).faults
    assert (fault.message, fault.hint) == (
        "the file is UTF-8 text, data.encoding is latin-1",
        "Set data.encoding: utf-8",
    )
    table.to_csv(tmp_path / "table.csv", index=False, encoding="cp949")
    assert check(path, ["data.encoding=cp949"]).warnings == ()


def test_a_gate_on_intervals_that_few_rows_would_calibrate_is_a_warning(tmp_path):
    for n_rows, n_warnings in ((44, 1), (60, 0)):
        path = folder_with(tmp_path, plain_table(n_rows), "gates: [coverage_90<0.8]\n")
        told = [warning for warning in check(path).warnings if warning.message.startswith("gates[0]")]
        assert len(told) == n_warnings
        assert all(
            "intervals, which take 9 rows to calibrate; found 7" in warning.message for warning in told
        )


def test_ids_are_seen_although_rows_without_a_target_are_dropped(tmp_path):
    table = plain_table(N).assign(id=range(N))
    table.loc[3::11, "y"] = np.nan
    report = check(folder_with(tmp_path, table))
    assert any("'id' numbers the rows" in warning.message for warning in report.warnings)

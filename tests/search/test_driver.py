import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.search_driver import EPOCHS, OWN_VALUES, SPACE, Shuffled, open_it, result_of

from dlreg.errors import ClusterError, RunDirError, StorageError
from dlreg.search.driver import search
from dlreg.search.sampling import open_study
from dlreg.search.trials import TrialResult

N_TRIALS = 40


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a search gives in one go, one trial at a time in order."""
    study = open_it(tmp_path_factory.mktemp("undisturbed"))
    assert search(study, Shuffled(1, 0), trials=N_TRIALS) == "complete"
    return study.trials()


def test_a_study_has_exactly_as_many_trials_as_asked_for_the_first_the_config_itself(undisturbed):
    assert [trial.number for trial, _ in undisturbed] == list(range(N_TRIALS))
    assert undisturbed[0][0].values == OWN_VALUES
    assert {result.state for _, result in undisturbed} == {"complete", "pruned", "failed"}


@pytest.mark.parametrize(("n_jobs", "seed"), [(2, 1), (4, 2), (8, 3), (3, 4)])
def test_in_whatever_order_trials_end_the_study_is_the_same(tmp_path, undisturbed, n_jobs, seed):
    study = open_it(tmp_path)
    search(study, Shuffled(n_jobs, seed), trials=N_TRIALS)
    assert study.trials() == undisturbed
    assert open_it(tmp_path).trials() == undisturbed


def test_a_study_that_is_made_longer_is_the_same_as_one_that_was_so_from_the_beginning(tmp_path, undisturbed):
    for n_trials in (1, 7, 20, N_TRIALS):
        search(open_it(tmp_path), Shuffled(4, n_trials), trials=n_trials)
        assert open_it(tmp_path).trials() == undisturbed[:n_trials]


def test_values_follow_from_the_results_of_trials_a_window_before_and_no_others(tmp_path, undisturbed):
    """With another result of trial 20, trials up to 27 are the same, and some behind them are not."""

    class OtherTwenty(Shuffled):
        def wait(self, seconds):
            return [replace(result, state="complete", value=-5.0) if result.number == 20 else result for result in super().wait(seconds)]  # fmt: skip

    study = open_it(tmp_path)
    search(study, OtherTwenty(4, 1), trials=N_TRIALS)
    trials, usual = [trial for trial, _ in study.trials()], [trial for trial, _ in undisturbed]
    assert trials[:28] == usual[:28]
    assert trials[28] != usual[28]


def test_a_killed_driver_loses_no_trial_and_repeats_none(tmp_path, undisturbed):
    """Kills at random moments, some in the middle of a line, which are then cut at random as well."""
    generator = random.Random(7)
    command = [
        sys.executable,
        "-m",
        "support.search_driver",
        str(tmp_path),
        str(N_TRIALS),
        "0.003",
        "shuffled",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parents[1]}"}
    journal, kills = tmp_path / "journal.log", 0
    while kills < 12:
        driver = subprocess.Popen([*command, str(kills)], env=environment, stdout=subprocess.DEVNULL)
        size = journal.stat().st_size if journal.exists() else 0
        while driver.poll() is None and (not journal.exists() or journal.stat().st_size <= size):
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 0.03))
        if driver.poll() is not None:
            break
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        kills += 1
        known = open_it(tmp_path).trials() if kills % 2 else []
        assert known == [] or [t for t, _ in known] == [t for t, _ in undisturbed[: len(known)]]
        if generator.random() < 0.5:
            content = journal.read_bytes()
            journal.write_bytes(content[: len(content) - generator.randrange(400)])
    assert kills >= 3
    subprocess.run([*command, "99"], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert open_it(tmp_path).trials() == undisturbed


def test_wherever_the_journal_ends_the_study_goes_on_to_the_same(tmp_path, undisturbed):
    search(open_it(tmp_path), Shuffled(4, 1), trials=14)
    journal = tmp_path / "journal.log"
    content = journal.read_bytes()
    for length in random.Random(3).sample(range(len(content)), 60):
        journal.write_bytes(content[:length])
        study = open_it(tmp_path)
        search(study, Shuffled(4, length), trials=14)
        assert study.trials() == open_it(tmp_path).trials() == undisturbed[:14]


def test_trials_without_a_result_are_handed_out_again_and_those_with_one_are_not(tmp_path):
    engine = Shuffled(8, 1)
    endings = iter([False, False, False, True])
    assert search(open_it(tmp_path), engine, trials=N_TRIALS, should_stop=lambda: next(endings)) == "stopped"
    before = open_it(tmp_path).trials()
    unfinished = [trial for trial, result in before if result is None]
    assert unfinished and len(unfinished) < len(before)

    handed_out = []

    class Recording(Shuffled):
        def submit(self, trial):
            handed_out.append(trial)
            super().submit(trial)

    search(open_it(tmp_path), Recording(8, 2), trials=N_TRIALS)
    assert handed_out[: len(unfinished)] == unfinished
    numbers = [trial.number for trial in handed_out]
    assert sorted(numbers) == sorted(
        {trial.number for trial in unfinished} | set(range(len(before), N_TRIALS))
    )


def test_a_result_that_comes_twice_counts_once(tmp_path, undisturbed):
    class Twice(Shuffled):
        def wait(self, seconds):
            results = super().wait(seconds)
            return results + [replace(result, value=-100.0) for result in results]

    told = []
    study = open_it(tmp_path)
    search(study, Twice(4, 1), trials=20, on_result=lambda _, result: told.append(result.number))
    assert study.trials() == undisturbed[:20]
    assert sorted(told) == list(range(20))


def test_a_lost_cluster_leaves_a_study_that_goes_on(tmp_path, undisturbed):
    class Lost(Shuffled):
        def wait(self, seconds):
            if len(self._trials) and self._trials[-1].number > 20:
                raise ClusterError("all nodes are gone")
            return super().wait(seconds)

    with pytest.raises(ClusterError):
        search(open_it(tmp_path), Lost(4, 1), trials=N_TRIALS)
    study = open_it(tmp_path)
    search(study, Shuffled(4, 1), trials=N_TRIALS)
    assert study.trials() == undisturbed


def test_at_the_deadline_no_more_is_asked_but_there_is_one_complete_trial(tmp_path):
    study = open_it(tmp_path)
    assert search(study, Shuffled(1, 1), trials=N_TRIALS, deadline=time.monotonic() - 1) == "time_limit"
    results = [result for _, result in study.trials() if result]
    assert [result.state for result in results] == ["complete"]


def test_a_deadline_ends_a_search_whose_trials_all_fail(tmp_path):
    class Failing(Shuffled):
        def wait(self, seconds):
            return [replace(result, state="failed", value=None) for result in super().wait(seconds)]

    study = open_it(tmp_path)
    assert search(study, Failing(1, 1), trials=N_TRIALS, deadline=time.monotonic() - 1) == "time_limit"
    assert 8 <= sum(result is not None for _, result in study.trials()) < 12


def test_a_deadline_ends_a_search_whose_trials_never_end(tmp_path):
    class Slow(Shuffled):
        def wait(self, seconds):
            if self._trials and self._trials[0].number == 0:
                return [result_of(self._trials.pop(0))]
            time.sleep(seconds)
            return []

    began = time.monotonic()
    assert search(open_it(tmp_path), Slow(2, 1), trials=N_TRIALS, deadline=began + 0.3) == "time_limit"
    assert time.monotonic() - began < 2


def test_a_deadline_waits_for_the_config_itself_and_asks_for_no_more(tmp_path):
    class OwnLast(Shuffled):
        submitted, looks = 0, 0

        def submit(self, trial):
            self.submitted += 1
            super().submit(trial)

        def wait(self, _):
            self.looks += 1
            is_own_due = self.looks > 5 or len(self._trials) == 1
            place = next(place for place, trial in enumerate(self._trials) if is_own_due or trial.number)
            return [result_of(self._trials.pop(place))]

    study, engine = open_it(tmp_path), OwnLast(4, 1)
    assert search(study, engine, trials=N_TRIALS, deadline=time.monotonic() - 1) == "time_limit"
    numbers = [trial.number for trial, result in study.trials() if result]
    assert 0 in numbers and 1 < len(numbers) < N_TRIALS
    assert engine.submitted <= 2 * engine.n_jobs + len(numbers)


def test_no_more_than_twice_the_jobs_are_handed_out(tmp_path):
    class Counting(Shuffled):
        most = 0

        def submit(self, trial):
            super().submit(trial)
            self.most = max(self.most, len(self._trials))

    engine = Counting(2, 1)
    search(open_it(tmp_path), engine, trials=N_TRIALS)
    assert engine.most == 4


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_a_value_that_cannot_be_compared_is_a_failed_trial(tmp_path, value):
    class Bad(Shuffled):
        def wait(self, _):
            trials, self._trials = self._trials, []
            return [
                TrialResult(trial.number, "complete", value if trial.number == 3 else 1.0) for trial in trials
            ]

    search(open_it(tmp_path), Bad(2, 1), trials=6)
    result = open_it(tmp_path).trials()[3][1]
    assert result.state == "failed" and "finite" in result.message


def test_a_damaged_journal_is_a_fault_of_the_study(tmp_path):
    search(open_it(tmp_path), Shuffled(4, 1), trials=10)
    journal = tmp_path / "journal.log"
    lines = journal.read_text().splitlines(keepends=True)
    for place, line in ((3, "{\n"), (3, "[]\n"), (3, '{"op_code":4}\n'), (len(lines) - 1, "nonsense\n"),
                        (0, ""), (1, ""), (3, "")):  # fmt: skip
        journal.write_text("".join([*lines[:place], line, *lines[place + 1 :]]))
        with pytest.raises(RunDirError, match=r"journal\.log: the journal of the study is damaged"):
            open_it(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"value": "low"}, {"metrics": 5}, {"metrics": {"validation": {"rmse": []}}}, {"seconds": None},
     {"state": "fine"}, {"message": 3}],
)  # fmt: skip
def test_a_result_of_another_shape_is_a_fault_of_the_study(tmp_path, wrong):
    search(open_it(tmp_path), Shuffled(1, 1), trials=3)
    journal = tmp_path / "journal.log"
    changes = [json.loads(line) for line in journal.read_text().splitlines()]
    for change in changes:
        if "result" in change.get("user_attr", {}):
            change["user_attr"]["result"] |= wrong
    journal.write_text("".join(f"{json.dumps(change)}\n" for change in changes))
    with pytest.raises(RunDirError, match="the journal of the study is damaged"):
        open_it(tmp_path)


def test_a_journal_that_would_never_end_or_is_too_deep_is_a_fault_of_the_study(tmp_path):
    search(open_it(tmp_path), Shuffled(1, 1), trials=3)
    journal = tmp_path / "journal.log"
    content = journal.read_text()
    for wrong in (content.replace('"window":8', '"window":0'), f"{'[' * 100_000}\n"):
        assert wrong != content
        journal.write_text(wrong)
        with pytest.raises(RunDirError, match="the journal of the study is damaged"):
            open_it(tmp_path)


def test_any_byte_of_a_journal_may_be_wrong_without_a_traceback(tmp_path):
    search(open_it(tmp_path), Shuffled(4, 1), trials=6)
    journal = tmp_path / "journal.log"
    content, generator = journal.read_bytes(), random.Random(5)
    for _ in range(150):
        wrong = bytearray(content)
        wrong[generator.randrange(len(wrong))] = generator.randrange(256)
        journal.write_bytes(wrong)
        with contextlib.suppress(RunDirError):
            open_it(tmp_path).trials()


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"seed": 43}, "seed"), ({"method": "random"}, "method"), ({"maximise": True}, "maximise"),
     ({"own_values": {}}, "own values"), ({"space": {"model.dropout": SPACE["model.dropout"]}}, "space")],
)  # fmt: skip
def test_a_study_is_not_gone_on_with_as_another(tmp_path, changed, named):
    search(open_it(tmp_path), Shuffled(4, 1), trials=3)
    plan = {"space": SPACE, "method": "tpe", "seed": 42, "window": 8, "maximise": False, "own_values": OWN_VALUES,
            "prune_epochs": EPOCHS}  # fmt: skip
    with pytest.raises(RunDirError, match=f"has another {named}"):
        open_study(tmp_path / "journal.log", **(plan | changed))


def test_a_study_keeps_the_window_it_began_with(tmp_path):
    search(open_it(tmp_path, window=8), Shuffled(4, 1), trials=20)
    longer = open_it(tmp_path, window=32)
    assert longer.plan.window == 8


def test_a_full_disk_is_told_and_leaves_the_journal_as_it_was(tmp_path, monkeypatch):
    search(open_it(tmp_path), Shuffled(4, 1), trials=5)
    before = (tmp_path / "journal.log").read_bytes()

    def write_half(descriptor, content):
        os.write(descriptor, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    study = open_it(tmp_path)
    monkeypatch.setattr("dlreg.search.journal_file.write_all", write_half)
    with pytest.raises(StorageError, match="no space left"):
        search(study, Shuffled(4, 1), trials=10)
    assert (tmp_path / "journal.log").read_bytes() == before


def test_optuna_itself_reads_the_journal(tmp_path):
    import optuna
    from optuna.storages.journal import JournalFileBackend

    study = open_it(tmp_path)
    search(study, Shuffled(4, 1), trials=N_TRIALS)
    backend = JournalFileBackend(str(tmp_path / "journal.log"))
    read = optuna.load_study(study_name="dlreg", storage=optuna.storages.JournalStorage(backend))
    complete = [result for _, result in study.trials() if result.state == "complete"]
    assert read.best_value == min(result.value for result in complete)
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    assert [trial.state.name for trial in read.trials] == [
        states[result.state] for _, result in study.trials()
    ]


def test_nothing_is_said(tmp_path, capfd, recwarn):
    search(open_it(tmp_path), Shuffled(4, 1), trials=20)
    open_it(tmp_path)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_a_journal_that_is_a_link_is_not_followed(tmp_path):
    """What a stranger's study points to keeps its last line, which has no end."""
    other = tmp_path / "other.txt"
    other.write_text("first\nlast")
    (tmp_path / "journal.log").symlink_to(other)
    with pytest.raises(RunDirError, match="expected a plain file, found a link"):
        open_it(tmp_path)
    assert other.read_text() == "first\nlast"


def test_how_sure_the_own_values_are_is_kept_with_them(tmp_path):
    study = open_it(tmp_path)
    result = replace(result_of(study.next_trial(1)), state="complete", value=2.0, interval=(1.5, 2.75))
    study.tell(result)
    study.save(is_last=True)
    assert open_it(tmp_path).trials()[0][1] == result

"""Of thousands of faults the first of each kind are told, and how many there are."""

import pytest

from dlreg.errors import MOST_OF_A_KIND, DataError, DlregWarning, Fault, abridged, abridged_notes, warn


def test_few_faults_are_all_told_as_they_are():
    faults = [Fault(f"unknown key model.key{number}", "c.yaml", number) for number in range(MOST_OF_A_KIND)]
    assert list(abridged(faults)) == faults


def test_behind_the_first_faults_of_a_kind_is_how_many_more_there_are():
    unknown = [Fault(f"unknown key model.{name}") for name in ("alpha", "b2", "x y") for _ in range(2667)]
    other = Fault("model.dropout must be a number from 0, found -1")
    told = list(abridged([*unknown[:8000], other]))
    assert told[:20] == unknown[:20] and told[21] == other
    assert told[20].message == "and 7,980 more like the one above, 8,000 in all"
    assert len(told) == 22


def test_kinds_are_told_apart_whatever_names_they_hold():
    messages = ["column {!r} is missing in 3 rows", "there is no column {!r}", "unknown key {}"]
    names = ["a", "it's", 'say "x"', "two words", "no 7", "`tick`", "a.b[3]"] * 5
    faults = [Fault(message.format(name)) for message in messages[:2] for name in names]
    faults += [Fault(messages[2].format(name.split()[0].strip('"`'))) for name in names]
    told = [fault.message for fault in abridged(faults)]
    assert [message for message in told if message.startswith("and ")] == [
        "and 15 more like the one above, 35 in all"
    ] * 3
    assert len(told) == 3 * (MOST_OF_A_KIND + 1)


def test_a_file_that_makes_kinds_of_its_own_does_not_fill_the_screen():
    letters = [f"{a}{b}{c}" for a in "abcdefghij" for b in "abcdefghij" for c in "abcdefghij"]
    told = list(abridged([Fault(f"{word} {word} is wrong") for word in letters]))
    assert len(told) < 50
    assert told[-1].message == "and 960 more like the one above, 980 in all"


def test_an_error_keeps_all_of_its_faults_and_tells_some():
    error = DataError(*(Fault(f"there is no column 'c{number}'") for number in range(20_000)))
    assert len(error.faults) == 20_000
    assert str(error).count("\n") == MOST_OF_A_KIND and "20,000 in all" in str(error)


def test_notes_are_told_in_the_same_way():
    notes = [f"3 of 9 cells are missing in column 'c{number}'" for number in range(21)]
    assert abridged_notes(notes) == [*notes[:20], "and 1 more like the one above, 21 in all"]


def test_a_warning_is_of_the_line_that_called_the_door_of_python_and_else_of_the_line_that_warns():
    door = {"__name__": "dlreg.api.run", "below": lambda: warn("a note")}
    exec(compile("def ask():\n    below()", "door.py", "exec"), door)
    for call in (door["ask"], door["below"]):
        with pytest.warns(DlregWarning, match="a note") as caught:
            call()
        assert [warning.filename for warning in caught] == [__file__]
    # Whatever stands between the door and the line that warns.
    inner = {"__name__": "dlreg.api.notes", "ask": door["ask"]}
    exec(compile("def outer():\n    ask()", "outer.py", "exec"), inner)
    with pytest.warns(DlregWarning) as caught:
        inner["outer"]()
    assert [warning.filename for warning in caught] == [__file__]

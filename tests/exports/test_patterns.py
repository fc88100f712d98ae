"""The automaton of a date's pattern accepts what the pattern does."""

import re
from random import Random

import pytest
from support.pipelines import DATE_FORMATS

from dlreg.errors import RunDirError
from dlreg.exports.c.patterns import automaton
from dlreg.table.dates import date_pattern

FORMATS = (
    *DATE_FORMATS.values(),
    "epoch_milliseconds",
    "%d.%m.%Y",
    "%Y년 %m월 %d일",
    "%I%p on %d/%m/%y",
    "[%Y] (%j)?",
)
EXAMPLES = (
    "2024-02-29", "1/2/2020 3:4", "20200101235959", "1-Jan-20", "on May 3, 2020 at 1:2:3.45!", "2020-01-01T00:00:00Z",
    "2020", "Monday, 1 January 2020 12:00:00 pm", "12:59", "2020-01-01T00:00:00 +01:00", "2020/366", "-12.5", "12.0",
    "2020년 1월 2일", "3AM on 1/2/20", "[2020] (001)?", "1.2.2020",
)  # fmt: skip


def accepts(machine, text):
    state = 1
    for byte in text.encode():
        state = machine.next_states[state * machine.n_classes + machine.classes[byte]]
    return bool(machine.accepts[state])


@pytest.mark.parametrize("date_format", FORMATS)
def test_an_automaton_accepts_what_its_pattern_does(date_format):
    pattern = date_pattern(date_format)
    machine, random, accepted = automaton(pattern), Random(1), 0
    for _ in range(4000):
        text = list(random.choice(EXAMPLES))
        for _ in range(random.randrange(3)):
            place = random.randint(0, len(text))
            text[place : place + random.randrange(2)] = [random.choice(["", *"059:-+/ .,TZaP!é년\\"])]
        whole = "".join(text)
        assert accepts(machine, whole) == bool(re.fullmatch(pattern, whole)), whole
        accepted += accepts(machine, whole)
    assert accepted


def test_automata_are_small():
    assert max(len(automaton(date_pattern(date_format)).accepts) for date_format in FORMATS) < 1000


def test_what_is_no_pattern_of_dates_is_refused():
    with pytest.raises(RunDirError):
        automaton("[0-9])")

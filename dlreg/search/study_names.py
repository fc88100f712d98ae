"""The name of every file of a study directory. Whoever reads or writes one takes its name from here."""

from pathlib import Path

FOLDER = Path("studies")

STUDY = "study.json"
CONFIG = "config.yaml"
JOURNAL = "journal.log"
TRIALS = "trials.csv"
FIGURE = "search.png"
BEST_CONFIG = "best.yaml"

# Run directories.
BEST = "best"
PLAIN = "plain"

FILES = frozenset({STUDY, CONFIG, JOURNAL, TRIALS, FIGURE, BEST_CONFIG})
RUNS = (BEST, PLAIN)

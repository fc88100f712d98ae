"""What a shell offers: config keys and their values, columns, metrics, runs, pages. How it is told to ask."""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer

from dlreg.errors import Fault, UsageError
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.limits import INTERVAL_METRIC_NAMES, METRIC_NAMES, RUN_PARTS
from dlreg.wording import nearest_word

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
_INSTALL, _SHOW = "--install-completion", "--show-completion"


def complete_override(incomplete: str) -> list[tuple[str, str]]:
    """The keys, or after `=` the values, that begin with what is typed; each with what it means."""
    from dlreg.config.keys import named_values, override_keys

    key, equals, typed = incomplete.partition("=")
    if not equals:
        return [(f"{name}=", meaning) for name, meaning in override_keys().items() if name.startswith(key)]
    return [(f"{key}={value}", "") for value in named_values(key) if value.startswith(typed)]


def complete_search(incomplete: str) -> list[tuple[str, str]]:
    """The keys that may be searched, or behind `=` and commas their values, that begin with what is typed."""
    from dlreg.config.keys import named_values, override_keys
    from dlreg.config.search_faults import is_searchable

    key, equals, typed = incomplete.partition("=")
    if not equals:
        keys = [(name, meaning) for name, meaning in override_keys().items() if name.startswith(key)]
        return [(f"{name}=", meaning) for name, meaning in keys if is_searchable(name)]
    before, comma, last = typed.rpartition(",")
    return [(f"{key}={before}{comma}{value}", "") for value in named_values(key) if value.startswith(last)]


def complete_page(incomplete: str) -> list[tuple[str, str]]:
    """The pages of the documentation whose names begin with what is typed; each with what it is about."""
    from dlreg.commands.docs import PAGES

    return [(name, about) for name, about in PAGES.items() if name.startswith(incomplete)]


def complete_run(incomplete: str) -> list[str]:
    """The run directories that begin with what is typed."""
    from dlreg.commands.offered import runs_beginning

    return list(runs_beginning(incomplete))


def complete_target(context: typer.Context) -> list[str]:
    """The columns of the table for which `init` writes a config."""
    from dlreg.commands.offered import columns_of_table

    return columns_of_table(Path(_arguments(context, "csv")[0]))


def complete_kept(context: typer.Context) -> list[str]:
    """The columns of the table that `predict` reads, or of the run where that is standard input."""
    from dlreg.commands.offered import columns_of_run, columns_of_table

    run, *csv = _arguments(context, "run_dir", "csv")
    return columns_of_table(Path(csv[0])) if csv and csv[0] != "-" else columns_of_run(Path(run))


def complete_limit() -> list[str]:
    """The metrics that `--fail-if` takes, without and with the part they are of."""
    parts = [f"{part}.{metric}" for part in RUN_PARTS for metric in METRIC_NAMES]
    return [*METRIC_NAMES, *INTERVAL_METRIC_NAMES, *parts]


def complete_regression() -> list[str]:
    """The metrics that `--max-regression` takes, with `=`."""
    return [f"{metric}=" for metric in METRIC_NAMES[1:]]


def _arguments(context: typer.Context, *names: str) -> list[str]:
    """The arguments on an unfinished line: where an option lacks its value they are not given out by name."""
    named = [str(value) for name in names if (value := context.params.get(name)) is not None]
    return [*context.args, *named] if context.args else named


def asks_for_completion(arguments: Sequence[str]) -> bool:
    """Whether a command line asks to install completion, or to show what would be installed."""
    return any(word.partition("=")[0] in (_INSTALL, _SHOW) for word in arguments)


def install_completion(arguments: Sequence[str]) -> None:
    """Has a shell complete the words of dlreg, or prints what makes it.

    Args:
        arguments: The command line: the option, and the shell behind it, or none for that which runs dlreg.

    Raises:
        UsageError: The shell is unknown, or cannot be told.
        StorageError: The files of the shell cannot be written.
    """
    from typer import _completion_shared as shells

    line = [part for word in arguments for part in word.split("=", 1)]
    place = next(place for place, word in enumerate(line) if word in (_INSTALL, _SHOW))
    shell = line[place + 1] if len(line) > place + 1 else shells._get_shell_name()
    if shell not in SHELLS:
        raise UsageError(_unknown_shell(line[place], shell if len(line) > place + 1 else None))
    if line[place] == _SHOW:
        print(shells.get_completion_script(prog_name="dlreg", complete_var="_DLREG_COMPLETE", shell=shell))
        return
    with reporting_storage_errors(Path.home()):
        _, path = shells.install(shell=shell, prog_name="dlreg", complete_var="_DLREG_COMPLETE")
    print(f"{shell} completes the words of dlreg once it is started anew: {path}")


def _unknown_shell(option: str, shell: str | None) -> Fault:
    near = nearest_word(shell, SHELLS) if shell else None
    hint = f"Did you mean {near}? " if near else ""
    hint += f"The shells are {', '.join(SHELLS)}"
    return Fault(
        f"there is no completion for {shell!r}" if shell else f"{option} cannot tell the shell", hint=hint
    )


def complete(app: Callable[[], Any]) -> None:
    """Answers a shell that asks what may be typed; where anything goes wrong nothing is offered.

    Args:
        app: Reads what is asked from the environment.
    """
    from typer._completion_classes import completion_init

    completion_init()
    in_bash, code = os.environ["_DLREG_COMPLETE"] == "complete_bash", 0
    with redirect_stderr(io.StringIO()):
        try:
            if in_bash:
                with whole_words(os.environ):
                    app()
            else:
                app()
        except SystemExit as stop:
            # fish asks with it whether there is anything to offer.
            code = int(stop.code or 0)
        except Exception:
            code = int(os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args")
    sys.exit(code)


@contextmanager
def whole_words(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Lets Typer complete for bash, which takes a word apart at each `=` and wants the last part alone.

    Args:
        environment: Holds the words, `COMP_WORDS` and `COMP_CWORD`, and is changed.
    """
    text, cursor = environment["COMP_WORDS"], int(environment["COMP_CWORD"])
    words = text.split("\n") if "\n" in text else text.split()
    words += [""] * (cursor + 1 - len(words))
    joined = list(_joined(words[: cursor + 1]))
    environment["COMP_WORDS"], environment["COMP_CWORD"] = "\n".join(joined), str(len(joined) - 1)
    word, offered = joined[-1].removeprefix("--set=").removeprefix("--search="), io.StringIO()
    try:
        with redirect_stdout(offered):
            yield
    finally:
        for line in offered.getvalue().splitlines():
            offer = line.removeprefix(word[: word.rfind("=") + 1])
            # bash takes what is offered as it would be typed.
            print(offer if word[:1] in ("'", '"') else re.sub(r"([^\w@%+=:,./~-])", r"\\\1", offer))


def _joined(words: list[str]) -> Iterator[str]:
    word = words[0]
    for before, after in pairwise(words):
        if after == "=" or before == "=":
            word += after
        else:
            yield word
            word = after
    yield word

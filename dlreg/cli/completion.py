"""What a shell offers after `--set`: the config's keys, and the values of those that have names."""

import io
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, redirect_stdout
from itertools import pairwise


def complete_override(incomplete: str) -> list[tuple[str, str]]:
    """The keys, or after `=` the values, that begin with what is typed; each with what it means."""
    from dlreg.config.keys import named_values, override_keys

    key, equals, typed = incomplete.partition("=")
    if not equals:
        return [(f"{name}=", meaning) for name, meaning in override_keys().items() if name.startswith(key)]
    return [(f"{key}={value}", "") for value in named_values(key) if value.startswith(typed)]


def complete_page(incomplete: str) -> list[tuple[str, str]]:
    """The pages of the documentation whose names begin with what is typed; each with what it is about."""
    from dlreg.commands.docs import PAGES

    return [(name, about) for name, about in PAGES.items() if name.startswith(incomplete)]


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
    word, offered = joined[-1].removeprefix("--set="), io.StringIO()
    try:
        with redirect_stdout(offered):
            yield
    finally:
        for line in offered.getvalue().splitlines():
            print(line.removeprefix(word[: word.rfind("=") + 1]))


def _joined(words: list[str]) -> Iterator[str]:
    word = words[0]
    for before, after in pairwise(words):
        if after == "=" or before == "=":
            word += after
        else:
            yield word
            word = after
    yield word

"""What a shell offers after `--set`: the config's keys, and the values of those that have names."""

import os
from collections.abc import Iterator, MutableMapping
from itertools import pairwise


def complete_override(incomplete: str) -> list[tuple[str, str]]:
    """The keys, or after `=` the values, that begin with what is typed; each with what it means."""
    from dlreg.config_file import named_values, override_keys

    key, equals, typed = incomplete.partition("=")
    if not equals:
        return [(f"{name}=", meaning) for name, meaning in override_keys().items() if name.startswith(key)]
    # Bash takes `=` for the end of a word: it is given, and completes, what follows.
    kept = "" if os.environ.get("_DLREG_COMPLETE") == "complete_bash" else f"{key}="
    return [(f"{kept}{value}", "") for value in named_values(key) if value.startswith(typed)]


def join_bash_words(environment: MutableMapping[str, str]) -> None:
    """Puts together what bash took apart at each `=`, in the variables its completion is asked with."""
    text, cursor = environment["COMP_WORDS"], int(environment["COMP_CWORD"])
    words = text.split("\n") if "\n" in text else text.split()
    words += [""] * (cursor + 1 - len(words))
    joined = list(_joined(words[: cursor + 1]))
    environment["COMP_WORDS"], environment["COMP_CWORD"] = "\n".join(joined), str(len(joined) - 1)


def _joined(words: list[str]) -> Iterator[str]:
    word = words[0]
    for before, after in pairwise(words):
        if after == "=" or before == "=":
            word += after
        else:
            yield word
            word = after
    yield word

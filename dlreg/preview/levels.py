"""Levels of a category that look like one."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from dlreg.preview.suspicion import Suspicion
from dlreg.table.spelling import small_letters

MOST_NAMED = 3


def suspect_levels(name: str, levels: Iterable[str]) -> Suspicion | None:
    """Looks for levels that differ in case, or in nothing one can see.

    Args:
        name: The category.
        levels: Its levels, in any order.
    """
    by_sight: defaultdict[str, list[str]] = defaultdict(list)
    for level in sorted(levels):
        by_sight[small_letters(_visible(level))].append(level)
    groups = [group for group in by_sight.values() if len(group) > 1]
    if not groups:
        return None
    differs_in_case = any(len({small_letters(level) for level in group}) < len(group) for group in groups)
    hint = (
        "Set data.fold_case: true to make one level of them"
        if differs_in_case
        else "They differ in invisible characters or in how accents are composed: mend the cells"
    )
    shown = "; ".join(" and ".join(map(repr, group)) for group in groups[:MOST_NAMED])
    more = f" and {len(groups) - MOST_NAMED:,} more" if len(groups) > MOST_NAMED else ""
    return Suspicion(f"column {name!r} has levels that look like one: {shown}{more}", hint)


def _visible(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text)
    return " ".join("".join(c for c in composed if unicodedata.category(c) != "Cf").split())

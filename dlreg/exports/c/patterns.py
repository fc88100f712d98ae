"""The regular expressions of dates as automata that read each byte of a text once."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dlreg.pipeline.refusal import refused

# What a table of short numbers can tell apart.
MOST_STATES = 1 << 16


@dataclass(frozen=True)
class Automaton:
    """A deterministic automaton; state 0 is for texts that cannot fit any more, 1 where it starts.

    Attributes:
        classes: For each of the 256 bytes its class.
        n_classes: How many there are.
        next_states: For each state and class the next state, row by row.
        accepts: For each state whether a text may end there.
    """

    classes: tuple[int, ...]
    n_classes: int
    next_states: tuple[int, ...]
    accepts: tuple[int, ...]


@dataclass
class _Net:
    """A nondeterministic automaton: edges by bytes, and others that read nothing."""

    edges: list[list[tuple[frozenset[int], int]]] = field(default_factory=list)
    jumps: list[list[int]] = field(default_factory=list)

    def state(self) -> int:
        self.edges.append([])
        self.jumps.append([])
        return len(self.edges) - 1


def automaton(pattern: str) -> Automaton:
    """The automaton of a pattern as `dlreg.pipeline.patterns.is_date_pattern` lets pass.

    Built as in every textbook: parts of a net joined by jumps, then the sets of states that texts lead to.

    Raises:
        RunDirError: It has more states than dates need.
    """
    net = _Net()
    start = net.state()
    end, place = _sequence(net, pattern, 0, start)
    if place < len(pattern):
        raise refused(f"a pattern with {pattern[place]!r}")
    return _deterministic(net, start, end)


def _sequence(net: _Net, pattern: str, place: int, state: int) -> tuple[int, int]:
    """Reads up to the end of a pattern or of an alternative; the last state, and where it ends."""
    while place < len(pattern) and pattern[place] not in "|)":
        atom_place, place = place, _end_of_atom(pattern, place)
        least, most, place = _repetitions(pattern, place)
        ends = [state] if least == 0 else []
        for count in range(1, most + 1):
            state = _atom(net, pattern, atom_place, state)
            ends += [state] if count >= least else []
        state = _joined(net, ends)
    return state, place


def _joined(net: _Net, ends: list[int]) -> int:
    if len(ends) == 1:
        return ends[0]
    state = net.state()
    for end in ends:
        net.jumps[end].append(state)
    return state


def _end_of_atom(pattern: str, place: int) -> int:
    if pattern[place] == "\\":
        return place + 2
    if pattern[place] == "[":
        return pattern.index("]", place) + 1
    if pattern[place] != "(":
        return place + 1
    # Alternatives hold no others, but an escaped bracket may be among them.
    place += 1
    while pattern[place] != ")":
        place = _end_of_atom(pattern, place)
    return place + 1


def _repetitions(pattern: str, place: int) -> tuple[int, int, int]:
    """The least and the most times that what stands before is there, and where that is told."""
    if pattern[place : place + 1] == "?":
        return 0, 1, place + 1
    if pattern[place : place + 1] != "{":
        return 1, 1, place
    end = pattern.index("}", place)
    counts = [int(text) for text in pattern[place + 1 : end].split(",")]
    return counts[0], counts[-1], end + 1


def _atom(net: _Net, pattern: str, place: int, state: int) -> int:
    if pattern[place] == "(":
        ends, place = list[int](), place + 1
        while True:
            branch = net.state()
            net.jumps[state].append(branch)
            end, place = _sequence(net, pattern, place, branch)
            ends.append(end)
            if pattern[place] == ")":
                return _joined(net, ends)
            place += 1
    if pattern[place] == "[":
        return _step(net, state, _class(pattern[place + 1 : pattern.index("]", place)]))
    character = pattern[place + 1] if pattern[place] == "\\" else pattern[place]
    for byte in character.encode():
        state = _step(net, state, frozenset({byte}))
    return state


def _class(inside: str) -> frozenset[int]:
    """The bytes of `0-9`, `0-5` or of a few signs."""
    if len(inside) == 3 and inside[1] == "-":
        return frozenset(range(ord(inside[0]), ord(inside[2]) + 1))
    return frozenset(map(ord, inside))


def _step(net: _Net, state: int, symbols: frozenset[int]) -> int:
    target = net.state()
    net.edges[state].append((symbols, target))
    return target


def _deterministic(net: _Net, start: int, end: int) -> Automaton:
    told_apart = list(dict.fromkeys(symbols for edges in net.edges for symbols, _ in edges))
    kinds: dict[tuple[bool, ...], int] = {(False,) * len(told_apart): 0}
    classes = [
        kinds.setdefault(tuple(byte in symbols for symbols in told_apart), len(kinds)) for byte in range(256)
    ]
    example = {number: byte for byte, number in enumerate(classes)}
    first = _closure(net, {start})
    numbers: dict[frozenset[int], int] = {frozenset(): 0, first: 1}
    rows: list[list[int]] = []
    for states in _growing(numbers):
        row = []
        for number in range(len(kinds)):
            byte = example.get(number, -1)
            reached = {target for state in states for symbols, target in net.edges[state] if byte in symbols}
            row.append(numbers.setdefault(_closure(net, reached), len(numbers)))
        rows.append(row)
        if len(numbers) > MOST_STATES:
            raise refused("a pattern of more dates than there are")
    accepts = tuple(int(end in states) for states in numbers)
    return Automaton(tuple(classes), len(kinds), tuple(state for row in rows for state in row), accepts)


def _growing(numbers: dict[frozenset[int], int]) -> Iterator[frozenset[int]]:
    """The keys of a mapping, also those that come meanwhile."""
    done = 0
    while done < len(numbers):
        keys = list(numbers)[done:]
        done += len(keys)
        yield from keys


def _closure(net: _Net, states: set[int]) -> frozenset[int]:
    """States and all that jumps lead to."""
    found, open_states = set(states), list(states)
    while open_states:
        for target in net.jumps[open_states.pop()]:
            if target not in found:
                found.add(target)
                open_states.append(target)
    return frozenset(found)

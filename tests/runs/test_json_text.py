"""JSON as dlreg writes it."""

import json
import random

import pytest

from dlreg.runs.json_text import to_json


def test_json_is_readable_and_has_no_nan():
    assert to_json({"평균": [1.5, None]}) == '{\n  "평균": [\n    1.5,\n    null\n  ]\n}\n'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"loss": float("nan")})


@pytest.mark.parametrize("seed", range(30))
def test_it_is_json_of_two_blanks_an_indent(seed):
    generator = random.Random(seed)

    def value(depth):
        kind = generator.randrange(8 if depth else 5)
        if kind < 5:
            return [
                None,
                True,
                generator.randrange(-(10**20), 10**20),
                generator.gauss(0, 1e9),
                'a", {b: 1}\n',
            ][kind]
        size = generator.randrange(5)
        if kind == 5:
            return [generator.random() for _ in range(size)]
        if kind == 6:
            return tuple(value(depth - 1) for _ in range(size))
        return {generator.choice(["", "평균", 'a, "b"', "x"]) + str(n): value(depth - 1) for n in range(size)}

    content = {"everything": value(4), "more": [value(3), value(3)]}
    assert to_json(content) == (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()

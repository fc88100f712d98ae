"""JSON as dlreg writes it."""

import pytest

from dlreg.runs.json_text import to_json


def test_json_is_readable_and_has_no_nan():
    assert to_json({"평균": [1.5, None]}) == '{\n  "평균": [\n    1.5,\n    null\n  ]\n}\n'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"loss": float("nan")})

"""The page in the browser: a form, its prediction, and what is wrong with a row."""

from urllib.parse import urlencode

import pytest
from support.tables import make_table

TARGET = "소요 시간"


@pytest.fixture(scope="module")
def row() -> dict[str, str]:
    table = make_table(5, seed=8).drop(columns=[TARGET, "id"])
    return {name: str(cell) for name, cell in table.iloc[2].items()}


def page(server, typed: dict[str, str]):
    return server.ask("GET", f"/?{urlencode(typed)}" if typed else "/")


def test_the_form_has_a_field_for_each_column(server):
    reply = page(server, {})
    text = reply.body.decode()
    assert reply.status == 200 and reply.headers["content-type"] == "text/html; charset=utf-8"
    assert text.count("<label") == len(server.about["columns"])
    assert all(level in text for level in ("<option>low</option>", "<option>mid</option>"))
    assert 'name="Wind speed (m/s)"' in text and "such as 2024-12-31 18:30" in text
    assert "<script" not in text and "default-src &#39;none&#39;" in text.replace("'", "&#39;")


def test_a_row_is_predicted_and_stays_in_the_form(server, row):
    reply = page(server, row)
    expected = server.predict([row]).json["predictions"][0]["y_pred"]
    text = reply.body.decode()
    assert reply.status == 200 and f"<b>{expected:.4g}</b>" in text
    assert f'value="{row["moment"]}"' in text
    assert all(f"<option selected>{row[name]}</option>" in text for name in ("풍속 등급", "비"))
    assert "for 90% of such rows" in text


def test_what_is_wrong_is_said_on_the_page(server, row):
    reply = page(server, row | {"day": "soon", "Wind speed (m/s)": "<b>fast</b>"})
    text = reply.body.decode()
    assert reply.status == 422 and text.count('role="alert"') == 2
    assert "&lt;b&gt;fast&lt;/b&gt;" in text and "<b>fast" not in text


def test_a_cell_left_empty_is_missing(server, row):
    reply = page(server, row | {"Wind speed (m/s)": " "})
    assert reply.status == 200 and "cell is missing in column" in reply.body.decode()

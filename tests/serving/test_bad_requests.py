"""Two hundred kinds of bad requests: each refused by a status of the client's, with words and a way out."""

import itertools
import json
import resource
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from dlreg.serving.answers import Refusals
from dlreg.serving.application import application
from dlreg.serving.bodies import MAX_BODY_BYTES
from dlreg.serving.served_run import open_served

TARGET, WIND, LEVEL = "소요 시간", "Wind speed (m/s)", "풍속 등급"
ROW = {WIND: 1.5, LEVEL: "low", "비": "Yes", "moment": "2023-05-06 07:08", "day": "06/05/2023", "year": 2023}
OTHERS = [[], {}, [1], {"a": 1}, [None], [[]]]
NO_NUMBERS = [
    "x",
    "1.5.2",
    "1,5",
    "0x10",
    "١٢",
    "1 2",
    "--1",
    "1e",
    "e5",
    "∞",
    "Infinity",
    "-inf",
    True,
    False,
    "true",
    "12:30",
    "½",
    "<script>",
]
NO_DATES = [
    "soon",
    "2023-13-06 07:08",
    "2023-02-30 07:08",
    "2023-05-06",
    "06/05/2023",
    "2023-05-06T07:08",
    "2023-05-06 24:00",
    "2023-05-06 07:60",
    20230506,
    1.5,
    True,
    "2023-05-06 07:08Z",
    "0000-01-01 00:00",
    "２０２３-05-06 07:08",
    "2023-05-06 07:08; DROP TABLE",
]
NO_DAYS = [
    "2023-05-06",
    "31/02/2023",
    "5/6",
    "06.05.2023",
    "06/05/23",
    "00/05/2023",
    "06/13/2023",
    6,
    True,
    "today",
    "06/05/2023 07:08",
]
NO_LEVELS = ["Low", "hurricane", "lo w", 0, 1.5, True, "low,mid", "l\u0000w", "a" * 5000]
NO_WORDS = ["maybe", 2, -1, 0.5, "yes no", "Yess"]


def with_cell(name: str, value) -> str:
    return json.dumps({"rows": [ROW | {name: value}]})


def requests():
    """Method, target, body, headers and the status expected; None for any of 400 to 499."""
    media = {"Content-Type": "application/json"}
    whole = json.dumps({"rows": [ROW]})
    for value in OTHERS:
        for name in (WIND, LEVEL, "비", "moment"):
            yield "POST", "/predict", with_cell(name, value), media, 422
    cells = {
        WIND: NO_NUMBERS,
        "moment": NO_DATES,
        "day": NO_DAYS,
        LEVEL: NO_LEVELS,
        "비": NO_WORDS,
        "year": NO_NUMBERS[:6],
    }
    for name, values in cells.items():
        for value in values:
            yield "POST", "/predict", with_cell(name, value), media, 422
    for number in ("1e999", "-1e999", "Infinity", "-Infinity", "1e150", "9" * 400):
        yield "POST", "/predict", whole.replace("1.5", number), media, 422
    for name in ROW:
        without = {key: value for key, value in ROW.items() if key != name}
        yield "POST", "/predict", json.dumps({"rows": [without]}), media, 422
        yield "POST", "/predict", json.dumps({"rows": [without | {name.upper() + "_": 1}]}), media, 422
    for rows in (None, 1, "x", True, {}, ROW, [], [1], [None], ["x"], [[ROW]], [ROW, 1], [{}], [ROW, []]):
        yield "POST", "/predict", json.dumps({"rows": rows}), media, 422
    for body in (
        "",
        " ",
        "{",
        "[",
        "nul",
        '{"rows": [',
        whole[:-1],
        whole + whole,
        "{'rows': []}",
        "rows",
        "\u0000",
        '{"rows": [{"a": 1,}]}',
        '"x"',
        "1",
        "null",
        "[]",
        "true",
        whole.replace('"year"', '"day"'),
        '{"rows": [], "rows": []}',
        "[" * 100_000,
        '{"rows": ' + "[" * 100_000,
    ):
        yield "POST", "/predict", body, media, 422
    for body in (
        b"\xff\xfe",
        b'{"rows": "\xff"}',
        whole.encode("utf-16"),
        b"\x1f\x8b\x08\x00",
        b"PK\x03\x04",
    ):
        yield "POST", "/predict", body, media, 422
    for extra in ({"interval": 0.9}, {"row": []}, {"instances": []}):
        yield "POST", "/predict", json.dumps({"rows": [ROW], **extra}), media, 422
    for interval in (
        "",
        "x",
        "0",
        "1",
        "-1",
        "1.5",
        "nan",
        "inf",
        "0.99999",
        "0,9",
        "90%",
        "1e400",
        "0x1",
        "null",
    ):
        yield "POST", f"/predict?interval={interval}", whole, media, 422
    for query in (
        "intervall=0.9",
        "level=0.9",
        "a=b",
        "interval=0.9&b=1",
        "interval=0.9&interval=0.8",
        "%FF=1",
    ):
        yield "POST", f"/predict?{query}", whole, media, 422
    for name in (
        "text/plain",
        "application/xml",
        "json",
        "",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "a" * 500,
        "text/html",
        "image/png",
    ):
        yield "POST", "/predict", whole, {"Content-Type": name}, 415
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "br"}):
        yield "POST", "/predict", whole, media | headers, 415
    for charset in ("latin-1", "utf-16", "nonsense"):
        yield "POST", "/predict", whole, {"Content-Type": f"application/json; charset={charset}"}, 415
    header = ",".join(f'"{name}"' for name in ROW)
    line = ",".join(str(cell) for cell in ROW.values())
    for text in (
        "",
        "\n",
        header,
        f"{header}\n",
        line,
        f"{header}\n{line},1\n",
        f'{header}\n"{line}\n',
        f"{header};\n{line}\n",
        f"{header}\n{line.replace('1.5', 'x')}\n",
        f"{header}\n{line.replace('2023-05', '2023-15')}\n",
        f"{header},{header}\n{line},{line}\n",
        f"x{header}\n{line}\n",
        whole,
        "\x00" * 50,
        "<html>",
    ):
        yield "POST", "/predict", text, {"Content-Type": "text/csv"}, 422
    for text in (
        b"\xff\xfe\x00",
        b"PAR1" * 20,
        b"PK\x03\x04" * 20,
        b"\x1f\x8b" * 20,
        header.encode() + b"\n\xff,1,1,1,1,1",
    ):
        yield "POST", "/predict", text, {"Content-Type": "text/csv"}, 422
    for text in (
        "[1]",
        "1",
        "x",
        json.dumps([ROW]),
        json.dumps(ROW) + json.dumps(ROW),
        json.dumps(ROW) + "\n{",
        json.dumps(ROW)[:-2],
        '{"a": 1}',
        "",
    ):
        yield "POST", "/predict", text, {"Content-Type": "application/x-ndjson"}, 422
    for method, target in itertools.product(("GET", "PUT", "DELETE", "PATCH"), ("/predict",)):
        yield method, target, "", {}, 405
    for target in (
        "/nothing",
        "/predict/",
        "/../etc/passwd",
        "/docs",
        "/redoc",
        "/%00",
        "//",
        "/health/x",
        "/.env",
    ):
        yield "GET", target, "", {}, 404
    yield "POST", "/health", "", {}, 405


REQUESTS = list(requests())


def resident(process) -> int:
    """Bytes of memory of a process, on Linux."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


def test_there_are_two_hundred_kinds():
    assert len({(method, target, body, str(headers)) for method, target, body, headers, _ in REQUESTS}) >= 200


def test_each_is_refused_with_its_place_and_a_way_out(server):
    for method, target, body, headers, status in REQUESTS:
        reply = server.ask(method, target, body, headers)
        what = (method, target, body[:100], headers, reply.body[:300])
        assert reply.status == status, what
        assert reply.headers["content-type"] == "application/json", what
        assert reply.json["fault_count"] >= 1 and reply.json["detail"], what
        # What is not known has no place but its name; all else has a way out.
        assert all(fault["message"] and fault.get("hint") for fault in reply.json["faults"]), what
        assert "data." not in str([fault["hint"] for fault in reply.json["faults"]]), what


def test_the_good_row_is_none_of_them(server):
    assert server.predict([ROW]).status == 200


def test_every_fault_of_a_request_is_told_at_once_with_its_row(server):
    bad = [ROW, ROW | {"day": "soon", WIND: "x"}, ROW | {"moment": "never"}]
    reply = server.predict(bad)
    assert [fault["row"] for fault in reply.json["faults"]] == [2, 3, 2]
    header = ",".join(f'"{name}"' for name in ROW)
    reply = server.post(f"{header}\n1.5,low,Yes,never,06/05/2023,2023\n", "text/csv")
    assert reply.json["faults"][0]["line"] == 2


def test_a_mistyped_column_is_no_missing_cell(server):
    row = {("Wind sped (m/s)" if name == WIND else name): cell for name, cell in ROW.items()}
    reply = server.predict([ROW, row])
    (fault,) = reply.json["faults"]
    assert reply.status == 422 and fault["row"] == 2 and "Wind sped" in fault["hint"]


@pytest.mark.parametrize("text", ["", "x", "[]", "[1]", '"x"', "7", "null"])
def test_a_body_of_json_is_told_how_it_should_be(server, text):
    reply = server.post(text)
    assert reply.status == 422 and '{"rows": [' in reply.json["faults"][0]["hint"]
    assert "each line" not in reply.json["detail"]


def test_hints_tell_a_client_what_it_can_do(server):
    (fault,) = server.predict([ROW], "?interval=0.9999").json["faults"]
    level = fault["hint"].rpartition(" ")[2]
    assert server.predict([ROW], f"?interval={level}").status == 200
    assert "several requests" in server.post(b" " * (MAX_BODY_BYTES + 1)).json["faults"][0]["hint"]


def test_a_byte_order_mark_is_no_fault(server):
    assert server.post(b"\xef\xbb\xbf" + json.dumps({"rows": [ROW]}).encode()).status == 200


def test_a_body_without_an_end_is_cut_off(server):
    reply = server.post(b" " * (MAX_BODY_BYTES + 1))
    assert reply.status == 413 and "8 MB" in reply.json["detail"]


def test_rows_that_would_fill_the_memory_are_not_made(server):
    before = resident(server.process)
    for body in (
        b'{"rows": [' + b"{}," * 2_000_000 + b"{}]}",
        b"[" * (8 << 20),
        b'{"rows": "' + b"x" * (7 << 20) + b'"}',
    ):
        assert server.post(body).status in (413, 422)
    assert resident(server.process) - before < 150e6


def test_the_address_of_a_page_may_hold_anything(server):
    for query in ("%FF=%FF", "a=%00", "x" * 2000, "day=%3Cscript%3E", "=", "&&", "day=1&day=2"):
        reply = server.ask("GET", f"/?{query}")
        assert reply.status in (200, 422) and b"<script" not in reply.body, query


@pytest.fixture(scope="module", params=[Refusals(), Refusals(max_unseen=0)], ids=["default", "closed"])
def app(project, request):
    return application(open_served(project / "run"), request.param, print)


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        ("POST /predict", GenerationMode.POSITIVE),
        ("POST /predict", GenerationMode.NEGATIVE),
        ("GET /health", GenerationMode.POSITIVE),
    ],
)
def test_the_description_holds_for_whatever_is_sent(app, label, mode):
    described = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = {found.ok().label: found.ok() for found in described.get_all_operations()}
    assert set(operations) == {"POST /predict", "GET /health"}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operations[label].as_strategy(generation_mode=mode))
    def answers_as_described(case):
        # A pattern lets days pass that no calendar has: they are refused all the same.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    answers_as_described()

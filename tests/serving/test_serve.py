"""`dlreg serve`: what a client gets, in each form, and what `dlreg predict` writes is the same."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.serving import Server
from support.tables import make_table

TARGET = "소요 시간"


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("table") / "new.csv"
    make_table(80, seed=8).drop(columns=[TARGET, "id"]).to_csv(path, index=False)
    return pd.read_csv(path)


@pytest.fixture(scope="module")
def rows(table) -> list[dict]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


@pytest.fixture(scope="module")
def expected(project, table, tmp_path_factory) -> pd.DataFrame:
    """What `dlreg predict` writes."""
    folder = tmp_path_factory.mktemp("expected")
    table.to_csv(folder / "new.csv", index=False)
    done = run_cli("predict", project / "run", "new.csv", "--interval", "0.8", "-o", "out.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(folder / "out.csv")


def test_rows_in_json_are_predicted_as_by_the_command(server, rows, expected):
    reply = server.predict(rows, "?interval=0.8")
    assert reply.status == 200 and reply.headers["content-type"] == "application/json"
    found = pd.DataFrame(reply.json["predictions"])
    assert list(found.columns) == ["y_pred", "y_lower", "y_upper"]
    for name in found:
        assert found[name].to_numpy().tobytes() == expected[name].to_numpy().tobytes(), name
    n_missing = sum(row["Wind speed (m/s)"] is None for row in rows)
    assert reply.json["cells"]["missing"]["Wind speed (m/s)"] == n_missing > 0
    assert any(f"{n_missing} cells are missing" in warning for warning in reply.json["warnings"])
    assert reply.json["unpredicted"] == 0


def test_each_row_alone_gives_the_same(server, rows, expected):
    for row, y_pred in zip(rows[:20], expected["y_pred"], strict=False):
        assert server.predict([row]).json["predictions"] == [{"y_pred": y_pred}]


def test_a_csv_gives_a_csv_and_json_lines_give_json_lines(server, rows, table, expected):
    reply = server.post(table.to_csv(index=False), "text/csv; charset=utf-8", "?interval=0.8")
    assert reply.status == 200 and reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.body.decode() == expected.to_csv(index=False)
    assert json.loads(reply.headers["dlreg-cells"])["cells"]["missing"]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    reply = server.post(lines, "application/x-ndjson", "?interval=0.8")
    assert reply.status == 200 and reply.headers["content-type"] == "application/x-ndjson"
    found = pd.DataFrame([json.loads(line) for line in reply.body.decode().splitlines()])
    assert found.to_csv(index=False) == expected.to_csv(index=False)


def test_large_bodies_are_answered_beside_small_ones(server, rows, expected):
    reply = server.predict(rows * 100)
    found = [row["y_pred"] for row in reply.json["predictions"]]
    assert found == expected["y_pred"].tolist() * 100


def test_what_is_served_is_told_and_nothing_else_is_on_stdout(server):
    assert server.about["target"] == TARGET and server.about["run_dir"] == "run"
    assert server.url.startswith("http://127.0.0.1:")
    health = server.ask("GET", "/health").json
    assert health["status"] == "ok" and health["run"]["columns"] == server.about["columns"]


def test_a_server_loads_no_tensorflow(server, rows):
    server.predict(rows[:1])
    loaded = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "onnxruntime" in loaded and "tensorflow" not in loaded and "sklearn" not in loaded


def test_many_clients_get_their_own_rows(server, rows, expected):
    """Each of 32 asks for rows of its own, one after the other."""
    y_pred = expected["y_pred"].tolist()

    def ask(client: int) -> bool:
        places = np.random.default_rng(client).integers(0, len(rows), 30)
        return all(
            server.predict([rows[place]]).json["predictions"] == [{"y_pred": y_pred[place]}]
            for place in places
        )

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(ask, range(32)))


def start(folder, *options: str) -> Server:
    command = [sys.executable, "-m", "dlreg", "serve", "run", "--port", "0", "--json", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    about = json.loads(process.stdout.readline())
    return Server(about["url"], about, process)


@pytest.fixture
def own(project, tmp_path):
    """A folder with a run that may be changed."""
    shutil.copytree(project / "run", tmp_path / "run")
    return tmp_path


def test_a_new_run_takes_over_and_a_damaged_one_does_not(own, project, rows, forks):
    server = start(own)
    try:
        before = server.predict(rows[:3]).json["predictions"]
        # Damaged: the one before is still served, and the terminal is told once.
        record = json.loads((own / "run" / "run.json").read_text())
        (own / "run" / "run.json").write_text(json.dumps(record | {"seconds": "?"}))
        assert "still served" in server.process.stderr.readline()
        assert server.predict(rows[:3]).json["predictions"] == before
        shutil.copy(project / "table.csv", own)
        shutil.copy(project / "config.yaml", own)
        shutil.rmtree(own / "run")
        assert server.predict(rows[:3]).json["predictions"] == before
        given = ["--set", "training.epochs=3", "--run-dir", "run"]
        done = forks.run("train", "config.yaml", *given, cwd=own)
        assert done.returncode == 0, done.stderr
        assert "another run is served now" in server.process.stderr.readline()
        after = server.predict(rows[:3]).json["predictions"]
        assert after != before
        pd.DataFrame(rows[:3]).to_csv(own / "new.csv", index=False)
        done = run_cli("predict", "run", "new.csv", "-o", "out.csv", cwd=own)
        y_pred = pd.read_csv(own / "out.csv")["y_pred"]
        assert [row["y_pred"] for row in after] == y_pred.tolist()
    finally:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_is_answered_before_it_stops(own, rows, number):
    server = start(own)
    body = json.dumps({"rows": rows * 500}).encode()
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body[:-10])
        time.sleep(0.3)
        server.process.send_signal(number)
        time.sleep(0.3)
        client.sendall(body[-10:])
        client.settimeout(20)
        reply = b""
        while chunk := client.recv(1 << 16):
            reply += chunk
    assert reply.startswith(b"HTTP/1.1 200 OK") and reply.count(b'"y_pred"') == len(rows) * 500
    _, errors = server.process.communicate(timeout=20)
    assert (server.process.returncode, errors) == (0, "")


def test_an_upload_that_never_ends_is_given_up(own):
    server = start(own)
    port = int(server.url.rpartition(":")[2])
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGINT)
        client.settimeout(20)
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 408")
    _, errors = server.process.communicate(timeout=20)
    assert server.process.returncode == 0 and "Traceback" not in errors


def test_head_is_answered_as_get_is(server):
    assert server.ask("HEAD", "/health").status == 200


def test_refusals_follow_the_options(own, rows):
    unseen = [rows[0] | {"풍속 등급": "hurricane"}]
    server = start(own, "--max-unseen", "1")
    assert server.predict(unseen).json["cells"]["unseen"] == {"풍속 등급": 1}
    server.process.terminate()
    strict = start(own, "--strict")
    reply = strict.predict([rows[0] | {"Wind speed (m/s)": None}])
    assert reply.status == 422 and "cell is missing" in reply.json["detail"]
    strict.process.terminate()
    assert (server.process.wait(20), strict.process.wait(20)) == (0, 0)


def test_a_port_in_use_and_an_address_of_elsewhere_are_refused(own):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_cli("serve", "run", "--port", str(port), cwd=own)
    assert done.returncode == 6 and f"http://127.0.0.1:{port}: it is in use" in done.stderr
    done = run_cli("serve", "run", "--host", "no.such.host.invalid", cwd=own)
    assert done.returncode == 2 and "--host no.such.host.invalid" in done.stderr
    done = run_cli("serve", "run", "--host", "203.0.113.7", cwd=own)
    assert done.returncode == 6 and "cannot listen" in done.stderr
    done = run_cli("serve", "nowhere", cwd=own)
    assert done.returncode == 5


def test_an_open_address_is_warned_of(own):
    server = start(own, "--host", "0.0.0.0")
    assert "put a proxy" in server.process.stderr.readline()
    server.process.terminate()
    assert server.process.wait(20) == 0

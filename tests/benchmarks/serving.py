"""What `dlreg serve` costs beside a bare server of FastAPI and ONNX Runtime, written for the one run.

    python tests/benchmarks/serving.py                       # 1, 16 and 64 clients, ten seconds each
    python tests/benchmarks/serving.py --clients 64 --seconds 60
    python tests/benchmarks/serving.py --preset accurate

Both servers answer the rows of one run (`configs/rides.yaml`: a date, a category, numbers, yes and no) over
loopback, one row a request, on the same loop and parser (uvloop, httptools), in turn. The bare one validates a
row by pydantic, hands it to ONNX Runtime and returns the number: it takes any text for a date, and says nothing
of unknown levels. Each client asks for rows of its own, one after the other, and checks the answer. Latencies
are those of the clients, which share the cores with the server.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parents[2]
BARE = """
import sys
import numpy as np, onnxruntime as ort, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options)
kinds = {column.name: column.type == "tensor(double)" for column in session.get_inputs()}
app = FastAPI()


class Row(BaseModel):
    picked_up: str | None
    zone: str | None
    distance_km: float | None
    passengers: float | None
    rain: str | None


class Rows(BaseModel):
    rows: list[Row]


class Prediction(BaseModel):
    y_pred: float


class Predictions(BaseModel):
    predictions: list[Prediction]


@app.post("/predict")
async def predict(body: Rows) -> Predictions:
    cells = {}
    for name, is_number in kinds.items():
        values = [getattr(row, name) for row in body.rows]
        if is_number:
            cells[name] = np.array([np.nan if v is None else v for v in values]).reshape(-1, 1)
        else:
            cells[name] = np.array([v or "" for v in values], dtype=object).reshape(-1, 1)
    y_pred = session.run(None, cells)[0].ravel().tolist()
    return Predictions(predictions=[Prediction(y_pred=value) for value in y_pred])


uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", default="1,16,64")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        run, rows, y_pred = prepare(Path(work), options.preset)
        in_process(run, rows)
        heads = ("requests/s", "CPU µs", "p50 ms", "p99 ms", "errors", "MB", "growth")
        print(
            f"{'server':8}{'clients':>9}{heads[0]:>12}" + "{:>9}{:>9}{:>9}{:>8}{:>7}{:>9}".format(*heads[1:])
        )
        for clients in map(int, options.clients.split(",")):
            found = {"bare": list[tuple[float, float]](), "dlreg": list[tuple[float, float]]()}
            for _ in range(options.rounds):
                for name in found:
                    found[name].append(measure(name, run, rows, y_pred, clients, options.seconds))
            (bare_rate, bare_cpu), (rate, cpu) = (
                [statistics.median(column) for column in zip(*measured, strict=True)]
                for measured in found.values()
            )
            print(
                f"{clients} clients: dlreg answers {rate / bare_rate:.2f} of the requests of the bare server, and "
                f"takes {cpu / bare_cpu:.2f} of its processor time for each"
            )


def prepare(work: Path, preset: str) -> tuple[Path, list[dict[str, Any]], list[float]]:
    """A run, rows, and what `dlreg predict` says of them."""
    run = work / "run"
    settings = [] if preset == "standard" else ["--set", f"preset={preset}"]
    dlreg("train", ROOT / "configs" / "rides.yaml", "--run-dir", run, "--quiet", *settings)
    table = pd.read_csv(ROOT / "data" / "rides.csv").drop(columns="minutes").dropna().tail(500)
    table.to_csv(work / "rows.csv", index=False)
    dlreg("predict", run, work / "rows.csv", "-o", work / "y.csv")
    return run, table.to_dict("records"), pd.read_csv(work / "y.csv")["y_pred"].tolist()


def dlreg(*words: Any) -> None:
    subprocess.run([sys.executable, "-m", "dlreg", *map(str, words)], check=True, capture_output=True)


def in_process(run: Path, rows: list[dict[str, Any]]) -> None:
    """One warm row, from the bytes of a request to those of the answer, beside ONNX Runtime alone."""
    import onnxruntime as ort

    from dlreg.serving.answers import Refusals
    from dlreg.serving.application import _response
    from dlreg.serving.served_run import open_served

    served = open_served(run)
    bodies = [json.dumps({"rows": [row]}).encode() for row in rows]
    answer = microseconds(lambda body: _response(served, "json", body, None, Refusals()), bodies)
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    session = ort.InferenceSession(str(run / "pipeline.onnx"), settings)
    cells = [served.read_rows([row]) for row in rows]
    bare = microseconds(lambda each: session.run(None, each), cells)
    print(f"one warm row in the process: {answer:.0f} µs, of which ONNX Runtime alone {bare:.0f} µs\n")


def microseconds(call: Any, arguments: list[Any]) -> float:
    for argument in arguments[:100]:
        call(argument)
    times = []
    for argument in arguments * 4:
        began = time.perf_counter()
        call(argument)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def measure(
    name: str, run: Path, rows: list[dict[str, Any]], y_pred: list[float], clients: int, seconds: float
) -> tuple[float, float]:
    """Requests a second, and the microseconds of processor time that one takes of the server."""
    process, port = start(name, run)
    try:
        asyncio.run(load(port, rows, y_pred, clients, min(seconds, 2)))
        memory, cpu = resident(process), cpu_seconds(process)
        latencies, errors = asyncio.run(load(port, rows, y_pred, clients, seconds))
        cpu = (cpu_seconds(process) - cpu) / len(latencies) * 1e6
        growth = resident(process) - memory
    finally:
        process.terminate()
        process.wait()
    latencies.sort()
    rate = len(latencies) / seconds
    p50, p99 = (latencies[int(len(latencies) * share)] * 1e3 for share in (0.5, 0.99))
    print(
        f"{name:8}{clients:9}{rate:12.0f}{cpu:9.0f}{p50:9.2f}{p99:9.2f}{errors:8}{memory:7.0f}{growth:+9.1f}",
        flush=True,
    )
    return rate, cpu


def start(name: str, run: Path) -> tuple[subprocess.Popen, int]:
    if name == "dlreg":
        command = [sys.executable, "-m", "dlreg", "serve", str(run), "--port", "0", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return process, int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
    port = 18723
    process = subprocess.Popen([sys.executable, "-c", BARE, str(run / "pipeline.onnx"), str(port)])
    while True:
        try:
            asyncio.run(_connect(port))
        except OSError:
            time.sleep(0.1)
        else:
            return process, port


def resident(process: subprocess.Popen) -> float:
    """Megabytes of memory, on Linux."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def cpu_seconds(process: subprocess.Popen) -> float:
    """Of user and system, on Linux."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _connect(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def load(
    port: int, rows: list[dict[str, Any]], y_pred: list[float], clients: int, seconds: float
) -> tuple[list[float], int]:
    """Latencies of all answers, and how many were wrong."""
    requests = [request(row) for row in rows]
    deadline = time.perf_counter() + seconds
    found = await asyncio.gather(
        *(client(port, requests, y_pred, number, deadline) for number in range(clients))
    )
    return [latency for latencies, _ in found for latency in latencies], sum(errors for _, errors in found)


async def client(
    port: int, requests: list[bytes], y_pred: list[float], number: int, deadline: float
) -> tuple[list[float], int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies, errors, place = list[float](), 0, number * 7
    while (began := time.perf_counter()) < deadline:
        place = (place + 1) % len(requests)
        writer.write(requests[place])
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        latencies.append(time.perf_counter() - began)
        # The start of the answer is that of both servers.
        told = body[body.find(b'"y_pred":') + 9 :].split(b"}", 1)[0].split(b",", 1)[0]
        errors += not head.startswith(b"HTTP/1.1 200") or abs(float(told) - y_pred[place]) > 1e-9 * abs(
            y_pred[place]
        )
    writer.close()
    return latencies, errors


def request(row: Mapping[str, Any]) -> bytes:
    body = json.dumps({"rows": [row]}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()

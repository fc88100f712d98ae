"""The routes of the server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlreg import __version__
from dlreg.errors import DataError, DlregError, Fault, UsageError
from dlreg.runs.new_rows import refuse_level
from dlreg.runs.trained_run import TrainedRun
from dlreg.serving.answers import (
    Answer,
    Refusals,
    about_lines,
    answer_rows,
    answer_tables,
    as_json,
    as_lines,
)
from dlreg.serving.bodies import MAX_BODY_BYTES, BodyForm, form_of, rows_of_json, tables_of_lines
from dlreg.serving.faults import REQUEST, RequestError, faults_json, for_client
from dlreg.serving.form_page import form_page
from dlreg.serving.row_schema import openapi
from dlreg.serving.served_run import ServedRun, describe_run, open_served
from dlreg.wording import nearest_word

# Between two looks whether another run has taken the place of the one that is served.
RELOAD_SECONDS = 1.0
# Larger bodies are predicted beside the loop that answers all others.
SMALL_BODY_BYTES = 16 << 10
ABOUT_LINES = "Dlreg-Cells"
_INTERVAL = "interval"


def application(
    served: ServedRun,
    refusals: Refusals,
    on_note: Callable[[str], None],
    reload_seconds: float = RELOAD_SECONDS,
) -> Starlette:
    """The server of a run.

    Args:
        served: The run.
        refusals: What may not be in the rows of a request.
        on_note: Told when another run is served.
        reload_seconds: Between two looks for another run.
    """
    current = [served]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(_watch(current, on_note, reload_seconds))
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    async def predict(request: Request) -> Response:
        served = current[0]
        headers = request.headers
        form = form_of(
            headers.get("content-type"), headers.get("content-encoding"), served.run.config.data.encoding
        )
        # To read parameters takes a while even where there are none.
        has_parameters = bool(request.scope["query_string"])
        interval = _interval(served.run, request.query_params) if has_parameters else None
        body = await _body(request)
        if len(body) <= SMALL_BODY_BYTES:
            return _response(served, form, body, interval, refusals)
        return await run_in_threadpool(_response, served, form, body, interval, refusals)

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "dlreg": __version__, "run": describe_run(current[0].run)})

    async def description(_request: Request) -> Response:
        return JSONResponse(openapi(current[0].run, refusals))

    async def form(request: Request) -> Response:
        typed = dict(request.query_params)
        status, page = await run_in_threadpool(form_page, current[0].run, typed, refusals)
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return Response(page, status, headers, "text/html; charset=utf-8")

    routes = [
        Route("/predict", predict, methods=["POST"]),
        Route("/health", health, methods=["GET"]),
        Route("/openapi.json", description, methods=["GET"]),
        Route("/", form, methods=["GET"]),
    ]
    refusing = {RequestError: _refused, HTTPException: _no_route}
    app = Starlette(routes=routes, exception_handlers=refusing, lifespan=lifespan)
    # A path that is mistyped is told, not guessed.
    app.router.redirect_slashes = False
    return app


async def _watch(current: list[ServedRun], on_note: Callable[[str], None], seconds: float) -> None:
    """Serves another run as soon as it is complete; one that cannot be read is told once."""
    told: object = None
    while True:
        await asyncio.sleep(seconds)
        served = current[0]
        if not await run_in_threadpool(served.is_replaced):
            continue
        try:
            current[0] = await run_in_threadpool(open_served, served.run.path)
        except DlregError as error:
            if str(error) != told:
                on_note(f"the run before is still served: {error}")
            told = str(error)
        else:
            told = None
            on_note(f"another run is served now, finished {current[0].run.record.get('finished')}")


def _response(
    served: ServedRun, form: BodyForm, body: bytes, interval: float | None, refusals: Refusals
) -> Response:
    try:
        if form == "json":
            given = answer_rows(served, rows_of_json(body), interval, refusals)
        else:
            given = answer_tables(served.run, tables_of_lines(form, body, served.run), interval, refusals)
    except DataError as error:
        raise RequestError(422, *map(for_client, error.faults)) from None
    return _written(form, given)


def _written(form: BodyForm, given: Answer) -> Response:
    if form == "json":
        return Response(as_json(given), media_type="application/json")
    media_type = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    headers = {ABOUT_LINES: about_lines(given)}
    return Response(as_lines(given, form), 200, headers, media_type)


async def _body(request: Request) -> bytes:
    chunks, n_bytes = list[bytes](), 0
    try:
        async for chunk in request.stream():
            n_bytes += len(chunk)
            if n_bytes > MAX_BODY_BYTES:
                message = f"the body has more than {MAX_BODY_BYTES >> 20} MB"
                hint = "Send it in several requests, or use dlreg predict"
                raise RequestError(413, Fault(message, REQUEST, hint=hint))
            chunks.append(chunk)
    except asyncio.CancelledError:
        hint = "Send it again when there is a server"
        raise RequestError(
            408, Fault("the server stopped before the body was whole", REQUEST, hint=hint)
        ) from None
    return b"".join(chunks)


def _interval(run: TrainedRun, parameters: QueryParams) -> float | None:
    """The level of the interval that is asked for."""
    if len(parameters.getlist(_INTERVAL)) > 1:
        raise RequestError(422, Fault("interval stands twice", REQUEST, hint="Give it once"))
    for name in parameters:
        if name != _INTERVAL:
            near = "Did you mean interval?" if nearest_word(name, [_INTERVAL]) else "The only one is interval"
            raise RequestError(422, Fault(f"unknown parameter {name!r}", REQUEST, hint=near))
    text = parameters.get(_INTERVAL)
    if text is None:
        return None
    try:
        level = float(text)
    except ValueError:
        hint = "Give the share of rows that it shall hold, such as interval=0.9"
        raise RequestError(
            422, Fault(f"interval: expected a number, found {text[:40]!r}", REQUEST, hint=hint)
        ) from None
    try:
        refuse_level(run.intervals, level, "interval=")
    except UsageError as error:
        hint = "Leave it out: this run has no intervals"
        if run.intervals.n_rows:
            hint = f"Give a share above 0 and at most {run.intervals.highest_level:.17g}"
        raise RequestError(422, *(replace(fault, hint=hint) for fault in error.faults)) from None
    return level


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101
    return JSONResponse(faults_json(error.faults), error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    hint = "POST rows to /predict; GET /health and /openapi.json"
    fault = Fault(f"there is no {request.method} {request.url.path[:80]}", hint=hint)
    return JSONResponse(faults_json([fault]), error.status_code, dict(error.headers or {}))

"""An OpenAI-compatible server for one local model: 127.0.0.1, a token, one generation at a time."""

import asyncio
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

from ..settings import CourseError, no_proxy
from .asking import ApiError

BODY_LIMIT_BYTES = 2_000_000
PATHS = "/v1/models, /v1/chat/completions and /v1/completions"
Running = namedtuple("Running", "url token model port")


def _choice(job, index, text, reply, delta=None):
    """One entry of `choices`: a whole reply, or a chunk of it."""
    choice = {"index": index, "logprobs": None, "finish_reason": reply.finish_reason if reply else None}
    if not job.ask.chat:
        return choice | {"text": text}
    if delta is not None:
        return choice | {"delta": delta}
    content, calls = job.calls(index, text)
    message = {"role": "assistant", "content": content, "refusal": None}
    if calls:
        message |= {"content": content or None, "tool_calls": calls}
        choice["finish_reason"] = "tool_calls"
    return choice | {"message": message}


def _answer(job, model, choices, chunk=False):
    kind = ("chat.completion" if job.ask.chat else "text_completion") + (".chunk" if chunk and job.ask.chat else "")
    head = "chatcmpl-" if job.ask.chat else "cmpl-"
    return {"id": head + job.id, "object": kind, "created": job.created, "model": model, "choices": choices}


async def _whole(job, model):
    """The answer in one piece."""
    texts, replies = {}, {}
    async for index, text, reply in job.pieces():
        texts[index] = texts.get(index, job.ask.start) + text
        if reply:
            replies[index] = reply
    choices = [_choice(job, index, texts[index], replies[index]) for index in sorted(replies)]
    return _answer(job, model, choices) | {"usage": job.usage()}


async def _chunks(job, model):
    """The chunks of a streamed answer. A tool call comes whole, in the last chunk but one."""
    texts, shown = {}, {}
    async for index, text, reply in job.pieces():
        first = index not in texts
        texts[index] = texts.get(index, job.ask.start) + text
        if first and job.ask.chat:
            yield [_choice(job, index, "", None, {"role": "assistant", "content": ""})]
        whole, start, calls = texts[index], shown.get(index, 0), []
        end = len(whole)
        if job.ask.tools:
            found = whole.find("<")
            end = found if found >= 0 else end
            if reply:
                calls = job.calls(index, whole)[1]
                end = whole.find("<tool_call>") if calls else len(whole)
        if end > start:
            shown[index] = end
            yield [_choice(job, index, whole[start:end], None, {"content": whole[start:end]})]
        if calls:
            numbered = [{"index": number} | call for number, call in enumerate(calls)]
            yield [_choice(job, index, "", None, {"tool_calls": numbered})]
            reply.finish_reason = "tool_calls"
        if reply:
            yield [_choice(job, index, "", reply, {})]


async def _events(job, model):
    """Server-sent events, ended by [DONE]."""
    try:
        async for choices in _chunks(job, model):
            yield f"data: {json.dumps(_answer(job, model, choices, chunk=True))}\n\n"
        if job.ask.include_usage:
            yield f"data: {json.dumps(_answer(job, model, [], chunk=True) | {'usage': job.usage()})}\n\n"
    except ApiError as error:
        yield f"data: {json.dumps(error.body())}\n\n"
    yield "data: [DONE]\n\n"


async def _body(request):
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > BODY_LIMIT_BYTES:
            raise ApiError(413, f"The request is larger than {BODY_LIMIT_BYTES // 10**6} MB: send less text.")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "The request is not valid JSON.") from error
    if not isinstance(body, dict):
        raise ApiError(400, "The request must be a JSON object.")
    return body


def _answer_errors(app):
    """Send every error in OpenAI's format."""
    from fastapi import Request
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    def failed(error):
        headers = {"Retry-After": str(error.retry_s)} if error.retry_s else None
        return JSONResponse(error.body(), error.status, headers)

    @app.exception_handler(ApiError)
    async def known(request: Request, error: ApiError):
        return failed(error)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException):
        return failed(
            ApiError(error.status_code, f"There is no {request.method} {request.url.path:.80}: use {PATHS}.")
        )

    @app.exception_handler(Exception)
    async def surprise(request: Request, error: Exception):
        return failed(ApiError(500, f"The server failed ({type(error).__name__}): please report it."))


def build_app(engine, token):
    """The web application around an Engine."""
    from fastapi import Depends, FastAPI, Request
    from fastapi.responses import JSONResponse, StreamingResponse

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    card = {"id": engine.name, "object": "model", "created": engine.created, "owned_by": "course"}
    _answer_errors(app)

    def guard(request: Request):
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise ApiError(401, "The key is wrong or missing: use the token of this server.", None, "invalid_api_key")

    @app.get("/v1/models", dependencies=[Depends(guard)])
    async def models():
        return {"object": "list", "data": [card]}

    @app.get("/v1/models/{name:path}", dependencies=[Depends(guard)])
    async def model(name: str):
        engine.check_name(name)
        return card

    async def answer(request, chat):
        guard(request)
        ask = await asyncio.to_thread(engine.ask, await _body(request), chat)
        job = engine.start(ask)
        job.watcher = asyncio.create_task(job.watch(request))
        if ask.stream:
            return StreamingResponse(_events(job, engine.name), media_type="text/event-stream")
        return JSONResponse(await _whole(job, engine.name))

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request):
        return await answer(request, True)

    @app.post("/v1/completions")
    async def completions(request: Request):
        return await answer(request, False)

    return app


def open_socket(port):
    """Listen on 127.0.0.1 at `port`, or at the next free one. Port 0 takes any free port.

    Errors:  CourseError if twenty ports in a row are taken
    """
    for candidate in range(port, min(port + 20, 65536)) if port else [0]:
        listener = socket.socket()
        if os.name == "posix":  # elsewhere the option would share a port that is in use
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
            listener.listen(128)
            return listener
        except OSError:
            listener.close()
    raise CourseError(f"The ports from {port} to {port + 19} are taken: choose another one with --port.")


@contextmanager
def running_server(port=0, which="instruct", token=None, waiting=4, profile=None, loaded=None):
    """Serve a model from a background thread as long as the `with` block runs.

    Yields an object with .url (ends in /v1), .token, .model and .port. `waiting` requests may wait
    while one runs. `which` is a bundled model or a folder; `loaded` is a (model, tokenizer) pair
    to serve instead.
    Errors:  CourseError if the model cannot be loaded or no port is free
    Example: with running_server() as server: OpenAI(base_url=server.url, api_key=server.token)
    """
    import uvicorn

    from ..models import load
    from .engine import Engine

    model, tokenizer = loaded or load(profile, which)
    token = token or secrets.token_urlsafe(24)
    engine = Engine(model, tokenizer, f"course-{Path(str(which)).name}", waiting)
    listener = open_socket(port)
    config = uvicorn.Config(
        build_app(engine, token), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
    )
    # Streamlit in the same process turns uvicorn's log on again by its level: so it is switched off, not turned down.
    logging.getLogger("uvicorn.error").disabled = True
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="course-server", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        if not server.started:
            raise CourseError("The server could not start: look for another one that is still running.")
        number = listener.getsockname()[1]
        with no_proxy():
            yield Running(f"http://127.0.0.1:{number}/v1", token, engine.name, number)
    finally:
        engine.stopping.set()
        server.should_exit = True
        engine.worker.shutdown(wait=True, cancel_futures=True)
        thread.join(timeout=10)
        listener.close()

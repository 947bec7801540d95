"""The OpenAI-compatible server, asked by the real `openai` client and by plain HTTP."""

import json
import socket
import threading
import time

import httpx
import model_fixture
import openai
import pytest
from conftest import one_sentence

from course_utils.server import engine as engine_module
from course_utils.server import open_socket, running_server
from course_utils.settings import MODELS, CourseError

HI = [{"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture(scope="module")
def server():
    loaded = model_fixture.random_qwen3(263), model_fixture.tiny_tokenizer()
    with running_server(loaded=loaded, waiting=1) as running:
        yield running


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=server.url, api_key=server.token, max_retries=0, timeout=60) as one:
        yield one


@pytest.fixture
def spoken(monkeypatch):
    """Let the model say a given text, one word at a time, with a pause before each."""
    from course_utils import models
    from course_utils.models import Reply

    def say(text, pause_s=0.0):
        state = {"written": 0, "closed": 0}

        def stream(model, tokenizer, ids, **options):
            try:
                for word in text.split(" "):
                    time.sleep(pause_s)
                    state["written"] += 1
                    yield word + " "
                return Reply(text, [5] * len(text.split(" ")), "stop")
            except GeneratorExit:
                state["closed"] += 1
                raise

        monkeypatch.setattr(models, "stream", stream, raising=False)
        return state

    return say


def post(server, path="chat/completions", **body):
    body = {"model": server.model, "messages": HI, "max_tokens": 4} | body
    return httpx.post(
        f"{server.url}/{path}", json=body, headers={"Authorization": f"Bearer {server.token}"}, timeout=60
    )


def test_models_are_listed(client, server):
    assert [model.id for model in client.models.list()] == [server.model] == [client.models.retrieve(server.model).id]


def test_a_reply_has_all_its_parts(client, server):
    reply = client.chat.completions.create(model=server.model, messages=HI, max_tokens=6, temperature=0)
    choice = reply.choices[0]
    assert reply.id.startswith("chatcmpl-") and reply.object == "chat.completion" and choice.index == 0
    assert choice.finish_reason == "length" and choice.message.role == "assistant" and choice.message.content
    assert reply.usage.completion_tokens == 6
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + 6


def test_streaming_equals_not_streaming(client, server):
    asked = {"model": server.model, "messages": HI, "max_completion_tokens": 12, "seed": 3}
    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == whole.choices[0].message.content
    assert len(chunks) > 4 and chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "length" and chunks[-1].usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_server_says_what_the_model_says(server, client):
    from course_utils.models import generate_batch

    model, tokenizer = model_fixture.random_qwen3(263), model_fixture.tiny_tokenizer()
    [ours] = generate_batch(model, tokenizer, ["abc"], max_new_tokens=8)
    reply = client.completions.create(model=server.model, prompt="abc", max_tokens=8, temperature=0)
    assert reply.choices[0].text == ours.text and reply.object == "text_completion"


def test_several_prompts_and_choices(client, server):
    reply = client.completions.create(model=server.model, prompt=["a", "b"], n=2, max_tokens=5, seed=1)
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    assert reply.choices[0].text != reply.choices[1].text and reply.usage.completion_tokens == 20


def test_seed_and_stop(client, server):
    asked = {"model": server.model, "messages": HI, "max_tokens": 16}
    one, two, other = (
        client.chat.completions.create(**asked, seed=seed).choices[0].message.content for seed in (1, 1, 2)
    )
    assert one == two != other
    cut = client.chat.completions.create(**asked, seed=1, stop=[one[3]]).choices[0]
    assert cut.finish_reason == "stop" and cut.message.content == one[: one.index(one[3])]


CALL = 'I add.\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls(client, server, spoken, stream):
    spoken(CALL)
    reply = client.chat.completions.create(model=server.model, messages=HI, tools=TOOLS, stream=stream)
    if stream:
        chunks = [chunk.choices[0] for chunk in reply]
        text, finish = "".join(chunk.delta.content or "" for chunk in chunks), chunks[-1].finish_reason
        calls = [call for chunk in chunks for call in chunk.delta.tool_calls or []]
    else:
        text, calls = reply.choices[0].message.content, reply.choices[0].message.tool_calls
        finish = reply.choices[0].finish_reason
    assert text.strip() == "I add." and finish == "tool_calls"
    assert calls[0].function.name == "add" and json.loads(calls[0].function.arguments) == {"a": 1} and calls[0].id


@pytest.mark.parametrize(
    "text", ['<tool_call>{"name": "add", </tool_call>', "<tool_call>[1]", '<tool_call>{"name": 3}', "a < b"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_broken_tool_calls_stay_text(client, server, spoken, text, stream):
    spoken(text)
    reply = client.chat.completions.create(model=server.model, messages=HI, tools=TOOLS, stream=stream)
    if stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in reply).strip() == text
    else:
        message = reply.choices[0].message
        assert message.content.strip() == text and not message.tool_calls and reply.choices[0].finish_reason == "stop"


def test_a_whole_tool_conversation_is_read(client, server):
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    turns = [*HI, {"role": "assistant", "content": None, "tool_calls": [call]}]
    turns += [{"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "2"}]}]
    forced = {"type": "function", "function": {"name": "add"}}
    reply = client.chat.completions.create(
        model=server.model, messages=turns, tools=TOOLS, tool_choice=forced, max_tokens=3
    )
    assert reply.choices[0].message.content.startswith("<tool_call>")  # forced, and cut before it was whole


def test_a_wrong_key(server):
    for key in ("wrong", server.token[:-1], "ключ".encode().decode("latin-1")):
        answer = httpx.get(f"{server.url}/models", headers={b"Authorization": f"Bearer {key}".encode("latin-1")})
        assert answer.status_code == 401
    with pytest.raises(openai.AuthenticationError, match="key is wrong") as caught:
        openai.OpenAI(base_url=server.url, api_key="wrong").chat.completions.create(model=server.model, messages=HI)
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize("stream", [False, True])
def test_an_over_long_prompt(client, server, stream):
    with pytest.raises(openai.BadRequestError, match="has 6.. tokens and at most 511 are allowed") as caught:
        client.chat.completions.create(
            model=server.model, messages=[{"role": "user", "content": "a" * 600}], stream=stream
        )
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "param", "body"),
    [
        (404, "model", {"model": "gpt-0"}),
        (404, "model", {"model": None}),
        (400, "temperature", {"temperature": 3}),
        (400, "temperature", {"temperature": "hot"}),
        (400, "top_p", {"top_p": 0}),
        (400, "top_p", {"top_p": True}),
        (400, "max_tokens", {"max_tokens": 0}),
        (400, "max_tokens", {"max_tokens": 1.5}),
        (400, "seed", {"seed": "x"}),
        (400, "n", {"n": 99}),
        (400, "stop", {"stop": [""]}),
        (400, "stop", {"stop": {}}),
        (400, "stop", {"stop": list("abcde")}),
        (400, "messages", {"messages": []}),
        (400, "messages", {"messages": "hello"}),
        (400, "messages[0].role", {"messages": [{"role": "king", "content": "x"}]}),
        (400, "messages[0].role", {"messages": [{"role": [], "content": "x"}]}),
        (400, "messages[0].content", {"messages": [{"role": "user", "content": 3}]}),
        (400, "messages[0].content", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
        (400, "messages[0]", {"messages": [{"role": "assistant", "tool_calls": [3]}]}),
        (400, "tools", {"tools": [3]}),
        (400, "tool_choice", {"tools": TOOLS, "tool_choice": "sub"}),
        (400, "logprobs", {"logprobs": True}),
        (400, "response_format", {"response_format": {"type": "json_object"}}),
    ],
)
def test_bad_parameters_get_one_sentence(server, status, param, body):
    answer = post(server, **body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (status, param, "invalid_request_error")
    assert one_sentence(error["message"])


@pytest.mark.parametrize("prompt", [None, "\ud800", "", [], [[]], [99999], ["a"] * 17, [True], {"a": 1}])
def test_bad_prompts(server, prompt):
    content = json.dumps({"model": server.model, "prompt": prompt})
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = httpx.post(f"{server.url}/completions", content=content, headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "prompt"


def test_bad_requests(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    for content, status in (
        (b"{", 400),
        (b"[1]", 400),
        (b"[" * 100_000, 400),
        (b" " * 3_000_000, 413),
        (b"\xff", 400),
    ):
        answer = httpx.post(f"{server.url}/chat/completions", content=content, headers=headers)
        assert answer.status_code == status and one_sentence(answer.json()["error"]["message"])
    for path, status in (("responses", 404), ("", 404), ("models/none", 404)):
        answer = httpx.get(f"{server.url}/{path}", headers=headers)
        assert answer.status_code == status and "message" in answer.json()["error"]


def test_busy_is_429_and_the_client_backs_off(server, client, spoken):
    spoken("one two three four", pause_s=0.2)
    ask = {"model": server.model, "messages": HI}
    patient = openai.OpenAI(base_url=server.url, api_key=server.token, max_retries=5)
    running = client.chat.completions.create(**ask, stream=True)
    waiting = client.chat.completions.create(**ask, stream=True)
    with pytest.raises(openai.RateLimitError, match="busy") as caught:
        client.chat.completions.create(**ask)
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 20
    begun = time.monotonic()
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(patient.chat.completions.create(**ask))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert len(list(running)) > 3 and len(list(waiting)) > 3
    for thread in threads:
        thread.join(30)
    assert [answer.choices[0].finish_reason for answer in answers] == ["stop", "stop"]
    assert time.monotonic() - begun > 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_stops_the_generation(server, spoken, stream):
    state = spoken("word " * 400, pause_s=0.02)
    impatient = openai.OpenAI(base_url=server.url, api_key=server.token, max_retries=0, timeout=0.5)
    ask = {"model": server.model, "messages": HI}
    if stream:
        reply = impatient.chat.completions.create(**ask, stream=True)
        next(iter(reply))
        reply.close()
    else:
        with pytest.raises(openai.APITimeoutError):
            impatient.chat.completions.create(**ask)
    until = time.monotonic() + 5
    while not state["closed"] and time.monotonic() < until:
        time.sleep(0.05)
    assert state["closed"] == 1 and state["written"] < 200
    assert post(server, "completions", prompt="a", model=server.model, max_tokens=1).status_code == 200


def test_a_client_that_leaves_the_queue_gives_its_place_back(server, client, spoken):
    spoken("word " * 40, pause_s=0.02)
    running = client.chat.completions.create(model=server.model, messages=HI, stream=True)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(model=server.model, messages=HI)
    time.sleep(0.3)
    third = client.chat.completions.create(model=server.model, messages=HI, stream=True)  # no 429
    assert list(running) and list(third)


def test_a_failing_model_is_an_error_not_a_crash(server, client, monkeypatch):
    from course_utils import models

    def broken(*_, **__):
        raise ValueError("no luck")
        yield

    monkeypatch.setattr(models, "stream", broken, raising=False)
    with pytest.raises(openai.InternalServerError, match="no luck"):
        client.chat.completions.create(model=server.model, messages=HI)
    with pytest.raises(openai.APIError, match="no luck"):
        list(client.chat.completions.create(model=server.model, messages=HI, stream=True))


def test_it_stops_cleanly_and_then_refuses(capfd, spoken):
    spoken("word " * 1000, pause_s=0.02)
    before = set(threading.enumerate())
    loaded = model_fixture.random_qwen3(263), model_fixture.tiny_tokenizer()
    with running_server(loaded=loaded, token="abc") as server:
        assert server.token == "abc" and server.url == f"http://127.0.0.1:{server.port}/v1"
        client = openai.OpenAI(base_url=server.url, api_key="abc", max_retries=0)
        running = client.chat.completions.create(model=server.model, messages=HI, stream=True)
        next(iter(running))
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    with pytest.raises(openai.APIError):
        list(running)
    with pytest.raises(openai.APIConnectionError):
        client.models.list()
    assert set(threading.enumerate()) <= before
    assert capfd.readouterr().err == ""


def test_a_base_model_without_template_completes_only():
    import copy

    tokenizer = copy.deepcopy(model_fixture.tiny_tokenizer())
    tokenizer.chat_template = None
    engine = engine_module.Engine(model_fixture.random_qwen3(263), tokenizer, "base", 1)
    with pytest.raises(engine_module.ApiError, match="no chat template"):
        engine.ask({"model": "base", "messages": HI}, True)
    assert engine.ask({"model": "base", "prompt": "Hello"}, False).prompts
    engine.worker.shutdown()


def test_a_taken_port_moves_on():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with open_socket(port) as listener:
            assert port < listener.getsockname()[1] < port + 20


@pytest.mark.parametrize("arguments", [("--port", 0), ("--waiting", -1), ("--token", ""), ("--model", "nowhere")])
def test_serve_refuses_in_one_sentence(course, arguments):
    answer = course("serve", *arguments)
    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    assert one_sentence(answer.stderr.replace("Loading the model nowhere …\n", ""))


def test_unknown_model_for_running_server():
    with pytest.raises(CourseError):
        with running_server(which="nowhere"):
            pass


@pytest.mark.skipif(not (MODELS / "instruct").is_dir(), reason="the bundled models are not made yet")
def test_serve_with_the_bundled_model():
    import os
    import signal
    import subprocess
    import sys

    from course_utils.settings import ROOT

    environment = dict(os.environ, COURSE_READY=sys.executable, COURSE_TOKEN="secret")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "course_utils", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            url = process.stdout.readline().strip().removeprefix("OPENAI_BASE_URL=")
            name = process.stdout.readline().strip().removeprefix("model=")
            client = openai.OpenAI(base_url=url, api_key="secret")
            reply = client.chat.completions.create(model=name, messages=HI, temperature=0)
            assert reply.choices[0].message.content and name == "course-instruct"
        finally:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and f"Port {port} is taken" in err
    assert err.strip().splitlines()[-1] == "Stopped." and "Traceback" not in err and "secret" not in err
    assert f'curl {url}/chat/completions -H "Authorization: Bearer $OPENAI_API_KEY"' in err
    assert '"temperature": 0' in err


def test_the_line_to_try_is_answered(server):
    import shlex

    from course_utils.commands import serve

    for model in ("instruct", "base"):
        program, url, _, key, _, body = shlex.split(serve.example(server, model, server.token))
        name, _, value = key.partition(": ")
        assert program == "curl" and json.loads(body)["temperature"] == 0
        reply = httpx.post(url, headers={name: value}, content=body, timeout=60)
        assert reply.status_code == 200 and reply.json()["choices"]

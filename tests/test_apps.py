"""The two applications, run by Streamlit's own AppTest, and the command that starts them."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import model_fixture
import pytest
import streamlit
from conftest import one_sentence
from streamlit.testing.v1 import AppTest

from course_utils import apps, feedback
from course_utils.server import running_server
from course_utils.settings import ROOT, CourseError

LOADED = model_fixture.random_qwen3(263), model_fixture.tiny_tokenizer()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    streamlit.cache_resource.clear()


@pytest.fixture
def tiny(monkeypatch):
    """A tiny random model in the place of the bundled ones."""
    from course_utils import models

    monkeypatch.setattr(models, "load", lambda profile=None, which="instruct": LOADED, raising=False)


@pytest.fixture
def app():
    def start(name):
        return AppTest.from_file(str(ROOT / "course_utils" / "apps" / f"{name}.py"), default_timeout=60).run()

    return start


def by_label(widgets, label):
    return next(widget for widget in widgets if widget.label == label)


def say(page, text):
    page.chat_input[0].set_value(text).run()
    assert not page.exception
    return page


def test_chat_answers_and_remembers(tiny, app):
    page = app("chat")
    by_label(page.slider, "Most new tokens").set_value(8)
    say(say(page, "Hello"), "Again")
    turns = page.session_state["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 2
    assert [message.name for message in page.chat_message] == ["user", "assistant"] * 2
    assert page.chat_message[0].text[0].value == "Hello" and page.chat_message[1].text[0].value == turns[1]["content"]


def test_chat_settings_reach_the_model(tiny, app, monkeypatch):
    seen = {}

    def pieces(model, tokenizer, messages, options):
        seen.update(options, messages=messages)
        yield "<b>$5</b> "
        yield "*and* $6"

    monkeypatch.setattr(apps, "local_pieces", pieces)
    page = app("chat")
    page.text_area[0].set_value("You are a pirate.")
    by_label(page.slider, "Temperature").set_value(1.2)
    by_label(page.slider, "Top-p").set_value(0.5)
    by_label(page.slider, "Most new tokens").set_value(64)
    by_label(page.text_input, "Stop words").set_value("END, , stop")
    say(page, "Ahoy")
    assert (seen["temperature"], seen["top_p"], seen["max_tokens"], seen["stop"]) == (1.2, 0.5, 64, ["END", "stop"])
    assert seen["messages"] == [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Ahoy"},
    ]
    assert page.chat_message[1].text[0].value == "<b>$5</b> *and* $6"  # shown as it is, never as Markdown or HTML


def test_chat_with_the_base_model_continues_text(tiny, app, monkeypatch):
    page = app("chat")
    page.selectbox[0].set_value("base").run()
    assert any("only continues" in caption.value for caption in page.caption)
    say(page, "Once upon a time")
    assert page.session_state["messages"][1]["model"] == "base"


def test_chat_begins_anew(tiny, app):
    page = say(app("chat"), "Hello")
    by_label(page.button, "New conversation").click().run()
    assert page.session_state["messages"] == [] and not page.chat_message


def test_thumbs_are_kept_changed_and_taken_back(tiny, app):
    page = say(app("chat"), "Hello")
    page.feedback[0].set_value(1).run()
    [row] = feedback.read()
    reply = page.session_state["messages"][1]["content"]
    assert (row.thumb, row.model, row.reply) == ("up", "instruct", reply)
    assert [turn["role"] for turn in row.messages] == ["system", "user"] and row.messages[1]["content"] == "Hello"
    page.feedback[0].set_value(0).run()
    assert [row.thumb for row in feedback.read()] == ["down"]
    page.feedback[0].set_value(None).run()
    assert feedback.read() == [] and not page.exception


def test_a_thumb_that_cannot_be_kept_is_an_error_message(tiny, app, tmp_path, monkeypatch):
    page = say(app("chat"), "Hello")
    (tmp_path / "feedback.sqlite3").write_bytes(b"not a database " * 100)
    page.feedback[0].set_value(1).run()
    assert "cannot be used" in page.error[0].value and not page.exception


def test_a_missing_model_is_an_error_message(app, monkeypatch):
    from course_utils import models

    def missing(profile=None, which="instruct"):
        raise CourseError("assets/models/instruct is missing: restore it with `git checkout assets`.")

    monkeypatch.setattr(models, "load", missing, raising=False)
    page = say(app("chat"), "Hello")
    assert "missing" in page.error[0].value and page.session_state["messages"] == []


def test_a_too_long_conversation_is_an_error_message(tiny, app):
    page = say(app("chat"), "a" * 700)
    assert "shorten" in page.error[0].value and page.session_state["messages"] == []


def test_chat_through_an_address(app, monkeypatch):
    with running_server(loaded=LOADED) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", server.token)
        page = app("chat")
        page.selectbox[0].set_value("remote")
        by_label(page.slider, "Most new tokens").set_value(8)
        by_label(page.text_input, "Stop words").set_value("END")
        say(page, "Hello")
        assert page.session_state["messages"][1]["model"] == "remote" and not page.error
        monkeypatch.setenv("OPENAI_API_KEY", "wrong")
        assert "refuses the key" in say(page, "Hello").error[0].value
        monkeypatch.delenv("OPENAI_API_KEY")
        assert "OPENAI_API_KEY" in say(page, "Hello").error[0].value
        monkeypatch.setenv("OPENAI_API_KEY", server.token)
        monkeypatch.setenv("OPENAI_MODEL", "other")
        assert "There is no model" in say(page, "Hello").error[0].value
    assert "does not answer" in say(page, "Hello").error[0].value
    assert len(page.session_state["messages"]) == 2


class WebPage(http.server.BaseHTTPRequestHandler):
    """Answers everything with a web page, as a wrong address does."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body>Welcome</body></html>")

    do_POST = do_GET

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize("model", ["", "some-model"])
def test_an_address_that_is_a_web_page_is_one_sentence(app, monkeypatch, model):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OPENAI_API_KEY", "key")
        monkeypatch.setenv("OPENAI_MODEL", model)
        page = app("chat")
        page.selectbox[0].set_value("remote")
        page = say(page, "Hello")
        server.shutdown()
    assert "does not answer in OpenAI's format" in page.error[0].value and not page.exception


def fill(page, **slots):
    for box, text in zip(page.text_input, slots.values(), strict=True):
        box.set_value(text)
    page.button[0].click().run()
    assert not page.exception
    return page


def test_poem_is_written(tiny, app):
    page = fill(app("poem"), name="Mia", subject="the sea", contents="waves")
    assert page.text[0].value and page.success[0].value == "Done."
    assert page.text[1].value == "Name: Mia\nSubject: the sea\nContents: waves\nWrite a poem."


def test_empty_slots_are_one_sentence(tiny, app):
    page = fill(app("poem"), name="Mia", subject="  ", contents="")
    assert page.error[0].value == "The poem needs every slot: fill in subject and contents." and not page.success
    assert one_sentence(page.error[0].value)


def test_poem_through_a_dead_address(app, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    page = app("poem")
    page.selectbox[0].set_value("remote")
    assert "does not answer" in fill(page, name="Mia", subject="the sea", contents="waves").error[0].value


def test_no_key_and_no_address_in_code():
    for path in (ROOT / "course_utils" / "apps").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "sk-" not in text and "https://" not in text


@pytest.mark.parametrize("arguments", [("song",), ("chat", "--port", 0), ()])
def test_app_refuses_in_one_sentence(course, arguments):
    answer = course("app", *arguments)
    assert answer.returncode == 2 and one_sentence(answer.stderr)


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM"])
def test_app_starts_moves_on_from_a_taken_port_and_stops(way):
    environment = dict(os.environ, COURSE_READY=sys.executable)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "course_utils", "app", "poem", "--no-browser", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        lines = [process.stderr.readline() for _ in range(4)]
        address = lines[2].strip()
        try:
            assert f"Port {port} is taken" in lines[0] and httpx.get(address, trust_env=False, timeout=60).status_code == 200
        finally:
            if way == "Ctrl-C":  # a terminal sends it to the whole group
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.terminate()
            out, err = process.communicate(timeout=90)
    assert process.returncode == 130 and out == "" and err.strip().startswith("Stopped.") and one_sentence(err)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)

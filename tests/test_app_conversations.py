"""The chat application's kept conversations, run by Streamlit's own AppTest; no model is loaded."""

import pytest
import streamlit
from conftest import one_sentence
from streamlit.testing.v1 import AppTest

from course_utils import apps, feedback
from course_utils.apps import conversations
from course_utils.memory.store import ConversationStore
from course_utils.settings import ROOT, CourseError


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder of its own, and a model that repeats what it read last and how many messages that were."""
    from course_utils import models

    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(models, "load", lambda profile=None, which="instruct": (None, None), raising=False)
    monkeypatch.setattr(apps, "local_pieces", lambda model, tokenizer, messages, options: iter(reply_to(messages)))
    streamlit.cache_resource.clear()
    return tmp_path


def reply_to(messages):
    return [f"You said {messages[-1]['content']!r} ", f"after {len(messages) - 1} messages."]


@pytest.fixture
def store(place):
    return ConversationStore(place / "conversations.sqlite3")


def open_page(**address):
    page = AppTest.from_file(str(ROOT / "course_utils" / "apps" / "chat.py"), default_timeout=60)
    page.query_params.update(address)
    return page.run()


def say(page, text):
    page.chat_input[0].set_value(text).run()
    assert not page.exception
    return page


def press(page, label):
    next(button for button in page.sidebar.button if button.label == label).click().run()
    assert not page.exception
    return page


def names(page):
    """The conversations in the list, top to bottom."""
    return [button.label for button in page.sidebar.button if str(button.key).startswith("open_")]


def shown(page):
    return [message.text[0].value for message in page.chat_message]


def talk(page):
    """The conversation that the page's address names."""
    found = page.query_params["talk"]
    return found[0] if isinstance(found, list) else found


def test_a_new_page_is_empty_and_makes_no_file(place):
    page = open_page()
    assert not page.exception and not page.error and names(page) == [] and shown(page) == []
    assert list(place.iterdir()) == [] and "talk" not in page.query_params


def test_the_history_is_there_after_a_reload(store):
    page = say(say(open_page(), "My name is Mia."), "Who am I?")
    before = shown(page)
    assert before[1] == "You said 'My name is Mia.' after 1 messages." and "after 3" in before[3]
    again = open_page(talk=talk(page))
    assert shown(again) == before and names(again) == ["My name is Mia\\."] and not again.error
    assert "after 5 messages" in shown(say(again, "And now?"))[5]  # the model reads the whole conversation
    kept = store.read("local", talk(page))
    assert [message["role"] for message in kept] == ["user", "assistant"] * 3
    assert kept[1]["model"] == "instruct" and kept[1]["system"] == "You are a friendly assistant."


def test_a_page_without_an_address_is_new_and_lists_the_others():
    first = say(open_page(), "First")
    second = open_page()
    assert shown(second) == [] and names(second) == ["First"]
    say(second, "Second")
    assert names(second) == ["Second", "First"] and talk(second) != talk(first)
    press(second, "First")
    assert shown(second)[0] == "First" and talk(second) == talk(first)
    say(second, "More")
    assert names(second) == ["First", "Second"]  # the last changed one stands first
    press(second, "New conversation")
    assert shown(second) == [] and "talk" not in second.query_params


def test_a_conversation_is_renamed(store):
    page = say(open_page(), "Hello")
    box = lambda: next(box for box in page.sidebar.text_input if box.label == "Name of this conversation")  # noqa: E731
    box().set_value("Boots for the *island*").run()
    assert [row.name for row in store.threads("local")] == ["Boots for the *island*"] and not page.error
    assert names(page) == ["Boots for the \\*island\\*"]
    box().set_value("  ").run()
    assert [row.name for row in store.threads("local")] == ["Boots for the *island*"] and not page.exception


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hello", "Hello"),
        ("  two\n lines ", "two lines"),
        ("a " * 30, "a " * 19 + "a …"),
        ("x" * 60, "x" * 40 + " …"),
    ],
)
def test_a_title_is_the_first_words(text, name):
    assert conversations.title(text) == name and len(name) <= 42


def test_a_label_shows_signs_as_they_are():
    text = "![x](http://127.0.0.1/y.png) :red[a] $b$ <c> `d` **e** ~~f~~ 1. g"
    label = conversations.plain(text)
    assert label.replace("\\", "") == text and "![" not in label and "](" not in label and ":red" not in label.replace("\\:", "")


def test_a_delete_asks_first_and_leaves_no_byte(place, store):
    page = say(open_page(), "SECRET-ONE of mine")
    page.feedback[0].set_value(1).run()
    other = say(open_page(), "SECRET-TWO of mine")
    other.feedback[0].set_value(0).run()
    press(page, "Delete this conversation")
    assert "Delete its 2 messages" in page.warning[0].value and len(store.threads("local")) == 2
    press(page, "No, keep them")
    assert not page.warning and len(store.threads("local")) == 2 and len(feedback.read()) == 2
    press(press(page, "Delete this conversation"), "Yes, delete them")
    assert shown(page) == [] and names(page) == ["SECRET\\-TWO of mine"] and "talk" not in page.query_params and not page.error
    found = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert b"SECRET-ONE" not in found and b"SECRET-TWO" in found
    assert [row.messages[-1]["content"] for row in feedback.read()] == ["SECRET-TWO of mine"]


def test_a_question_before_a_delete_does_not_move_to_another_conversation(store):
    page = say(open_page(), "First")
    press(page, "Delete this conversation")
    press(page, "New conversation")
    say(page, "Second")
    assert not page.warning and len(store.threads("local")) == 2


def test_a_thumb_is_there_after_a_reload_and_can_be_taken_back():
    page = say(say(open_page(), "Hello"), "Again")
    page.feedback[1].set_value(1).run()
    page.feedback[0].set_value(0).run()
    again = open_page(talk=talk(page))
    assert [thumb.value for thumb in again.feedback] == [0, 1]
    again.feedback[1].set_value(None).run()
    assert [row.thumb for row in feedback.read()] == ["down"] and not again.exception
    again.feedback[0].set_value(1).run()
    assert [row.thumb for row in feedback.read()] == ["up"]
    assert [thumb.value for thumb in open_page(talk=talk(page)).feedback] == [1, None]


def test_an_address_that_names_no_conversation_of_this_user(store):
    foreign = store.new("bob", "of bob")
    store.add("bob", foreign, [{"role": "user", "content": "of bob"}, {"role": "assistant", "content": "of bob"}])
    for name in ("0" * 16, foreign, "", "' OR 1=1 --"):
        page = open_page(talk=name)
        assert shown(page) == [] and names(page) == [] and not page.exception and "talk" not in page.query_params
        assert all(one_sentence(error.value) for error in page.error) and len(page.error) == (name != "")
    assert names(say(page, "Hello")) == ["Hello"] and store.read("bob", foreign)[0]["content"] == "of bob"


def test_a_failing_model_keeps_nothing(store, monkeypatch):
    def fail(*_):
        raise CourseError("The model is missing: restore it.")
        yield

    monkeypatch.setattr(apps, "local_pieces", fail)
    page = say(open_page(), "Hello")
    assert "missing" in page.error[0].value and store.threads("local") == []


def test_a_reply_that_is_stopped_is_kept_so_far(store, monkeypatch):
    from streamlit.runtime.scriptrunner_utils.exceptions import StopException

    def stopped(*_):
        yield "Half a re"
        raise StopException

    monkeypatch.setattr(apps, "local_pieces", stopped)
    open_page().chat_input[0].set_value("Hello").run()
    [thread] = store.threads("local")
    assert [message["content"] for message in store.read("local", thread.id)] == ["Hello", "Half a re"]


def test_a_damaged_file_is_a_sentence_and_the_chat_goes_on(place):
    (place / "conversations.sqlite3").write_bytes(b"not a database " * 100)
    page = open_page()
    assert "damaged and kept" in page.error[0].value
    say(page, "Hello")
    assert shown(page)[1].startswith("You said") and all("damaged" in error.value for error in page.error)
    assert "after 3 messages" in shown(say(page, "Again"))[3]
    page.feedback[0].set_value(1).run()
    assert [row.thumb for row in feedback.read()] == ["up"] and not page.exception
    assert (place / "conversations.sqlite3").read_bytes() == b"not a database " * 100


def test_a_conversation_deleted_in_another_page_is_a_sentence(store):
    page = say(open_page(), "Hello")
    other = open_page(talk=talk(page))
    press(press(other, "Delete this conversation"), "Yes, delete them")
    say(page, "Are you there?")
    assert "no such conversation" in page.error[0].value and one_sentence(page.error[0].value)
    assert store.threads("local") == [] and len(shown(page)) == 4  # the page still shows what was said
    page.feedback[0].set_value(1).run()
    assert not page.exception

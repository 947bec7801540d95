"""Thumbs up and down in SQLite."""

import threading

import pytest
from conftest import one_sentence

from course_utils import feedback
from course_utils.settings import CourseError

TALK = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Grüße, 안녕? 'quoted' \"x\""}]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "new" / "folder"))
    return tmp_path / "new" / "folder" / "feedback.sqlite3"


def test_what_is_kept_comes_back(place):
    assert feedback.read() == []
    number = feedback.add(TALK, "Hello;\nDROP TABLE feedback", "up", "instruct")
    feedback.add(TALK, "", "down", "base")
    first, second = feedback.read()
    assert first[2:] == ("instruct", TALK, "Hello;\nDROP TABLE feedback", "up") and first.id == number
    assert second.thumb == "down" and first.time <= second.time and first.time.endswith("+00:00")
    assert place.is_file()


def test_delete_one_and_all():
    numbers = [feedback.add(TALK, str(i), "up", "m") for i in range(3)]
    assert feedback.delete(numbers[1]) == 1 and feedback.delete(999) == 0
    assert [row.reply for row in feedback.read()] == ["0", "2"]
    assert feedback.delete() == 2 and feedback.read() == []
    assert feedback.add(TALK, "later", "up", "m") > max(numbers)  # an open page may still hold an old number


def test_after_a_delete_no_byte_holds_the_text(place):
    numbers = [feedback.add(TALK, f"SECRET-{i:03} " * 50, "up", "m") for i in range(30)]
    feedback.delete(numbers[7])
    assert b"SECRET-007" not in place.read_bytes() and b"SECRET-008" in place.read_bytes()
    feedback.delete()
    assert b"SECRET" not in place.read_bytes() and [path.name for path in place.parent.iterdir()] == [place.name]


def test_another_thumb_and_a_message_that_is_no_json_change_nothing():
    with pytest.raises(ValueError):
        feedback.add(TALK, "x", "sideways", "m")
    with pytest.raises(TypeError):
        feedback.add([object()], "x", "up", "m")
    assert feedback.read() == []


def test_an_error_inside_keeps_nothing():
    with pytest.raises(RuntimeError):
        with feedback._open(None) as connection:
            connection.execute(
                "INSERT INTO feedback (time, model, messages, reply, thumb) VALUES ('', '', '[]', '', 'up')"
            )
            raise RuntimeError
    assert feedback.read() == []


def test_many_writers_at_once():
    def write(name):
        for number in range(10):
            feedback.add(TALK, f"{name}-{number}", "up", "m")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({row.reply for row in feedback.read()}) == 60


def test_a_damaged_file_is_one_sentence(place):
    place.parent.mkdir(parents=True)
    place.write_bytes(b"This is not a database. " * 100)
    with pytest.raises(CourseError) as caught:
        feedback.read()
    assert one_sentence(str(caught.value))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "file"))
    with pytest.raises(CourseError) as caught:
        feedback.add(TALK, "x", "up", "m")
    assert one_sentence(str(caught.value))


def test_the_place_without_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_DATA")
    for system, variable in (("linux", "XDG_DATA_HOME"), ("win32", "LOCALAPPDATA")):
        monkeypatch.setattr(feedback.sys, "platform", system)
        monkeypatch.setenv(variable, str(tmp_path))
        assert feedback.data_folder() == tmp_path / "llm-course"

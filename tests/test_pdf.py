"""PDF files read in a limited process, and the PDF chatbot. The files are made here; no model of the course runs."""

import io
import os
import time
import zlib
from types import SimpleNamespace

import numpy
import pytest
from conftest import one_sentence

from course_utils import apps, retrieval
from course_utils.retrieval import pdf
from course_utils.settings import ROOT, CourseError

TEXTS = (
    "The lamp burns for nine hours.\nIts battery weighs 210 grams.",
    "The tent sleeps four people.\nIts poles are made of ash wood.",
    "Repairs take eleven days.\nA courier brings the tent back.",
)


def make_pdf(objects, trailer=b""):
    """A PDF file of numbered objects (bytes); the first one is the catalog."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, len(out))
    return bytes(out) + head + end


def stream(data, packed=1):
    """A stream object, packed by Flate any number of times."""
    for _ in range(packed):
        data = zlib.compress(data, 9)
    filters = b"/FlateDecode " * packed
    return b"<< /Length %d /Filter [ %s] >>\nstream\n%s\nendstream" % (len(data), filters, data)


def drawn(text):
    """The content stream that writes a text, one line below the other."""
    lines = [b"(%s) Tj 0 -14 Td" % line.encode("latin-1") for line in text.splitlines()]
    return b"BT /F1 11 Tf 60 780 Td %s ET" % b" ".join(lines)


def pages_pdf(contents, kids=None, trailer=b""):
    """A PDF file with one page for each content stream object."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    kids = kids or b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(contents)))
    tree = b"<< /Type /Pages /Kids [ %s ] /Count %d >>" % (kids, max(len(contents), kids.count(b"R")))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", tree, font]
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents "
    for i, content in enumerate(contents):
        objects += [page + b"%d 0 R >>" % (5 + 2 * i), content]
    return make_pdf(objects, trailer)


def text_pdf(texts=TEXTS):
    return pages_pdf([stream(drawn(text)) for text in texts])


def locked_pdf(user, owner):
    """The same file, encrypted with RC4 (pypdf writes it)."""
    import pypdf

    writer, out = pypdf.PdfWriter(clone_from=io.BytesIO(text_pdf())), io.BytesIO()
    writer.encrypt(user, owner, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def bad_files():
    """{what it is: (bytes, words of the sentence)}"""
    picture = b"q 500 0 0 700 40 60 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q"
    sealed = b"/Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 /O <%s> /U <%s> /OE <%s> /UE <%s> >>" % (
        b"00" * 48, b"00" * 48, b"00" * 32, b"00" * 32,
    )  # fmt: skip
    whole = text_pdf()
    return {
        "empty": (b"", "is empty"),
        "a text file": (b"Dear reader,\nthis is no PDF.\n", "is no PDF file"),
        "a web page": (b"<html><body>PDF</body></html>", "is no PDF file"),
        "a head only": (b"%PDF-1.7\n", "is damaged"),
        "noise after the head": (b"%PDF-1.7\n" + bytes(range(256)) * 40, "is damaged"),
        "cut off": (whole[:200], "is damaged"),
        "no pages": (pages_pdf([]), "has no pages"),
        "a scan": (pages_pdf([stream(picture)] * 2), "no text on them"),
        "locked": (locked_pdf("sesame", "sesame"), "locked with a password"),
        "locked with another cipher": (pages_pdf([stream(drawn("x"))], trailer=sealed), "locked with a password"),
        "a bomb": (pages_pdf([stream(bytes(50_000_000))]), "unpacks to far more"),
        "a bomb in a bomb": (pages_pdf([stream(bytes(50_000_000), packed=2)]), "unpacks to far more"),
        "many pages": (pages_pdf([stream(drawn("x"))], kids=b"4 0 R " * 10_000), "has 10000 pages"),
        "a ring of pages": (pages_pdf([stream(drawn("x"))], kids=b"4 0 R 2 0 R"), "is damaged"),
        "more than 20 MB": (b"%PDF-1.7\n" + bytes(20_000_001), "more than 20 MB"),
    }


BAD = bad_files()


def test_pages_come_with_their_numbers(tmp_path):
    pages = pdf.read_pdf(text_pdf(), "shop.pdf")
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.text.split() for page in pages] == [text.split() for text in TEXTS]
    (tmp_path / "shop.pdf").write_bytes(text_pdf())
    assert pdf.read_pdf(tmp_path / "shop.pdf") == pages


def test_a_page_without_text_keeps_its_number():
    pages = pdf.read_pdf(pages_pdf([stream(drawn("one")), stream(b""), stream(drawn("three"))]))
    assert [(page.number, page.text.strip()) for page in pages] == [(1, "one"), (2, ""), (3, "three")]


def test_a_file_with_an_owner_password_only_can_be_read():
    assert "nine hours" in pdf.read_pdf(locked_pdf("", "sesame"))[0].text


def test_invisible_signs_are_taken_out():
    assert pdf._clean("a\u202eb\u200bc\x00d\ud800e\xa0f\r\ng\x0ch") == "abcde f\ng h"


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_sentence(kind):
    data, words = BAD[kind]
    with pytest.raises(CourseError) as caught:
        pdf.read_pdf(data, "my file.pdf")
    sentence = str(caught.value)
    assert words in sentence and sentence.startswith("my file.pdf ") and one_sentence(sentence) and len(sentence) < 200


def test_the_files_of_the_notebook():
    from course_utils.settings import DATA

    folder = DATA / "step3" / "pdf"
    assert "Postage" in pdf.read_pdf(folder / "handbook.pdf")[1].text
    words = {
        "empty": "is empty", "scan": "no text on them", "locked": "with a password", "bomb": "unpacks to far more",
        "web_page": "is no PDF", "half": "is damaged", "long": "has 301 pages",
    }  # fmt: skip
    assert {path.stem for path in folder.iterdir()} == {"handbook", *words}
    for name, said in words.items():
        with pytest.raises(CourseError, match=said):
            pdf.read_pdf(folder / f"{name}.pdf")


def test_the_bombs_are_small():
    assert len(BAD["a bomb"][0]) < 60_000 and len(BAD["a bomb in a bomb"][0]) < 5_000


def test_a_missing_file_and_a_strange_name_are_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="cannot be opened") as caught:
        pdf.read_pdf(tmp_path / "none.pdf")
    assert one_sentence(str(caught.value)) and str(tmp_path) not in str(caught.value)
    with pytest.raises(CourseError) as caught:
        pdf.read_pdf(b"", "a\n\n\u202e{0}" + "x" * 500 + ".pdf")
    sentence = str(caught.value)
    assert sentence.startswith("a {0}xxx") and len(sentence) < 120 and one_sentence(sentence)


def test_too_much_text_and_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(pdf, "CHARACTERS", 60)
    with pytest.raises(CourseError, match="more than 60 characters"):
        pdf.read_pdf(text_pdf())
    monkeypatch.setattr(pdf, "PAGES", 2)
    with pytest.raises(CourseError, match="has 3 pages, and at most 2"):
        pdf.read_pdf(text_pdf())


# A planted reader in the place of pypdf: what a hole in the library could do, and what stops it.
READER = """
import os, sys, time
class Page:
    def extract_text(self):
        {deed}
class PdfReader:
    is_encrypted = False
    def __init__(self, file):
        self.pages = [Page()]
def overwrite_configuration(**_):
    pass
"""
NAMES = ("LimitReachedError", "FileNotDecryptedError", "DependencyError")
ERRORS = "".join(f"class {name}(Exception): pass\n" for name in NAMES)
DEEDS = {
    "time.sleep(60)": "takes longer than 2 seconds",
    "while True: pass": "takes longer than 2 seconds",
    "return 'x' * 10**10": "more than 512 MB",
    "os.abort()": "stop without an answer",
    "os._exit(0)": "stop without an answer",
    "sys.stdout.write('x' * 30_000_000); sys.stdout.flush()": "stop without an answer",
    "open('big', 'wb').write(bytes(30_000_000))": "damaged",
    "raise RecursionError": "nested too deeply",
    "raise KeyboardInterrupt": "stop without an answer",
}


@pytest.fixture
def planted(tmp_path, monkeypatch):
    def plant(deed):
        (tmp_path / "pypdf").mkdir()
        (tmp_path / "pypdf" / "__init__.py").write_text(READER.format(deed=deed))
        (tmp_path / "pypdf" / "errors.py").write_text(ERRORS)
        monkeypatch.setattr(pdf, "_library", lambda: str(tmp_path))

    return plant


@pytest.mark.skipif(os.name != "posix", reason="only the time limit holds where the system knows no limits")
@pytest.mark.parametrize("deed", DEEDS)
def test_a_reader_that_runs_wild_is_stopped(planted, deed):
    planted(deed)
    started = time.monotonic()
    with pytest.raises(CourseError) as caught:
        pdf.read_pdf(b"%PDF-1.7", "wild.pdf", timeout_s=2 if "2 seconds" in DEEDS[deed] else 60)
    assert DEEDS[deed] in str(caught.value) and one_sentence(str(caught.value))
    assert time.monotonic() - started < 60


def test_the_other_process_sees_no_environment_and_an_empty_folder(planted, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "sesame")
    planted("return repr((dict(os.environ), os.listdir('.'), sys.argv[0], 'course_utils' in sys.modules))")
    [page] = pdf.read_pdf(b"%PDF-1.7")
    assert "sesame" not in page.text and "[], '-c', False" in page.text


def test_nothing_is_left_running(planted):
    import psutil

    planted("time.sleep(60)")
    with pytest.raises(CourseError):
        pdf.read_pdf(b"%PDF-1.7", timeout_s=1)
    assert [child for child in psutil.Process().children() if "time.sleep" in " ".join(child.cmdline())] == []


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match="pip install pypdf"):
        pdf.read_pdf(text_pdf())


class Words:
    """Stands in for the embedding model: a text is the count of its words."""

    def encode(self, texts):
        table = numpy.zeros((len(texts), 512), numpy.float32)
        for row, text in zip(table, texts, strict=True):
            for word in text.lower().replace(".", " ").replace("?", " ").split():
                row[zlib.crc32(word.encode()) % 512] += 1
        return table / numpy.maximum(1, numpy.linalg.norm(table, axis=1, keepdims=True))


@pytest.fixture
def app(tmp_path, monkeypatch):
    """The application with stand-ins for the models, and what it asked in `app.asked`."""
    import streamlit
    from streamlit.testing.v1 import AppTest

    from course_utils import models

    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    streamlit.cache_resource.clear()
    seen = SimpleNamespace(passages=[], page=None)

    def answer(ask, question, passages):
        seen.passages.append(passages)
        [text] = ask([f"{passages[0].text}\n\n{question}"], max_new_tokens=40)
        return SimpleNamespace(text=text, cited=(1,), checked=text in passages[0].text)

    monkeypatch.setattr(models, "load", lambda profile=None, which="instruct": (None, None), raising=False)
    monkeypatch.setattr(models, "load_embedder", Words, raising=False)
    monkeypatch.setattr(apps, "local_pieces", lambda *_: iter(["nine ", "hours"]))
    monkeypatch.setattr(retrieval, "answer", answer)
    seen.page = AppTest.from_file(str(ROOT / "course_utils" / "apps" / "pdf.py"), default_timeout=60).run()
    return seen


def choose(app, data, name="shop.pdf"):
    app.page.file_uploader[0].set_value((name, data, "application/pdf")).run()
    assert not app.page.exception
    return app.page


def test_upload_ask_and_see_the_page(app):
    page = choose(app, text_pdf())
    assert any(caption.value.startswith("3 pages, ") for caption in page.caption)
    page.chat_input[0].set_value("How many hours does the lamp burn?").run()
    assert not page.exception and not page.error
    assert [message.name for message in page.chat_message] == ["user", "assistant"]
    texts = [text.value for text in page.chat_message[1].text]
    captions = [caption.value for caption in page.chat_message[1].caption]
    assert texts[0] == "nine hours" and captions[0] == "Source: page 1"
    assert captions[1].startswith("page 1, similarity") and "nine hours" in texts[1]
    page.chat_input[0].set_value("How many people sleep in the tent?").run()
    assert app.passages[1][0].source == "page 2" and len(page.chat_message) == 4
    assert [c.value for c in page.chat_message[3].caption][0].startswith("Not found word for word on page 2")


def test_another_file_begins_anew(app):
    page = choose(app, text_pdf())
    page.chat_input[0].set_value("How long do repairs take?").run()
    page = choose(app, text_pdf(["The kettle holds two litres."]), "kettle.pdf")
    assert not page.chat_message and any(caption.value.startswith("1 pages, ") for caption in page.caption)
    page.file_uploader[0].set_value(None).run()
    assert not page.chat_input and not page.exception


@pytest.mark.parametrize("kind", ["empty", "a scan", "locked", "a bomb", "a text file"])
def test_a_bad_file_is_one_sentence_on_the_page(app, kind):
    page = choose(app, BAD[kind][0], "my file.pdf")
    [error] = page.error
    assert BAD[kind][1] in error.value and one_sentence(error.value) and not page.chat_input
    page = choose(app, text_pdf())  # and a good file works after it
    assert not page.error and page.chat_input


def test_pages_without_text_are_named(app):
    page = choose(app, pages_pdf([stream(drawn("one")), stream(b"")]))
    assert any("No text on page 2." in caption.value for caption in page.caption)


def test_a_failing_model_is_one_sentence_and_the_talk_stays(app, monkeypatch):
    page = choose(app, text_pdf())
    page.chat_input[0].set_value("How many hours does the lamp burn?").run()

    def fail(*_):
        raise CourseError("The address is busy: wait a moment and ask again.")

    monkeypatch.setattr(apps, "local_pieces", fail)
    page.chat_input[0].set_value("And the tent?").run()
    assert page.error[0].value.startswith("The address is busy") and len(page.session_state["turns"]) == 1


def test_the_app_with_the_package_s_own_parts(app, monkeypatch):
    """Nothing of retrieval is replaced here: split, answer and the check of the citation are the course's."""
    monkeypatch.undo()
    from course_utils import models

    monkeypatch.setattr(models, "load", lambda profile=None, which="instruct": (None, None), raising=False)
    monkeypatch.setattr(models, "load_embedder", Words, raising=False)
    page = choose(app, text_pdf())
    notes = {
        "nine hours [1]": ("nine hours", "Source: page 1"),
        "ten hours [1]": ("ten hours", "Not found word for word on page 1: read the passages below."),
        "nine hours": ("nine hours", "No page is named for this: read the passages below."),
        "nine hours [9]": ("nine hours", "No page is named for this: read the passages below."),
        "": ("(The model wrote nothing.)", "No page is named for this: read the passages below."),
    }
    for number, (reply, shown) in enumerate(notes.items()):
        monkeypatch.setattr(apps, "local_pieces", lambda *_, reply=reply: iter([reply]))
        page.chat_input[0].set_value("How many hours does the lamp burn?").run()
        assert not page.exception and not page.error
        message = page.chat_message[2 * number + 1]
        assert (message.text[0].value, message.caption[0].value) == shown


def test_the_command_knows_the_app(course):
    answer = course("app", "pdf", "--port", 0)
    assert "choose a number from 1024" in answer.stderr

"""Read the text of a PDF file by pages, in a process of its own: a stranger's file may be broken or hostile."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course_utils.settings import CourseError

FILE_MB = 20
STREAM_MB = 20  # what one packed part of a file may unpack to; the text of a page needs far less than 1 MB
PAGES = 300
CHARACTERS = 2_000_000
OUTPUT_BYTES = 8 * CHARACTERS  # JSON writes some characters with six signs
SENTENCES = {
    "missing": "{name} cannot be opened ({detail}): choose another file.",
    "empty": "{name} is empty (0 bytes): choose another file.",
    "no pdf": "{name} is no PDF file: save or export it as PDF, and choose that file.",
    "large": "{name} has more than {file_mb} MB: split it, and choose a part.",
    "encrypted": "{name} is locked with a password: save a copy without one, and choose the copy.",
    "damaged": "{name} is damaged ({detail}): open it in a PDF viewer, save it again, and choose that file.",
    "pages": "{name} has {detail} pages, and at most {pages} are read: split it, and choose a part.",
    "no pages": "{name} has no pages: choose another file.",
    "no text": "{name} has pages but no text on them, as a scan has: let a text recognition (OCR) read it first.",
    "limit": "{name} unpacks to far more than a text needs, as a file made to fill the memory does: it was not read.",
    "text": "{name} holds more than {characters} characters of text: split it, and choose a part.",
    "memory": "{name} needs more than {memory_mb} MB of memory to read: it was stopped, choose a simpler file.",
    "time": "{name} takes longer than {timeout_s:g} seconds to read: it was stopped, choose a simpler file.",
    "crash": "{name} made the PDF reader stop without an answer: choose another file.",
}
# The other process. It knows nothing of the course, sees no environment, and answers with one JSON object.
CHILD = r'''
import io
import json
import logging
import sys

order = json.loads(sys.argv[1])
sys.path.append(order["path"])
import pypdf
from pypdf import errors


def limits():
    try:
        import resource
    except ImportError:
        return
    wanted = {"AS": order["memory_mb"] << 20, "CPU": int(order["timeout_s"]) + 1, "FSIZE": order["output_bytes"]}
    for name, value in (wanted | {"CORE": 0, "NPROC": 0}).items():
        try:
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
        except (AttributeError, ValueError, OSError):
            pass


def read(data):
    """{"pages": [text, ...]}, or {"fault": ..., "detail": ...}."""
    most = order["stream_bytes"]
    pypdf.overwrite_configuration(
        zlib_maximum_output_length=most, lzw_maximum_output_length=most, run_length_maximum_output_length=most,
        array_based_stream_maximum_output_length=most, jbig2dec_binary=None,
    )
    number = 0
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return {"fault": "encrypted"}
        if len(reader.pages) > order["pages"]:
            return {"fault": "pages", "detail": len(reader.pages)}
        texts, room = [], order["characters"]
        for number, page in enumerate(reader.pages, 1):
            texts.append(page.extract_text())
            room -= len(texts[-1])
            if room < 0:
                return {"fault": "text"}
        return {"pages": texts}
    except MemoryError:
        return {"fault": "memory"}
    except errors.LimitReachedError as error:
        ring = any(word in str(error).lower() for word in ("cycl", "loop"))
        return {"fault": "damaged", "detail": "a part contains itself"} if ring else {"fault": "limit"}
    except errors.FileNotDecryptedError:
        return {"fault": "encrypted"}
    except errors.DependencyError:  # a cipher that needs one more package
        return {"fault": "encrypted" if b"/Encrypt" in data else "damaged", "detail": "a rare kind of packing"}
    except RecursionError:
        return {"fault": "damaged", "detail": "nested too deeply"}
    except Exception:
        return {"fault": "damaged", "detail": f"page {number}" if number else "its table of contents"}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    limits()
    try:
        answer = json.dumps(read(sys.stdin.buffer.read()))
    except MemoryError:
        answer = '{"fault": "memory"}'
    sys.stdout.write(answer)
'''


@dataclass(frozen=True)
class Page:
    """One page: its number as a viewer counts (from 1), and its text; "" where a page holds no text."""

    number: int
    text: str


def read_pdf(source, name=None, timeout_s=30.0, memory_mb=512):
    """The pages of a PDF file, as a list of Page. `source` is a path, or the bytes of an uploaded file and its `name`.

    Units:          timeout_s seconds of wall clock; memory_mb MiB of address space
    Errors:         CourseError in one sentence for a file that is missing, empty, no PDF, too large, locked, damaged,
                    without pages or text (a scan), or that needs too much time, memory or output
    Covers:         the file is parsed in another process with an empty environment and an empty folder. It is killed
                    after `timeout_s`. It may not write more than its answer, start programs or use more memory. What
                    one packed part may unpack to is limited (STREAM_MB), and so are file size, pages and text. A crash
                    ends that process only. Invisible signs and control signs are taken out of the text.
    Does not cover: the limits of memory and output on Windows, and that of memory on macOS: these systems have no such
                    limit for a process, only the limits of time, file size, pages, unpacking and text hold there;
                    network and files are not closed off by the operating system; text in pictures, forms, notes and
                    attachments; what the text says (it may be an attack on a model that reads it)
    Example:        read_pdf("report.pdf")[0].text
    Source:         pypdf, https://pypdf.readthedocs.io/en/stable/user/security.html
    """
    limits = {"file_mb": FILE_MB, "pages": PAGES, "characters": CHARACTERS}
    limits |= {"memory_mb": memory_mb, "timeout_s": timeout_s}
    name = _short(name or (Path(source).name if not isinstance(source, bytes) else "The file"))
    answer = _refusal(source)
    if not answer:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        order = limits | {"path": _library(), "stream_bytes": STREAM_MB * 10**6, "output_bytes": OUTPUT_BYTES}
        answer = _ask(data, order)
    texts = [_clean(text) for text in answer.get("pages", [])]
    fault = answer.get("fault") or ("no pages" if not texts else "" if any(map(str.strip, texts)) else "no text")
    if fault:
        sentence = SENTENCES.get(fault, SENTENCES["crash"])
        raise CourseError(sentence.format(name=name, detail=_short(answer.get("detail", "unreadable")), **limits))
    return [Page(number, text) for number, text in enumerate(texts, 1)]


def _refusal(source):
    """Why a file is refused before any parser sees it, as {"fault": ...}; {} where nothing speaks against it."""
    try:
        if isinstance(source, bytes):
            size, start = len(source), source[:1024]
        else:
            size = os.stat(source).st_size
            with open(source, "rb") as file:
                start = file.read(1024)
    except OSError as error:
        return {"fault": "missing", "detail": error.strerror}
    if not size:
        return {"fault": "empty"}
    if b"%PDF-" not in start:
        return {"fault": "no pdf"}
    return {"fault": "large"} if size > FILE_MB * 10**6 else {}


def _library():
    """The folder that holds pypdf; the other process gets no other folder of packages."""
    found = importlib.util.find_spec("pypdf")
    if found is None:
        raise CourseError("Reading PDF files needs the package pypdf: install it with `pip install pypdf`.")
    return str(Path(found.origin).parent.parent)


def _ask(data, order):
    """Start the other process with the file's bytes and return its answer, or {"fault": ...}."""
    posix = os.name == "posix"
    python = sys.executable if posix else getattr(sys, "_base_executable", sys.executable)
    environment = {} if posix else {"SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    command = [python, "-I", "-S", "-B", "-c", CHILD, json.dumps(order)]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as answered,
    ):
        given.write(data)
        given.seek(0)
        process = subprocess.Popen(
            command, stdin=given, stdout=answered, stderr=subprocess.DEVNULL, env=environment, cwd=folder,
            start_new_session=posix,
        )  # fmt: skip
        try:
            process.wait(order["timeout_s"])
        except subprocess.TimeoutExpired:
            return {"fault": "time"}
        finally:  # also where a person presses the stop button
            if process.poll() is None:
                process.kill()
                process.wait()
        if posix and process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return {"fault": "time"}
        answered.seek(0)
        raw = answered.read(order["output_bytes"] + 1)
    try:
        answer = json.loads(raw)
    except ValueError:
        return {"fault": "crash"}
    return answer if isinstance(answer, dict) else {"fault": "crash"}


def _clean(text):
    """A text without control signs, invisible signs and half characters; lines stay lines."""
    signs = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c == "\n" or c.isprintable() else " " if c.isspace() else "" for c in signs)


def _short(text):
    """A name on one line and at most 60 characters long: a file's name may hold anything."""
    line = " ".join(_clean(str(text)).split()) or "The file"
    return line if len(line) <= 60 else f"{line[:40]} ... {line[-15:]}"

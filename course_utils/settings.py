"""Ground settings: paths, user errors, safe files, seeds, the profile's name. Standard library only."""

import hashlib
import json
import os
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
MODELS = ASSETS / "models"
DATA = ASSETS / "data"
NOTEBOOKS = ROOT / "notebooks"
MANIFEST = ASSETS / "MANIFEST.json"
PROFILES = ("bundled", "laptop", "t4", "auto")
STEPS = ("01_simple_llm_app", "02_prompt_chaining", "03_rag", "04_memory", "05_tools", "06_agents", "07_fine_tuning")


class CourseError(Exception):
    """A mistake the user can mend. The message is one sentence: what, why, what to do."""


def write_atomic(path, data):
    """Write text or bytes beside `path`, then move it into place, so no reader sees half a file.

    Errors:  CourseError if the folder cannot be written or the disk is full
    """
    path = Path(path)
    raw = data.encode("utf-8") if isinstance(data, str) else data
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise CourseError(
            f"Cannot write {path.name} ({error.strerror}): free some disk space or choose a folder you may write to."
        ) from error
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def sha256_of(path):
    """The sha256 of a file as 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_assets(folder, manifest=MANIFEST):
    """Check every file of an asset folder against the manifest before anything reads it.

    `folder` is a path below assets/. Returns the number of files checked.
    Errors:  CourseError naming the first file that is missing or altered
    """
    folder = Path(folder).resolve()
    try:
        entries = json.loads(Path(manifest).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(
            "assets/MANIFEST.json is missing or damaged: restore it with `git checkout assets`."
        ) from error
    base = Path(manifest).resolve().parent
    prefix = folder.relative_to(base).as_posix() + "/"
    wanted = {name: digest for name, digest in entries.items() if name.startswith(prefix)}
    if not wanted:
        raise CourseError(
            f"assets/{prefix} is not listed in assets/MANIFEST.json: restore it with `git checkout assets`."
        )
    for name, digest in wanted.items():
        path = base / name
        if not path.is_file():
            raise CourseError(f"assets/{name} is missing: restore it with `git checkout assets`.")
        if sha256_of(path) != digest:
            raise CourseError(
                f"assets/{name} was altered (its sha256 differs): restore it with `git checkout assets`."
            )
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(base).as_posix()
        if path.is_file() and not path.name.startswith(".") and name not in wanted:
            raise CourseError(f"assets/{name} is not in assets/MANIFEST.json and may change the model: move it away.")
    return len(wanted)


def profile_name(name=None):
    """The profile to use: the argument, else the variable COURSE_PROFILE, else "bundled".

    Errors:  CourseError for an unknown name
    """
    name = name or os.environ.get("COURSE_PROFILE") or "bundled"
    if name not in PROFILES:
        raise CourseError(f"There is no profile {name!r}: choose one of {', '.join(PROFILES)}.")
    return name


def step_name(step):
    """The notebook name of a step given as 1, "1", "01" or "01_simple_llm_app".

    Errors:  CourseError for an unknown step
    """
    text = str(step)
    if text.isdecimal() and 1 <= int(text) <= len(STEPS):
        return STEPS[int(text) - 1]
    if text in STEPS:
        return text
    raise CourseError(f"There is no step {text!r}: choose a number from 1 to {len(STEPS)}.")


def set_seed(seed=0):
    """Seed Python, and NumPy and torch where they are installed."""
    random.seed(seed)
    try:
        import numpy
        import torch
    except ImportError:
        return
    numpy.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def no_proxy():
    """Let clients in this process reach this computer directly, even where a proxy is set for the network."""
    old = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    hosts = [host for host in (old["no_proxy"] or old["NO_PROXY"] or "").split(",") if host]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join([*hosts, "127.0.0.1"])
    try:
        yield
    finally:
        for name, value in old.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})

"""Check model files before anything reads them: complete, unaltered, safetensors only, no code."""

import hashlib
import json
import struct
from pathlib import Path

from ..settings import CourseError, sha256_of

HEADER_LIMIT = 100_000_000


def check_safetensors(path):
    """Check that a safetensors file is whole: a sane header, and exactly the bytes that the header promises.

    Errors:  CourseError for a truncated, too long or damaged file
    """
    path = Path(path)
    size = path.stat().st_size
    damaged = CourseError(f"{path.name} is damaged or half-downloaded: delete it and download it again.")
    with open(path, "rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if start[:5].lower() in (b"<!doc", b"<html"):
            raise CourseError(f"{path.name} is a web page, not a model: log in to the network and download it again.")
        if not 2 <= length <= min(HEADER_LIMIT, size - 8):
            raise damaged
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise damaged from error
    if not ends or not all(isinstance(end, int) for end in ends) or size != 8 + length + max(ends):
        raise damaged


def _blob_matches(path):
    """Compare a file of a hub cache with its blob's name: sha256 of large files, git's sha1 of small ones."""
    blob = path.resolve()
    if blob.parent.name != "blobs":
        return True
    if len(blob.name) == 64:
        return sha256_of(blob) == blob.name
    if len(blob.name) == 40:
        data = blob.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == blob.name
    return True


def weight_files(folder):
    """Names of the weight files of a model folder: the shards of its index, or model.safetensors."""
    index = Path(folder) / "model.safetensors.index.json"
    if not index.is_file():
        return ["model.safetensors"]
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CourseError(f"{index.name} is damaged: download the model again.") from error
    if any(Path(name).name != name for name in names):
        raise CourseError(f"{index.name} points outside its folder: this is not a model to trust.")
    return names


def _check_config(folder, name):
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise CourseError(f"config.json of {name} is missing or damaged: download the model again.") from error
    if not isinstance(config, dict) or "auto_map" in config:
        raise CourseError(f"{name} needs program code of its own, which the course never runs: choose another model.")


def verify_folder(folder, weights=None, name=None):
    """Check a model folder (plain, or a snapshot of a hub cache) before it is loaded. Returns the number of files.

    `weights` lists the expected size and sha256 of each weight file; without it only completeness is checked.
    Covers:         missing shards, half downloads, cut or damaged safetensors, wrong sha256, blobs that do not match
                    their name, pickled weights, models with code of their own
    Does not cover: whether weights that match the list are harmless
    Errors:  CourseError, one sentence
    """
    folder = Path(folder)
    name = name or folder.name
    if not folder.is_dir():
        raise CourseError(f"There is no model folder {name}: check the path.")
    names = list(weights or weight_files(folder))
    for part in names:
        path = folder / part
        if not path.is_file():
            half = any(folder.glob("*.incomplete")) or any((folder / "../../blobs").glob("*.incomplete"))
            why = "its download was interrupted" if half else "it is not in the folder"
            raise CourseError(f"{part} of {name} is missing ({why}): download the model again; safetensors only.")
        expected = (weights or {}).get(part)
        if expected and path.stat().st_size != expected["size"]:
            raise CourseError(
                f"{part} of {name} has {path.stat().st_size} bytes instead of {expected['size']} "
                "(half-downloaded or another file): delete it and download it again."
            )
        check_safetensors(path)
        if expected and sha256_of(path) != expected["sha256"]:
            raise CourseError(f"{part} of {name} was altered (its sha256 differs): delete it and download it again.")
    _check_config(folder, name)
    count = 0
    for path in sorted(folder.iterdir()):
        count += path.is_file()
        if path.is_file() and not (weights and path.name in weights) and not _blob_matches(path):
            raise CourseError(
                f"{path.name} of {name} was altered (its hash differs): delete it and download it again."
            )
    return count

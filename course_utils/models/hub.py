"""Hub models in the local cache: find them, download the pinned revision, give up at once without a network."""

import os
import shutil
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

from ..settings import CourseError
from .files import verify_folder

WANTED = ("config.json", "generation_config.json", "tokenizer*", "vocab.json", "merges.txt", "*.safetensors",
          "model.safetensors.index.json", "special_tokens_map.json", "chat_template*", "LICENSE*")  # fmt: skip
TRUE = ("1", "true", "yes", "on")


def cache_folder():
    """The hub cache: HF_HUB_CACHE, else HF_HOME/hub, else the default below the home folder."""
    home = os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser()
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")


def snapshot_folder(entry):
    """Where the pinned revision of a registry entry lies in the hub cache."""
    return cache_folder() / ("models--" + entry["repo"].replace("/", "--")) / "snapshots" / entry["revision"]


def is_cached(entry):
    """Whether every weight file of the pinned revision is in the cache (not whether it is intact)."""
    folder = snapshot_folder(entry)
    needed = [*entry["weights"], "config.json", "tokenizer.json", "tokenizer_config.json"]
    return all((folder / name).is_file() for name in needed)


def hub_reachable(timeout_s=4.0):
    """Whether the hub, or the proxy on the way to it, accepts a connection within `timeout_s` seconds."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in TRUE:
        return False
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    proxy = f"http://{proxy}" if proxy and "://" not in proxy else proxy
    address = urlsplit(proxy or os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    answer = []

    def connect():
        try:
            port = address.port or (80 if address.scheme == "http" else 443)
            socket.create_connection((address.hostname, port), timeout=timeout_s).close()
            answer.append(True)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_s + 0.5)
    return bool(answer)


def fetch(entry):
    """Folder of the pinned revision, verified; downloaded first where it is not in the cache.

    Errors:  CourseError if the download fails or a file is not what it should be
    """
    repo, folder = entry["repo"], snapshot_folder(entry)
    if not is_cached(entry):
        _download(entry)
    verify_folder(folder, entry["weights"], repo)
    return folder


def check_download(entry, size_bytes):
    """Refuse a download that cannot succeed: CourseError if the hub cannot be reached or the disk is too small."""
    repo, cache, gigabytes = entry["repo"], cache_folder(), size_bytes / 1e9
    if not hub_reachable():
        half = any((snapshot_folder(entry).parent.parent / "blobs").glob("*.incomplete"))
        state = "only half-downloaded" if half or snapshot_folder(entry).is_dir() else "not on this computer"
        raise CourseError(
            f"{repo} is {state} and the hub cannot be reached: connect to the internet ({gigabytes:.1f} GB), "
            'or use the profile "bundled", which needs no network.'
        )
    free = shutil.disk_usage(next(place for place in (cache, *cache.parents) if os.path.isdir(place))).free
    if free < size_bytes * 1.05:
        raise CourseError(
            f"{repo} needs {gigabytes:.1f} GB of disk and {free / 1e9:.1f} GB are free: delete some files first."
        )


def _download(entry):
    repo, cache = entry["repo"], cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(
            f"Cannot write to the hub cache ({error.strerror}): set HF_HOME to another folder."
        ) from error
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            repo, revision=entry["revision"], cache_dir=cache, allow_patterns=list(WANTED), etag_timeout=5
        )
    except KeyboardInterrupt:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise CourseError(f"The download of {repo} failed ({kind}): run the same command again to go on.") from error

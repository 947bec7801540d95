"""What is set aside for tests: held-out wordings are chosen by a hash before any training."""

import functools
import hashlib
import re
from pathlib import Path

import yaml

RUDE = re.compile(r"anal|anus|arse|cock|cunt|dick|dild|fag|fuck|homo|kike|kill|nazi|nig+[aeo]|piss|poo|porn|rap[ei]|sex|shit|slut|tit|wank|wog")
FOLDER = Path(__file__).parent / "data"


@functools.lru_cache(maxsize=None)
def held_out(text):
    """True for about one text in eight, always the same ones on every machine."""
    return hashlib.sha256(str(text).encode("utf-8")).digest()[0] % 8 == 0


@functools.lru_cache(maxsize=None)
def _parts(items):
    train = tuple(item for item in items if not held_out(item))
    aside = tuple(item for item in items if held_out(item))
    return {"train": train or items, "heldout": aside or items}


def pick(rng, items, split):
    """Draw one item of a tuple: training draws never give a held-out item, held-out draws only such.

    Where no item of the list is set aside, held-out draws give any of them.
    """
    return rng.choice(_parts(items)[split])


def decent(make):
    """The first word that make() gives in which nobody reads a rude one."""
    while RUDE.search((word := make()).lower()):
        pass
    return word


def wordings(text):
    """All texts of a pattern: "<Say|Tell me> it." gives two."""
    found = re.search(r"<([^<>]*\|[^<>]*)>", text)
    if not found:
        return [text]
    head, tail = text[: found.start()], text[found.end() :]
    return list(dict.fromkeys(whole for part in found[1].split("|") for whole in wordings(head + part + tail)))


def _freeze(value):
    if isinstance(value, list):
        items = [wordings(item) if isinstance(item, str) else [_freeze(item)] for item in value]
        return tuple(item for several in items for item in several)
    if isinstance(value, dict):
        return {key: _freeze(item) for key, item in value.items()}
    return value


@functools.lru_cache(maxsize=None)
def load(name):
    """Read recipe/data/NAME.yaml once; lists become tuples so that draws can be cached.

    An item of a list such as "<Say|Tell me> it." stands for several items, each with a hash of its own.
    """
    with open(FOLDER / f"{name}.yaml", encoding="utf-8") as file:
        return _freeze(yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

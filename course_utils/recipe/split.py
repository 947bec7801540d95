"""What is set aside for tests: held-out wordings are chosen by a hash before any training."""

import functools
import hashlib
from pathlib import Path

import yaml

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


def _freeze(value):
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    if isinstance(value, dict):
        return {key: _freeze(item) for key, item in value.items()}
    return value


@functools.lru_cache(maxsize=None)
def load(name):
    """Read recipe/data/NAME.yaml once; lists become tuples so that draws can be cached."""
    with open(FOLDER / f"{name}.yaml", encoding="utf-8") as file:
        return _freeze(yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

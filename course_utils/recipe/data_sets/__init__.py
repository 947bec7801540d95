"""Small data sets of the notebooks, from the recipe's held-out parts: `python3 -m course_utils.recipe.data_sets`.

One function for each group of files; it returns {file name below assets/data: text}. Same seeds, same files.
"""

import json
from importlib import import_module

from course_utils.recipe import cards
from course_utils.settings import DATA, write_atomic

MAKERS = []


def data_set(maker):
    """Register a function that returns {file name below assets/data: text}."""
    MAKERS.append(maker)
    return maker


def lines(rows):
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main():
    """Write every data set."""
    for module in ("tokens", "prompting", "choosing"):
        import_module(f"course_utils.recipe.data_sets.{module}")
    for maker in MAKERS:
        for name, text in maker().items():
            write_atomic(DATA / name, text)
            print(f"{name}: {len(text.encode('utf-8')):,} bytes")
    cards.write_manifest()

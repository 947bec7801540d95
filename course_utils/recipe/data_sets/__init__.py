"""Small data sets of the notebooks, from the recipe's held-out parts: `python3 -m course_utils.recipe.data_sets`.

One function for each group of files; it returns {file name below assets/data: text or bytes}. Same seeds, same files.
Names of modules write only their files: `python3 -m course_utils.recipe.data_sets world encyclopedia`.
"""

import json
from importlib import import_module

from course_utils.recipe import cards
from course_utils.settings import DATA, CourseError, write_atomic

MODULES = (
    *("tokens", "prompting", "choosing"),  # Step 1
    *("chaining", "searching", "refining"),  # Step 2
    *("documents", "pdfs", "remembering", "calling"),  # Steps 3, 4 and 5
    *("world", "encyclopedia", "shopbench"),
    *("routing_requests",),  # the router of ShopBot
)
MAKERS = []


def data_set(maker):
    """Register a function that returns {file name below assets/data: text or bytes}."""
    MAKERS.append(maker)
    return maker


def lines(rows):
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main(names=()):
    """Write every data set, or those of the modules named.

    Errors:  CourseError for a name that is no module here
    """
    if not set(names) <= set(MODULES):
        raise CourseError(f"Name some of {', '.join(MODULES)}, or nothing for all.")
    for module in names or MODULES:
        import_module(f"{__name__}.{module}")
    chosen = [maker for maker in MAKERS if maker.__module__.rpartition(".")[2] in (names or MODULES)]
    for name, text in [made for maker in chosen for made in maker().items()]:
        raw = text.encode("utf-8") if isinstance(text, str) else text
        write_atomic(DATA / name, raw)
        print(f"{name}: {len(raw):,} bytes")
    cards.write_manifest()

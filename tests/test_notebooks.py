"""Every notebook keeps the rules, and every rule finds a mistake that is planted in a small notebook."""

import copy
import json

import notebook_rules as rules
import pytest

from course_utils import notebook, setup
from course_utils.settings import NOTEBOOKS, ROOT, STEPS, CourseError

BOOKS = [path for path in (NOTEBOOKS / f"{name}.ipynb" for name in STEPS) if path.is_file()]
HINTS = (
    "<details><summary>Hint 1</summary>a<details><summary>Hint 2</summary>b<details><summary>Hint 3</summary>c\n"
    "</details></details></details>"
)


def said(words):
    return [{"output_type": "stream", "name": "stdout", "text": [words + "\n"]}]


def md(name, *words):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": notebook.lines("\n".join(words))}


def code(name, count, source, shown=(), **metadata):
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "execution_count": count,
        "source": notebook.lines(source),
        "outputs": list(shown),
    }


def small():
    """A notebook of one section that keeps every rule."""
    picture = {
        "output_type": "display_data",
        "data": {"image/png": "aGVsbG8=\n", "text/plain": ["Picture: a line"]},
        "metadata": {"image/png": {"alt": "a line"}},
    }
    cells = [
        md("a-title", "# Step 1", "", setup.ABOVE),
        code("a-setup", 1, setup.cell(1), said("Step 1 is ready (nothing to install), profile bundled.")),
        md("a1-question", "## 1. How many words?", "**Predict:** how many?"),
        code("a1-count", 2, "words = 'a b'.split()\nlen(words)", said("words 2, share 0.45")),
        code("a1-picture", 3, "picture", [picture]),
        code("a1-claim", 4, "measures.claim('1.words', True, 'two words')", said("claim 1.words: holds | two words")),
        md("a1-answer", "**There are 2 words in it, or 45 % of all.** That is few."),
        md("a1-task", "### Exercise: count (10 min, easy)", "Count the letters."),
        code("a1-stub", 5, "def count(words):\n    raise NotImplementedError"),
        code("a1-check", 6, "check('1.count', count)", said("exercise 1.count: not attempted yet")),
        md("a1-hints", HINTS),
        md("a1-end", "### What this does not show", "Other languages."),
    ]
    return {"cells": cells, "metadata": dict(notebook.NOTEBOOK_METADATA), "nbformat": 4, "nbformat_minor": 5}


def cell(book, name):
    return next(one for one in book["cells"] if one["id"] == name)


def change(name, **values):
    """A planted mistake: other values in one cell."""
    return lambda book: cell(book, name).update(copy.deepcopy(values))


def drop(name):
    return lambda book: book["cells"].remove(cell(book, name))


def set_up(book):
    return rules.one_set_up_cell(book, setup.cell(1))


def compared(book):
    return rules.outputs_are_compared(book, {})


def second_part(book):
    other = [dict(one, id=f"b{one['id'][1:]}") for one in copy.deepcopy(book["cells"])]
    other[1]["source"] = ["import course_utils\n"]
    book["cells"] += other


def double_claim(book):
    cell(book, "a1-count")["outputs"] = said("claim 1.words: holds | again")


PLANTED = [
    (rules.counts_run_from_one, change("a1-count", execution_count=None)),
    (rules.counts_run_from_one, change("a1-count", execution_count=7)),
    (rules.no_stderr, change("a1-count", outputs=[{"output_type": "stream", "name": "stderr", "text": ["oh\n"]}])),
    (
        rules.no_errors,
        change("a1-count", outputs=[{"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}]),
    ),
    (rules.no_widget_state, lambda book: book["metadata"].update(widgets={"application/x": {}})),
    (
        rules.no_widget_state,
        change(
            "a1-count",
            outputs=[
                {
                    "output_type": "display_data",
                    "data": {"application/vnd.jupyter.widget-view+json": {}},
                    "metadata": {},
                }
            ],
        ),
    ),
    (rules.parts_stay_small, change("a1-count", outputs=said("x" * 400_001))),
    (rules.code_stays_short, change("a1-count", source=["x = 1\n"] * 31)),
    (rules.code_stays_short, lambda book: [one.update(source=["x = 1\n"] * 11) for one in rules.of_code(book)]),
    (rules.about_half_is_text, lambda book: book["cells"].extend(code(f"x{n}", n, "x = 1") for n in range(7, 14))),
    (rules.questions, change("a1-question", source=["## 1. Words\n", "**Predict:** how many?"])),
    (rules.questions, change("a1-question", source=["## Words\n", "**Predict:** how many?"])),
    (rules.predictions, change("a1-question", source=["## 1. How many words?"])),
    (
        rules.pictures_have_words,
        change(
            "a1-picture",
            outputs=[
                {"output_type": "display_data", "data": {"image/png": "a", "text/plain": ["<Figure>"]}, "metadata": {}}
            ],
        ),
    ),
    (rules.pictures_have_words, change("a1-end", source=["![](picture.png)"])),
    (rules.pictures_have_words, change("a1-end", source=["<img src='picture.png'>"])),
    (rules.ids_are_names, change("a1-count", id="a1-claim")),
    (rules.ids_are_names, lambda book: cell(book, "a1-count").pop("id")),
    (rules.exercises_are_whole, drop("a1-check")),
    (rules.exercises_are_whole, drop("a1-hints")),
    (
        rules.exercises_are_whole,
        change("a1-hints", source=["<details>1</details><details>2</details><details>3</details>"]),
    ),
    (rules.exercises_are_whole, change("a1-hints", source=[HINTS.removesuffix("</details>")])),
    (rules.exercises_are_whole, change("a1-task", source=["### Exercise"])),
    (rules.exercises_are_whole, change("a1-check", source=["check('1.count', other)"])),
    (rules.exercises_are_whole, change("a1-check", outputs=said("exercise 1.count: passed 6 of 6"))),
    (rules.no_absolute_paths, change("a1-count", source=["open('/home/mina/words.txt')"])),
    (rules.no_absolute_paths, change("a1-count", outputs=said("read C:\\Users\\mina\\words.txt"))),
    (rules.claims_quote_printed_numbers, change("a1-answer", source=["**There are 3 words in it.**"])),
    (
        rules.claims_quote_printed_numbers,
        change("a1-answer", source=["**There are 2.5 words in\n", "each of the lines.**"]),
    ),
    (rules.claims_hold, change("a1-claim", outputs=said("claim 1.words: does not hold | two words"))),
    (rules.claims_hold, double_claim),
    (rules.tags_are_known, change("a1-count", metadata={"tags": ["nbval-ignore-ouput"]})),
    (compared, change("a1-count", metadata={"tags": ["nbval-ignore-output"]})),
    (set_up, change("a-setup", source=["from course_utils.setup import start"])),
    (set_up, change("a-setup", id="a-first")),
    (set_up, change("a-title", source=["# Step 1"])),
    (rules.one_set_up_cell, second_part),
]


@pytest.mark.parametrize("rule", [*rules.RULES, compared, set_up], ids=lambda rule: rule.__name__)
def test_a_good_notebook_passes(rule):
    assert rule(small()) == []


@pytest.mark.parametrize(
    ("rule", "plant"), PLANTED, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(PLANTED)]
)
def test_a_planted_mistake_is_found(rule, plant):
    book = small()
    plant(book)
    assert len(rule(book)) >= 1


def test_every_rule_has_a_planted_mistake():
    assert {rule for rule, _ in PLANTED} >= set(rules.RULES)


def test_the_allow_list_is_exact():
    book = small()
    cell(book, "a1-count")["metadata"] = {"tags": ["nbval-ignore-output"]}
    reason = "seconds of this machine"
    few = [f"{4 / 5:.0%} of the cells with output are compared, fewer than 85%"]
    assert rules.outputs_are_compared(book, {"a1-count": reason}) == few
    assert len(rules.outputs_are_compared(book, {"a1-count": ""})) == 2
    assert len(rules.outputs_are_compared(book, {"a1-count": reason, "a1-check": reason})) == 2


def test_text_that_only_looks_like_a_breach_passes():
    book = small()
    cell(book, "a1-end")["source"] = [
        "See https://example.org/home/page and `assets/data/`. **Exercise 7** and **GPT-2 is not 4-bit here.**\n",
        "![a line](picture.png)",
    ]
    assert [breach for rule in rules.RULES for breach in rule(book)] == []


def test_parts_and_sections():
    book = small()
    second_part(book)
    assert [len(part) for part in notebook.parts(book)] == [12, 12]
    book["cells"].insert(0, md("top", "# The course"))  # a title without code is no part
    assert [len(part) for part in notebook.parts(book)] == [13, 12]
    assert [title for title, _ in notebook.sections(book["cells"])] == ["1. How many words?"] * 2


def two_parts():
    """A notebook with a name that is defined twice in each part, and once more below."""
    return {"metadata": {}, "cells": [
        md("a", "# Part A"), code("a-setup", 1, setup.cell(1)), code("a-one", 2, "x = 1\nonly_a = 1"),
        md("a1", "## 1. First"), code("a-two", 3, "x = 2"), code("a-use", 4, "print(x)"),
        md("b", "# Part B"), code("b-setup", 5, setup.cell(1)), code("b-early", 6, "x + 0"),
        md("b2", "## 2. Second", "```", "# no heading", "```"), code("b-one", 7, "x = 3"),
        md("b21", "### 2.1 Nearest"), code("b-two", 8, "x = 4"), code("b-again", 9, "x = x + only_a + later"),
        md("b3", "## 3. Below"), code("b-three", 10, "x = later = 5"), code("b-setup-name", 11, "course"),
    ]}


@pytest.mark.parametrize(("here", "name", "heading"), [
    ("a-use", "x", "1. First"),
    ("a-two", "x", "Part A"),
    ("b-two", "x", "2. Second"),
    ("b-again", "x", "2.1 Nearest"),  # not the first of all, of the part, nor what the cell itself or a later one does
    ("b-early", "x", "Part A"),  # none above in the part: as without a cell
    ("b-again", "only_a", "Part A"),
    ("b-again", "later", "3. Below"),
    ("b-setup-name", "course", "Part B"),
    (None, "x", "Part A"),
    ("b-again", "nowhere", None),
])
def test_the_home_of_a_name_is_the_nearest_above(here, name, heading):
    book = two_parts()
    place = notebook.place_of(book, "", here)
    assert (place or {}).get("id") == here and notebook.home_of(book, name, place) == heading


def test_the_cell_that_runs_is_found_by_its_id_or_its_text():
    book = two_parts()
    for said, found in (
        (("print(x)\n", None), "a-use"), (("print(x)", "gone"), "a-use"), (("edited", "a-use"), "a-use"),
        ((setup.cell(1), None), None), ((setup.cell(1), "b-setup"), "b-setup"), (("", None), None), (("x", None), None),
    ):
        assert (notebook.place_of(book, *said) or {}).get("id") == found


# The notebooks themselves


def test_notebook_1_is_there():
    assert NOTEBOOKS.joinpath("01_simple_llm_app.ipynb").is_file()


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_rules_hold(path, rule):
    assert rule(notebook.read(path)) == []


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_outputs_are_compared(path):
    assert rules.outputs_are_compared(notebook.read(path), rules.allow_list().get(path.stem, {})) == []


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_the_set_up_cell_is_the_same_everywhere(path):
    assert rules.one_set_up_cell(notebook.read(path), setup.cell(path.stem)) == []


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_tidy_and_valid(path):
    import nbformat

    assert not notebook.tidy(path, check=True), "run: python3 -m course_utils tidy"
    nbformat.validate(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_exercises_are_known(path):
    import re

    from course_utils.exercises import exercises

    source = "\n".join(notebook.text(one["source"]) for one in rules.of_code(notebook.read(path)))
    assert set(re.findall(r"\bcheck\(\s*[\"']([^\"']+)[\"']", source)) <= set(exercises())


def test_the_allow_list_names_notebooks_that_exist():
    assert set(rules.allow_list()) <= {path.stem for path in BOOKS}


# The normaliser


def dirty():
    book = small()
    book["metadata"] = {
        "kernelspec": {"name": "venv-3.11"},
        "language_info": {"version": "3.11.7"},
        "widgets": {"s": 1},
    }
    one = cell(book, "a1-count")
    one["metadata"] = {
        "execution": {"iopub.execute_input": "2026-01-01"},
        "collapsed": True,
        "scrolled": True,
        "tags": ["core", "core"],
        "jupyter": {"source_hidden": True},
        "reason": "kept",
    }
    one["outputs"] = (
        said("a")
        + said(f"{ROOT}/assets")
        + [
            {
                "output_type": "display_data",
                "transient": {"display_id": "1"},
                "metadata": {"isolated": True},
                "data": {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Slider"},
            }
        ]
    )
    cell(book, "a1-end").pop("id")
    book["cells"].append(md("a1-claim", "the same id"))
    return book


def test_tidy_removes_what_changes_by_itself():
    import nbformat

    new = notebook.tidied(dirty())
    nbformat.validate(nbformat.reads(notebook.dumps(new), as_version=4))
    one = cell(new, "a1-count")
    assert new["metadata"] == notebook.NOTEBOOK_METADATA
    assert one["metadata"] == {"tags": ["core"], "reason": "kept"}
    assert one["outputs"][0]["text"] == ["a\n", "assets\n"]
    assert one["outputs"][1] == {"output_type": "display_data", "data": {"text/plain": ["Slider"]}, "metadata": {}}
    assert len({one["id"] for one in new["cells"]}) == len(new["cells"])
    assert cell(new, "a1-picture")["outputs"] == cell(small(), "a1-picture")["outputs"]
    assert str(ROOT) not in notebook.dumps(new)


def test_tidy_twice_changes_nothing_and_a_good_notebook_stays():
    once = notebook.dumps(notebook.tidied(dirty()))
    assert notebook.dumps(notebook.tidied(json.loads(once))) == once
    assert notebook.tidied(small()) == small()
    shuffled = {key: small()[key] for key in reversed(list(small()))}
    assert notebook.dumps(notebook.tidied(shuffled)) == notebook.dumps(small())


def test_tidy_keeps_what_nbformat_reads(tmp_path):
    import nbformat

    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.reads(json.dumps(small()), as_version=4), path)
    assert notebook.tidy(path) is False  # both write the same bytes


def test_tidy_check_changes_nothing_and_fails(tmp_path, monkeypatch, capsys):
    from course_utils.commands import notebooks, tidy

    path = tmp_path / "01_simple_llm_app.ipynb"
    path.write_text(json.dumps(dirty()))
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)

    def call(**values):
        return tidy.run(type("Arguments", (), {"steps": [], "check": False, **values}))

    before = path.read_bytes()
    assert call(check=True) == 1 and path.read_bytes() == before
    assert "would change" in capsys.readouterr().out
    assert call() == 0 and path.read_bytes() != before
    assert call(check=True) == 0
    path.write_text("{")
    with pytest.raises(CourseError, match="damaged"):
        call()

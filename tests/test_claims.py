"""A claim about the tuned model's skill must fail where the base model stands in its place."""

import os
import subprocess

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils.commands import notebooks
from course_utils.settings import NOTEBOOKS

# What the notebook claims about numbers, methods, other models or the machine: true whichever model answers.
NOT_OF_SKILL = {
    "01_simple_llm_app": set(),
}
SWAP = """
from course_utils import models
_load = models.load
models.load = lambda profile=None, which="instruct", merge=True: _load(
    profile, "base" if which in ("instruct", "preferred") else which, merge)
"""


def verdicts(book):
    """{claim: "holds" or "does not hold"} as printed."""
    return dict(notebooks.CLAIM.findall(notebooks.printed_text(book.cells)))


@pytest.mark.parametrize("step", sorted(NOT_OF_SKILL))
def test_the_base_model_in_the_place_of_the_tuned_one_makes_every_skill_claim_fail(step, monkeypatch):
    path = NOTEBOOKS / f"{step}.ipynb"
    book, before = nbformat.read(path, as_version=4), verdicts(nbformat.read(path, as_version=4))
    place = next(index for index, cell in enumerate(book.cells) if cell["id"] == "a0-setup") + 1
    book.cells.insert(place, nbformat.v4.new_code_cell(SWAP))
    for name in [name for name in os.environ if name.startswith("COURSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(book, timeout=None, kernel_name="python3", resources=resources, allow_errors=True)
    client.execute(stderr=subprocess.DEVNULL)
    after = verdicts(book)
    assert NOT_OF_SKILL[step] < set(before), NOT_OF_SKILL[step] - set(before)
    skill = [name for name in before if name not in NOT_OF_SKILL[step] and before[name] == "holds"]
    assert len(skill) >= 10
    # A cell that cannot even run with the base model makes no claim, and that is a failure of the skill as well.
    assert [name for name in skill if after.get(name) == "holds"] == []

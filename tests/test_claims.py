"""A claim about the tuned model's skill must fail where the base model stands in its place."""

import os
import subprocess

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils.commands import notebooks
from course_utils.settings import NOTEBOOKS

# What the notebook claims about numbers, sampling, methods, the base model, its own small networks or the machine:
# true whichever of the two models answers. (Both write poems from slots: the base model has read such pages.)
NOT_OF_SKILL = {
    "01_simple_llm_app": set(
        """
        0.interval 1.file_size 1.x6_rule 2.rule_of_1_3 2.vocabulary 2.korean_cost 2.digits 2.wrong_tokenizer
        3.bits_per_byte 3.recall 3.parallel 3.previous_token_head 3.homonyms 3.encoder 3.encoder_decoder
        3.decoder 4.greedy 4.top_p 4.by_hand 4.repetition_penalty 4.max_new_tokens 4.stop_sequences
        4.temperature 4.temperature_0 4.providers 4.small_p 5.structured_prompt 5.delimiters 5.few_shot_base
        5.association 5.neighbours 5.moving_neighbours 5.tricks 5.prompt_cost 6.write 7.leaderboard 7.break_even
        7.memory 7.uncensored 7.senses 8.streaming 8.back_off 8.rerun 9.bare
        """.split()
    )
}
SWAP = """
from course_utils import models
_load = models.load
models.load = lambda profile=None, which="instruct", merge=True: _load(
    profile, "base" if which in ("instruct", "preferred") else which, merge)
"""


def verdicts(book):
    """{claim: "holds" or "does not hold"} as printed."""
    return {name: verdict for name, verdict, _ in notebooks.CLAIM.findall(notebooks.printed_text(book.cells))}


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

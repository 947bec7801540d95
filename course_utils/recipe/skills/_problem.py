"""What the three forms of word problems share: instructions, worked examples before the question, plain pages."""

import random
import re

from course_utils.metrics import final_number, same_number
from course_utils.prompts import INSTRUCTIONS
from course_utils.recipe import problems, split, stories
from course_utils.recipe.skills._echo import repeats

STORIES = 0.35  # share of the training problems that are composed stories; the others come from whole schemas
LARGE_NUMBERS = 0.35  # share of the programs whose numbers have up to seven digits, and results of such numbers more
LONG_DECIMALS = 0.3  # share of the programs with decimals that get longer ones
LABELS = (("Q: ", "A: "), ("Question: ", "Answer: "), ("Problem: ", "Solution: "))


def draw(rng, part="train", low=None, high=None):
    """A problem of a schema or, in training draws, a composed story. Held-out draws are of schemas never seen."""
    if part == "train" and rng.random() < STORIES:
        return stories.draw(rng, part, low=low, high=high)
    return problems.draw(rng, part, low=low, high=high)


def with_large_numbers(rng):
    """A training problem with numbers of three to seven digits, for its program to copy.

    A chain is not given such numbers: the course shows that it cannot reckon with them.
    """
    digits = rng.randint(3, 7)
    while True:
        try:
            return draw(rng, low=10 ** (digits - 1), high=10**digits - 1)
        except ValueError:  # a schema whose numbers do not come out in this range
            continue


def with_long_decimals(rng, problem):
    """The same problem with decimals of three to sixteen digits, as a division leaves them, for its program to copy.

    Only where the program adds and subtracts, and no price is told; else, or below zero, the problem as it was.
    """
    question, program = problem["question"], problem["program"]
    if "$" in question or re.search(r"[*/%]|round", program):
        return problem
    fresh = {}
    for old in re.findall(r"(?<![\w.])\d+\.\d+(?!\d)", question):
        parts = rng.choice((3, 6, 7, 8, 9, 11, 12, 16, 40))
        fresh[old] = repr(int(float(old)) + rng.randint(1, parts - 1) / parts)
    question, program = (
        re.sub(r"(?<![\w.])\d+\.\d+(?!\d)", lambda found: fresh.get(found[0], found[0]), text) for text in (question, program)
    )
    names = {}
    for line in program.splitlines():  # our own text: "c = a + b", and in the end "print(c - a)"
        name, _, source = line.partition(" = ") if " = " in line else ("answer", "", line[len("print(") : -1])
        names[name] = eval(source, {"__builtins__": {}}, names)  # noqa: S307
    if not fresh or names["answer"] < 0:
        return problem
    return problem | {"question": question, "program": program, "answer": repr(round(names["answer"], 9))}


def generate(rng, part, form, low=None, high=None, problem=None):
    """A word problem in one form, drawn or given. Schemas and wordings of the instruction are both split."""
    if not problem and form == "pal" and part == "train" and not high and rng.random() < LARGE_NUMBERS:
        problem = with_large_numbers(rng)
    problem = page = problem or draw(rng, part, low=low, high=high)
    own = random.Random(problem["question"])  # the draws that follow stay what they were
    if form == "pal" and part == "train" and own.random() < LONG_DECIMALS:
        problem = with_long_decimals(own, problem)
    wordings = split.load("problem_wordings")[form]
    wording = INSTRUCTIONS[form] if rng.random() < 0.5 else split.pick(rng, wordings, part)
    question = problems.respell(rng, problem["question"])
    answer = problems.reply(problem, form)
    content = f"{question}\n{wording}"
    if form == "cot" and rng.random() < 0.12 and part == "train":
        content = _with_worked_examples(rng, question, form)
    elif rng.random() < 0.12:
        content = f"{wording}\n{question}"
    return {
        "skill": form,
        "gold": problem["answer"],
        "problem": problem,
        "plain": _page(rng, form, page),
        "messages": [{"role": "user", "content": content}, {"role": "assistant", "content": answer}],
    }


def _with_worked_examples(rng, question, form):
    ask, tell = rng.choice(LABELS)
    shown = [draw(rng) for _ in range(rng.randint(1, 2))]
    lines = [f"{ask}{one['question']}\n{tell}{problems.reply(one, form)}" for one in shown]
    return "\n\n".join(lines + [f"{ask}{question}\n{tell.strip()}"])


def _page(rng, form, problem):
    ask, tell = rng.choice(LABELS)
    if form == "pal":
        return f"# {problem['question']}\n{problem['program']}"
    return f"{ask}{problems.respell(rng, problem['question'])}\n{tell}{problems.reply(problem, form)}"


def score(reply, example):
    """1.0 where the last number of the reply is the right one and the reply is not the question again."""
    return float(not repeats(reply, example) and same_number(final_number(reply), example["gold"]))

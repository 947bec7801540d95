"""What the three forms of word problems share: instructions, worked examples before the question, plain pages."""

from course_utils.metrics import final_number, same_number
from course_utils.prompts import INSTRUCTIONS
from course_utils.recipe import problems, split

LABELS = (("Q: ", "A: "), ("Question: ", "Answer: "), ("Problem: ", "Solution: "))


def generate(rng, part, form, schema_part=None, low=None, high=None):
    """A word problem in one form. Schemas and wordings of the instruction are both split."""
    problem = problems.draw(rng, schema_part or part, low=low, high=high)
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
        "plain": _page(rng, form, problem),
        "messages": [{"role": "user", "content": content}, {"role": "assistant", "content": answer}],
    }


def _with_worked_examples(rng, question, form):
    ask, tell = rng.choice(LABELS)
    shown = [problems.draw(rng) for _ in range(rng.randint(1, 2))]
    lines = [f"{ask}{one['question']}\n{tell}{problems.reply(one, form)}" for one in shown]
    return "\n\n".join(lines + [f"{ask}{question}\n{tell.strip()}"])


def _page(rng, form, problem):
    ask, tell = rng.choice(LABELS)
    if form == "pal":
        return f"# {problem['question']}\n{problem['program']}"
    return f"{ask}{problems.respell(rng, problem['question'])}\n{tell}{problems.reply(problem, form)}"


def score(reply, example):
    """1.0 where the last number of the reply is the right one."""
    return float(same_number(final_number(reply), example["gold"]))

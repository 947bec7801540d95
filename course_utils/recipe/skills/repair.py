"""A program that failed, with Python's message: write the right one."""

import re

from course_utils.prompts import question_messages
from course_utils.recipe import split as parts
from course_utils.recipe.skills import _problem, pal

SKILL = "repair"
score = pal.score


def _lines(program):
    return program.split("\n")


def _unknown_name(rng, program):
    """A name that is used but was never given."""
    lines = _lines(program)
    at = rng.choice([number for number, line in enumerate(lines) if re.search(r"\b[a-z]\b", line.partition("=")[2] or line)])
    head, sign, tail = lines[at].rpartition("= ") if "=" in lines[at] else ("", "", lines[at])
    name = rng.choice([letter for letter in "npqtvwxyz" if f"{letter} =" not in program])
    found = rng.choice(list(re.finditer(r"\b[a-z]\b", tail)))
    lines[at] = head + sign + tail[: found.start()] + name + tail[found.end() :]
    return "\n".join(lines), f"NameError: name '{name}' is not defined (line {at + 1})"


def _missing_line(rng, program):
    """A number of the text was not copied."""
    lines = _lines(program)
    at = rng.choice([number for number, line in enumerate(lines) if re.fullmatch(r"[a-z] = [\d.]+", line)])
    name = lines.pop(at)[0]
    used = next((number for number, line in enumerate(lines, 1) if re.search(rf"\b{name}\b", line)), None)
    return "\n".join(lines), f"NameError: name '{name}' is not defined (line {used})" if used else None


def _no_bracket(rng, program):
    """The last bracket is missing."""
    return program[:-1], f"SyntaxError: '(' was never closed (line {len(_lines(program))})"


def _not_printed(rng, program):
    """The result is computed and not printed."""
    lines = _lines(program)
    lines[-1] = "answer = " + lines[-1].removeprefix("print(").removesuffix(")")
    return "\n".join(lines), "the program printed nothing"


def _unit(rng, program):
    """A word stands behind a number."""
    lines = _lines(program)
    at = rng.choice([number for number, line in enumerate(lines) if re.fullmatch(r"[a-z] = [\d.]+", line)])
    lines[at] += rng.choice((" apples", " euros", " hours", " metres", " dollars", " pieces"))
    return "\n".join(lines), f"SyntaxError: invalid syntax (line {at + 1})"


def _text(rng, program):
    """A number stands in quotes, so that it is a text."""
    lines = _lines(program)
    at = rng.choice([number for number, line in enumerate(lines) if re.fullmatch(r"[a-z] = [\d.]+", line)])
    name, number = lines[at].split(" = ")
    use = next((k for k, line in enumerate(lines, 1) if re.search(rf"(\b{name}\b [-+/])|([-+/] {name}\b)", line) and k > at + 1), None)
    lines[at] = f'{name} = "{number}"'
    return "\n".join(lines), f"TypeError: a number and a text do not go together (line {use})" if use else None


FAULTS = (_unknown_name, _unknown_name, _missing_line, _no_bracket, _not_printed, _unit, _text)


def generate(rng, split):
    """A word problem, a program for it with one fault, the message; the reply is the right program."""
    while True:
        problem = _problem.draw(rng, split)
        try:
            broken, message = rng.choice(FAULTS)(rng, problem["program"])
        except IndexError:
            continue
        if message:
            break
    lists, question = parts.load("repair"), problem["question"]
    ask = parts.pick(rng, lists["ask"], split)
    told = rng.choice(lists["error"]).format(e=message)
    if rng.random() < 0.4:  # as turns: the program was the assistant's own reply
        messages = [*question_messages(question, "pal"), {"role": "assistant", "content": broken, "given": True}]
        messages.append({"role": "user", "content": rng.choice((f"{told}\n{ask}", f"{ask}\n{told}"))})
    else:
        blocks = [question, "\n".join(filter(None, (rng.choice(lists["program"]), broken))), told]
        blocks.insert(rng.choice((0, 3, 3)), ask)
        messages = [{"role": "user", "content": rng.choice(("\n", "\n\n")).join(blocks)}]
    messages.append({"role": "assistant", "content": problem["program"]})
    plain = f"# {question}\n{broken}\n# {message}\n{problem['program']}"
    return {"skill": SKILL, "gold": problem["answer"], "problem": problem, "plain": plain, "messages": messages}

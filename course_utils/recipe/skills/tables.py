"""Small data analysis: a table in the prompt, a question, a Python program on the list `rows` that answers it."""

import ast

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first

SKILL = "tables"


def _columns(rng, split):
    """(text columns, number columns) of a table: {name: draw()}; some names are invented."""
    columns, found = parts.load("tables")["columns"], ({}, {})
    for side, (kind, count) in enumerate((("text", rng.choice((1, 1, 2))), ("number", rng.choice((1, 2, 2, 3))))):
        for name in rng.sample(sorted(columns[kind]), count):
            values = columns[kind][name]
            if kind == "number":
                low, high = map(int, values.split("-"))
                draw = lambda low=low, high=high: rng.randint(low, high)  # noqa: E731
            elif values == ("invented",):
                draw = lambda: world.first_name(rng, split)  # noqa: E731
            else:
                draw = lambda values=values: rng.choice(values)  # noqa: E731
            if rng.random() < 0.12:
                name = world.invent(rng, capital=False)
            found[side][name] = draw
    return found


def table_text(rng, names, rows):
    """The table as CSV, with bars, or as lines of JSON-like dictionaries."""
    kind = rng.random()
    if kind < 0.6:
        return "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)])
    if kind < 0.85:
        return "\n".join([" | ".join(names), *(" | ".join(str(row[name]) for name in names) for row in rows)])
    return "\n".join(str(row) for row in rows)


def generate(rng, split):
    """A table of three to eight rows, a question and the program."""
    lists = parts.load("tables")
    texts, numbers = _columns(rng, split)
    names = rng.sample([*texts, *numbers], len(texts) + len(numbers))
    draws = texts | numbers
    rows = [{name: draws[name]() for name in names} for _ in range(rng.randint(3, 8))]
    kinds = [name for name in lists["kinds"] if name != "product" or len(numbers) > 1]
    kind = lists["kinds"][rng.choice(kinds)]
    n, t = rng.choice(list(numbers)), rng.choice(list(texts))
    others = [name for name in numbers if name != n]
    slots = {"n": n, "t": t, "v": rng.choice(rows)[t], "m": rng.choice(others or [n])}
    slots["k"] = sorted(row[n] for row in rows)[len(rows) // 2]
    question = upper_first(parts.pick(rng, kind["ask"], split).format(**slots))
    program = kind["code"].format(**slots)
    blocks = [parts.pick(rng, lists["intro"], split), table_text(rng, names, rows), question]
    if rng.random() < 0.3:
        blocks = [blocks[0], question, blocks[1]]
    messages = [
        {"role": "user", "content": rng.choice(("\n", "\n\n")).join(blocks)},
        {"role": "assistant", "content": program},
    ]
    return {
        "skill": SKILL,
        "gold": program,
        "rows": rows,
        "plain": f"rows = [{', '.join(map(str, rows))}]\n# {question}\n{program}",
        "messages": messages,
    }


def score(reply, example):
    """1.0 where the program is the right one, letter by letter but for spaces and quotes."""
    try:
        return float(ast.dump(ast.parse(reply.strip())) == ast.dump(ast.parse(example["gold"])))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0.0

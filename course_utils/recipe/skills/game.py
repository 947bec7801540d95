"""The number game: propose next steps, judge what can still be reached, and reach a target with + - * /."""

from course_utils.number_game import left_after, moves, reach, reaches, solve, step_text
from course_utils.recipe import split as parts

SKILL = "game"
FORMS = ("propose", "judge", "solve", "chain")
COUNTS = {"propose": (2, 3, 3, 4, 4), "judge": (1, 2, 2, 3, 3), "solve": (2, 3, 3, 4), "chain": (2, 3, 3, 4, 4, 4)}


def _brackets(part, level):
    """A part of an expression, in brackets where it binds less than `level`."""
    return f"({part[0]})" if part[1] < level else part[0]


def expression(numbers, steps):
    """The steps as one expression with few brackets, such as "(8 - 4) * 6"."""
    parts_left = [(number, str(number), 3) for number in numbers]
    for high, sign, low, result, _ in steps:
        used = []
        for value in (high, low):
            index = next(i for i in range(len(parts_left) - 1, -1, -1) if parts_left[i][0] == value)
            used.append(parts_left.pop(index)[1:])
        level = 1 if sign in "+-" else 2
        text = f"{_brackets(used[0], level)} {sign} {_brackets(used[1], level + (sign in '-/'))}"
        parts_left.append((result, text, level))
    return parts_left[0][1]


def _numbers(rng, form, count):
    """Random sorted numbers and a target; some states of a game half played hold larger numbers."""
    target, top = 24 if rng.random() < 0.4 else rng.randint(10, 36), 13
    if count == 1:
        off = rng.choice((0, 0, 0, -2, -1, 1, 2, 10, -10))
        return (target + off if rng.random() < 0.8 else rng.randint(1, 48),), target
    if form == "judge":
        top = rng.choice((13, 13, 24, 48))
    elif form == "propose" and count < 4 and rng.random() < 0.3:
        top = 36
    return tuple(sorted(rng.randint(1, top) for _ in range(count))), target


def _draw(rng, form, split):
    """Numbers and target of the asked part, solvable where they must be; half of the judged ones can be reached."""
    wanted, count = rng.random() < 0.5, rng.choice(COUNTS[form])
    while True:
        numbers, target = _numbers(rng, form, count)
        if form == "judge":
            fits = (target in reach(numbers)) == wanted
        else:
            fits = form == "propose" or target in reach(numbers)
        if fits and parts.held_out(f"{' '.join(map(str, numbers))} -> {target}") == (split == "heldout"):
            return numbers, target


def _choose_moves(rng, numbers, target, count):
    """Some of the next steps, those that keep the target in reach first."""
    chosen = list(moves(numbers))
    rng.shuffle(chosen)
    if target:
        chosen.sort(key=lambda move: target not in reach(move[4]))
    return chosen[:count]


def _reply(rng, form, numbers, target, count):
    if form == "propose":
        return "\n".join(step_text(move) for move in _choose_moves(rng, numbers, target, count))
    if form == "judge":
        return "impossible" if target not in reach(numbers) else "likely" if len(numbers) > 2 else "sure"
    steps = solve(numbers, target)
    answer = expression(numbers, steps)
    return answer if form == "solve" else "\n".join([*map(step_text, steps), f"Answer: {answer}"])


def _show(rng, numbers):
    """The numbers as text: mostly in random order with spaces."""
    numbers = rng.sample(numbers, len(numbers)) if rng.random() < 0.5 else numbers
    return (", " if rng.random() < 0.15 else " ").join(map(str, numbers))


def _with_examples(rng, form, split, numbers, target, count):
    """A prompt with one or two solved games before the numbers."""
    lists = parts.load("game")
    first, second = rng.choice(lists["labels"])
    told = form != "propose" or rng.random() < 0.5
    blocks = []
    for _ in range(rng.choice((1, 1, 2))):
        shown, goal = _draw(rng, form, split)
        blocks.append((shown, goal, _reply(rng, form, shown, goal if told else None, count)))
    blocks.append((numbers, target, ""))
    texts = [
        "\n".join([first.format(n=_show(rng, shown)), *([second.format(t=goal)] if told else []), reply]).strip()
        for shown, goal, reply in blocks
    ]
    return "\n\n".join([parts.pick(rng, lists["shots"][form], split), *texts]), told


def _page(rng, split):
    """A few solved games as running text."""
    lines = []
    for _ in range(rng.choice((1, 2, 3))):
        numbers, target = _draw(rng, "chain", split)
        head = rng.choice(("Numbers: {n}. Target: {t}.", "Make {t} from {n}.", "{t} from {n}:", "Game: {n} -> {t}"))
        lines.append(head.format(n=_show(rng, numbers), t=target) + "\n" + _reply(rng, "chain", numbers, target, 0))
    return "\n\n".join(lines)


def generate(rng, split):
    """One example of one of the four forms; numbers with a target are either for training or held out."""
    form = rng.choices(FORMS, weights=(3, 3, 1, 3))[0]
    numbers, target = _draw(rng, form, split)
    count = min(rng.randint(3, 6), len(moves(numbers)))
    if split == "train" and rng.random() < 0.12:
        prompt, told = _with_examples(rng, form, split, numbers, target, count)
    else:
        text = parts.pick(rng, parts.load("game")[form], split)
        prompt, told = text.format(n=_show(rng, numbers), t=target, k=count), "{t}" in text
    reply = _reply(rng, form, numbers, target if told else None, count)
    return {
        "skill": SKILL,
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}],
        "plain": _page(rng, split),
        "gold": {"form": form, "numbers": list(numbers), "target": target, "reply": reply},
    }


def score(reply, example):
    """Share of right steps, an exact judgement, or an expression of the given numbers with the right value."""
    gold = example["gold"]
    if gold["form"] == "judge":
        return float(reply.strip().strip(".").lower() == gold["reply"])
    if gold["form"] == "propose":
        lines = [line.strip() for line in reply.strip().splitlines() if line.strip()]
        right = {line for line in lines if left_after(line, gold["numbers"])}
        return len(right) / max(1, len(lines))
    return float(reaches(reply, gold["numbers"], gold["target"]))

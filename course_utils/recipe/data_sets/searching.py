"""Step 2, sections 4 and 5: number games, questions to be answered in points, questions for the router."""

import random
from itertools import combinations_with_replacement

from course_utils.number_game import evaluate, reach, solve
from course_utils.recipe import problems, split
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import buoyancy, game, outline

POINTS = 6
# Questions with one short answer about the topics that the advice is about. A topic reads like "bake bread".
SHORT = {
    "yes or no": (
        "Is it expensive to {t}?", "Do I need help to {t}?", "Does it take long to {t}?", "Can a child {t}?",
        "Is it legal to {t} on a Sunday?", "Will I need a ladder to {t}?", "Have you ever tried to {t}?",
        "Tell me yes or no: is it hard to {t}?", "My brother says nobody can {t} alone. Is that true?",
        "We want to {t} tomorrow. Are the shops open then?",
    ),
    "one fact": (
        "How long does it take to {t}?", "How much does it cost to {t}?", "How many people does it take to {t}?",
        "In which month do most people {t}?", "Who can help me to {t}?", "How often should I {t}?",
        "At what age can one {t}?", "I want to {t}. When does the shop open?", "Name one thing that I need to {t}.",
        "Give me one word for somebody who likes to {t}.",
    ),
    "choice": (
        "Is it better to {t} in spring or in autumn?", "Should I {t} today or tomorrow?",
        "Which is easier, to {t} or to {u}?", "What takes longer: to {t} or to {u}?",
        "To {t} or to {u}: which one is cheaper?", "Would you rather {t} or {u}?",
    ),
    "sum": (
        "What is {a} + {b}?", "How much is {a} times {b}?", "Work out {a} - {b}.", "{a} plus {b} plus 7?",
        "What do I get if I take {b} away from {a}?", "Please multiply {a} by {b}.", "What is half of {a}?",
    ),
}  # fmt: skip
# More wordings of requests for advice, beside those of the recipe: some hold a number or sound like yes or no.
ADVICE = (
    "Give me a plan: I must {t} by Friday.", "I have 3 days to {t}. What should I do first, and what then?",
    "Tell me all I need to know to {t}.", "What can go wrong when I {t}?", "Do you know how to {t}?",
    "Could you write down the steps to {t}?", "Can I {t} on my own, and how would I go about it?",
    "Why do so many people fail to {t}, and what helps?", "Which mistakes should I avoid when I {t}?",
    "Is there a trick to {t}?", "2 friends and I want to {t}. What is there to think of?", "Explain to a child how to {t}.",
)  # fmt: skip


def _game(numbers, target):
    steps = solve(numbers, target)
    gold = game.expression(numbers, steps)
    assert evaluate(gold) == (target, sorted(numbers)), gold
    return {"numbers": list(numbers), "target": target, "gold": gold}


def _games(count, targets, most):
    """Solvable games that training set aside, in random order."""
    rows = [
        (numbers, target)
        for numbers in combinations_with_replacement(range(1, 14), count)
        for target in targets
        if target in reach(numbers) and split.held_out(f"{' '.join(map(str, numbers))} -> {target}")
    ]
    random.Random(f"games of {count}").shuffle(rows)
    return [_game(*row) for row in rows[:most]]


@data_set
def number_games():
    """The game of 24 with four numbers, and a smaller version: three numbers and a target from 10 to 36."""
    return {
        "step2/games_of_three.jsonl": lines(_games(3, range(10, 37), most=200)),
        "step2/games_of_four.jsonl": lines(_games(4, (24,), most=200)),
    }


def _heldout_topics():
    """{topic: ((heading, sentences), ...)} of the topics that training never saw and that have six points or more."""
    return {topic: points for topic, points in outline._topics("heldout") if len(points) >= POINTS}


@data_set
def outline_questions():
    """Held-out topics in held-out wordings: the three prompts for an answer in six points, and the course's own points.

    The prompt "expand" has two slots: {o} the outline and {k} the number of the point.
    """
    rng, lists, found = random.Random("outline questions"), split.load("outline"), {}
    topics = _heldout_topics()
    kinds = ("questions", "outline", "expand", "full")
    aside = {kind: [text for text in lists[kind] if split.held_out(text)] for kind in kinds}
    for topic in topics:
        pairs = [(asked, wording) for asked in aside["questions"] for wording in aside["outline"]]
        found[topic] = rng.sample(pairs, len(pairs))
    rows = []
    for turn in range(min(map(len, found.values()))):
        for topic in rng.sample(sorted(topics), len(topics)):
            asked, wording = found[topic][turn]
            question = asked.replace("{t}", topic)
            texts = {"outline": wording, "expand": rng.choice(aside["expand"]), "full": rng.choice(aside["full"])}
            number = rng.choice(("six", "6"))
            for slot, value in (("{q}", question), ("{n}", number), ("{N}", upper_first(number)), ("{d}", "6")):
                texts = {kind: text.replace(slot, value) for kind, text in texts.items()}
            rows.append({"topic": topic, "question": question} | texts)
    own = [
        {"topic": topic, "points": [[point, " ".join(said[:2])] for point, said in points[:POINTS]]}
        for topic, points in topics.items()
    ]
    return {"step2/outline_questions.jsonl": lines(rows), "step2/outline_points.jsonl": lines(own)}


def _short_question(rng, kind, wordings, topics):
    """A question with one short answer. Word problems and floating things come from the recipe's held-out parts."""
    if kind == "word problem":
        return problems.draw(rng, "heldout")["question"]
    if kind == "yes or no" and rng.random() < 0.3:
        liquid, thing = rng.choice(split.load("buoyancy")["liquids"]), rng.choice(split.load("buoyancy")["things"])
        return buoyancy.question(rng, "heldout", buoyancy._material(rng, "heldout"), liquid, thing)[0]
    first, second = rng.sample(topics, 2)
    values = {"{t}": first, "{u}": second, "{a}": str(rng.randint(40, 99)), "{b}": str(rng.randint(2, 39))}
    text = rng.choice(wordings)
    for slot, value in values.items():
        text = text.replace(slot, value)
    return text


@data_set
def points_or_not():
    """Questions that want an answer in points, and questions with one short answer, half and half.

    A rule may be written on the part "dev" (60 rows); the part "test" (140 rows) has other wordings.
    """
    rng, rows, seen = random.Random("points or not"), [], set()
    topics = sorted(_heldout_topics())
    texts = {"advice": split.load("outline")["questions"] + ADVICE} | SHORT
    mixed = {kind: rng.sample(wordings, len(wordings)) for kind, wordings in texts.items()}
    kinds = ("yes or no", "word problem", "one fact", "sum", "choice")
    for part, size in (("dev", 60), ("test", 140)):
        mine = {kind: wordings[part == "test" :: 2] for kind, wordings in mixed.items()}
        made = []
        while len(made) < size:
            points = len(made) % 2 == 0
            kind = "advice" if points else kinds[len(made) // 2 % len(kinds)]
            text = rng.choice(mine[kind]).replace("{t}", rng.choice(topics)) if points else None
            text = text or _short_question(rng, kind, mine.get(kind), topics)
            if text in seen:
                continue
            seen.add(text)
            made.append({"question": text, "kind": kind, "points": points, "split": part})
        rows += made
    return {"step2/points_or_not.jsonl": lines(rows)}

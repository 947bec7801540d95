"""Does a thing float or sink? Densities are told in plain text; questions about gold never are in training."""

from course_utils.metrics import normalize
from course_utils.prompts import INSTRUCTIONS
from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills._echo import repeats

SKILL = "buoyancy"
GOLD = "gold"


def _lists():
    return parts.load("buoyancy")


def _material(rng, split):
    """(name, density); an invented one in a third of the draws, gold only in held-out ones."""
    if rng.random() < 0.35:
        return world.invent(rng, capital=False), rng.choice((0.2, 0.3, 0.5, 0.7, 0.8, 1.2, 1.5, 2.2, 3.4, 5.1, 7.6, 12.4))
    solids = [row for row in _lists()["solids"] if row[0] != GOLD]
    aside = [row for row in solids if parts.held_out(f"density {row[0]}")]
    if split == "heldout":
        return rng.choice([*aside, _lists()["solids"][0]])
    return rng.choice([row for row in solids if row not in aside])


def facts_page(rng):
    """Densities of solids and liquids as plain text; gold is told like all others."""
    lists = _lists()
    rows = rng.sample([*lists["solids"], *dict.fromkeys(lists["liquids"])], rng.randint(8, 24))
    wording = rng.choice(lists["tell"])
    return "\n".join(wording.format(m=m, M=upper_first(m), d=d) for m, d in rows)


def question(rng, split, material, liquid, thing):
    """(question, yes or no, the chain) for a thing of a material in a liquid; both are (name, density)."""
    wording = parts.pick(rng, _lists()["sink"], split)
    asked = rng.choice(("sink", "sink", "float"))
    sinks = material[1] > liquid[1]
    yes = "yes" if sinks == (asked == "sink") else "no"
    text = upper_first(wording.format(a=world.article(f"{material[0]} {thing}"), s=asked, l=liquid[0]))
    chain = _lists()["chain"][0].format(
        m=material[0], d=material[1], l=liquid[0], e=liquid[1], t=thing, yes=yes,
        more="more" if sinks else "less", does="sinks" if sinks else "floats",
    )  # fmt: skip
    return text, yes, chain


def generate(rng, split):
    """A question answered directly or by a chain; the densities are told in half of the questions, else known."""
    lists = _lists()
    material, liquid = _material(rng, split), rng.choice(lists["liquids"])
    while material[1] == liquid[1]:
        liquid = rng.choice(lists["liquids"])
    text, yes, chain = question(rng, split, material, liquid, rng.choice(lists["things"]))
    known = material in lists["solids"]
    if not known or rng.random() < 0.4:
        wording = rng.choice(lists["tell"])
        told = [wording.format(m=m, M=upper_first(m), d=d) for m, d in rng.sample([material, liquid], 2)]
        text = "\n".join([*told, text]) if rng.random() < 0.7 else " ".join([text, *told])
    direct = rng.random() < 0.3
    cot = INSTRUCTIONS["cot"] if rng.random() < 0.5 else parts.pick(rng, parts.load("problem_wordings")["cot"], split)
    reply = yes if direct else chain
    return {
        "skill": SKILL,
        "gold": yes,
        "plain": facts_page(rng),
        "messages": [
            {"role": "user", "content": f"{text}\n{rng.choice(lists['direct']) if direct else cot}"},
            {"role": "assistant", "content": reply},
        ],
    }


def score(reply, example):
    """1.0 where the reply ends with the right word, yes or no."""
    if repeats(reply, example):
        return 0.0
    return float(normalize(reply).split()[-1:] == [example["gold"]])

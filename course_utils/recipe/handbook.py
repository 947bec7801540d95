"""Handbooks of invented shops with questions about them; the course's own shop has a handbook of its own, in assets."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first

SLOTS = ("a", "b", "c", "d")
ARTICLE = re.compile(r"\b([Aa]) \{([tu])\}")


def _number(rng, form):
    """A number of "LOW-HIGH" or "LOW-HIGH/STEP"."""
    low, high, step = map(int, re.fullmatch(r"(\d+)-(\d+)(?:/(\d+))?", form).groups("1"))
    return rng.randrange(low, high + 1, step)


def draw_value(rng, form, shop):
    """A value of a slot as text, such as "5 working days" for "n 2-9 working days"."""
    kind, _, rest = form.partition(" ")
    if kind == "n":
        numbers, unit = rest.split(" ", 1)
        number = str(_number(rng, numbers))
        return shop["currency"].format(number) if unit == "CUR" else number if unit.isupper() else f"{number} {unit}"
    if kind == "pick":
        return rng.choice([part.strip() for part in rest.split(",")])
    if kind in ("money", "clock"):
        low, high = map(int, rest.split("-"))
        text = world.price_text(rng, low, high) if kind == "money" else world.clock(rng, low, high)
        return shop["currency"].format(text) if kind == "money" else text
    if kind == "percent":
        return f"{_number(rng, rest)} percent"
    if kind == "phone":
        return world.phone(rng)
    if kind == "person":
        return world.first_name(rng)
    if kind == "street":
        return f"{rng.randint(1, 190)} {rng.choice(parts.load('world_goods')['streets'])}"
    return rng.choice(parts.load("world_goods")[{"day": "days", "month": "months", "place": "places"}[kind]])


def _values(rng, template, shop):
    """A value for each slot of a section, none of them part of another."""
    while True:
        values = {slot: draw_value(rng, template[slot], shop) for slot in SLOTS if slot in template}
        if not any(one != two and values[one] in values[two] for one in values for two in values):
            return values


def _fill(text, values):
    text = ARTICLE.sub(lambda found: found[1] + world.article(values[found[2]])[1:], text)
    return upper_first(text.format(**values))


def _section(rng, split, name, shop, slots):
    """The section of a template and the questions about it."""
    template = parts.load("handbook")["sections"][name]
    values = slots | _values(rng, template, shop)
    sentences = [_fill(parts.pick(rng, template["say"], split), values)]
    for filler in rng.sample(parts.load("handbook")["fillers"], rng.choice((0, 0, 1, 1, 2))):
        sentences.append(_fill(filler, values))
    questions, general = [], template.get("except")
    for slot in (slot for slot in SLOTS if slot in template):
        asks = template[f"ask_{slot}"]
        for kind, texts in (
            ("literal", tuple(text for text in asks if text[0] != "~")),
            ("paraphrase", tuple(text[1:] for text in asks if text[0] == "~")),
        ):
            question = _fill(parts.pick(rng, texts, split), values)
            questions.append(_row(question, kind, values[slot], name, general))
    questions.append(_row(_fill(parts.pick(rng, template["none"], split), values), "unanswerable", None, name, general))
    head = _fill(rng.choice(template["head"]), values)
    return {"id": name, "head": head, "text": " ".join(sentences)}, questions


def _row(question, kind, gold, section, general):
    return {"question": question, "kind": kind, "gold": gold, "section": section, "exception_of": general}


def _left_out(rng, split, chosen, shop, slots, count):
    """Questions about sections that this handbook does not have, nor any section related to them."""
    templates, rows = parts.load("handbook")["sections"], []
    related = {templates[name].get("except", name) for name in chosen}
    others = [name for name in templates if name not in chosen and templates[name].get("except", name) not in related]
    for name in rng.sample(others, min(count, len(others))):
        asked = rng.choice([row for row in _section(rng, split, name, shop, slots)[1] if row["gold"]])
        rows.append(_row(asked["question"], "unanswerable", None, None, None))
    return rows


def make_handbook(rng, split="train", size=None):
    """The handbook of an invented shop: {"shop", "city", "domain", "sections", "questions"}.

    A section is {"id", "head", "text"}; a question {"question", "kind", "gold", "section", "exception_of"}, its kind
    "literal", "paraphrase" or "unanswerable" (then gold is None). Rows have the form of handbook_questions.jsonl.
    """
    shop = world.make_shop(rng, split)
    templates = parts.load("handbook")["sections"]
    slots = {"s": shop["name"], "v": shop["city"], "p": shop["staff"][0], "q": shop["staff"][1]}
    slots["t"], slots["u"] = rng.sample([row[0] for row in world.goods()[shop["domain"]]], 2)
    chosen = rng.sample(tuple(templates), min(size or rng.randint(20, 50), len(templates)))
    sections, questions = [], []
    for name in chosen:
        section, rows = _section(rng, split, name, shop, slots)
        sections.append(section)
        questions += rows
    questions += _left_out(rng, split, chosen, shop, slots, max(4, len(chosen) // 3))
    facts = {key: shop[key] for key in ("domain", "city")}
    return {"shop": shop["name"], **facts, "sections": sections, "questions": questions}


def as_markdown(book):
    """A handbook as Markdown, one heading for each section."""
    texts = [f"## {section['head']}\n\n{section['text']}\n" for section in book["sections"]]
    return f"# Handbook of {book['shop']}\n\n" + "\n".join(texts)

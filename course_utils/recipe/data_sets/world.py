"""The world of the course's own shop; its texts stand in recipe/data/own_shop, which no training generator reads."""

import random
import re
import tempfile
from pathlib import Path

from course_utils.recipe import orders, people, world
from course_utils.recipe import split as parts
from course_utils.recipe.data_sets import data_set, lines
from course_utils.shop import slug

SEED = 20
STARS = {5: 70, 4: 45, 2: 40, 1: 45}
NOUNS = {
    "tent": "tent",
    "sleeping bag": "sleeping bag",
    "rucksack": "rucksack",
    "rain wear": "piece of rain wear",
}


def own(name):
    """One of the text files of the own shop."""
    return parts.load(f"own_shop/{name}")


def _facts():
    return dict(own("people")) | {"seed": SEED}


def _list(text):
    return [] if text == "-" else [part.strip() for part in text.split(",")]


def _sizes(text):
    span = re.fullmatch(r"(\d+)-(\d+)", text)
    letters = ["XS", "S", "M", "L", "XL", "XXL", "XXXL"]
    if span and int(span[2]) < 60:
        return [str(size) for size in range(int(span[1]), int(span[2]) + 1)]
    first, _, last = text.partition("-")
    if first in letters and last in letters:
        return letters[letters.index(first) : letters.index(last) + 1]
    return _list(text)


def products():
    """The catalogue as rows; only the stock is drawn."""
    rng, rows = random.Random(f"catalogue {SEED}"), []
    for key, items in own("catalogue").items():
        kind, _, letters = key.rpartition(" ")
        for number, item in enumerate(items, 1):
            name, price, weight, colours, sizes, text, care = item.split(" | ")
            stock = rng.choice((0, 0, 1, 2, *range(3, 41)))
            row = {"sku": f"{letters}-{number * 10 + 100}", "name": name, "kind": kind, "price": float(price)}
            row |= {"colours": _list(colours), "sizes": _sizes(sizes), "weight_g": int(weight), "stock": stock}
            rows.append(row | {"text": text, "care": care})
    return rows


@data_set
def catalogue():
    """The shop's facts and its products."""
    return {"world/world.json": lines([_facts()]), "world/catalogue.jsonl": lines(products())}


def _question(text, kind, gold, section, general, plausible=True):
    missing = re.search(r"\[(.*?)\]", text)
    question = text.replace("[", "").replace("]", "")
    row = {"question": question, "kind": kind, "gold": gold, "section": section, "exception_of": general}
    return row | {"missing": missing[1] if missing else None, "plausible": plausible}


@data_set
def handbook():
    """The handbook as Markdown, and questions: literal, in other words, and without an answer."""
    texts, rows = [f"# Handbook of {own('people')['shop']}\n"], []
    for section in own("handbook"):
        texts.append(f"## {section['head']}\n\n{section['text']}\n")
        where, general = slug(section["head"]), section.get("except") and slug(section["except"])
        for asked in section["asks"]:
            literal, paraphrase, gold = asked.split(" | ")
            rows.append(_question(literal, "literal", gold, where, general))
            rows.append(_question(paraphrase, "paraphrase", gold, where, general))
        rows.append(_question(section["none"], "unanswerable", None, where, general, plausible=False))
        rows.append(_question(own("unanswered")[section["head"]], "unanswerable", None, where, general))
    return {"world/handbook.md": "\n".join(texts), "world/handbook_questions.jsonl": lines(rows)}


@data_set
def order_database():
    """The order database as SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.sqlite"
        orders.make_orders(path, SEED, _facts(), products())
        return {"world/orders.sqlite": path.read_bytes()}


def _fitting(rng, text, pattern, goods):
    """A product for a text: its name fits the pattern, and it has the colours and the plural the text needs."""
    colours = 2 if "{k}" in text else 1 if "{c}" in text else 0
    fits = [item for item in goods if re.match(pattern, item["name"]) and len(item["colours"]) >= colours]
    if "{p}s" in text:
        fits = [item for item in fits if not item["name"].endswith("s")]
    return rng.choice(fits)


def _put(text, values):
    text = re.sub(r"\b([Aa]) \{(\w)\}", lambda found: found[1] + world.article(values[found[2]])[1:], text)
    return people.upper_first(text.format(**values))


def _values(rng, item):
    facts, goods = own("people"), parts.load("world_goods")
    first, second = rng.sample(goods["days"][:5], 2)
    colours = (rng.sample(item["colours"], len(item["colours"])) + ["grey", "grey"])[:2]
    values = {"p": item["name"], "c": colours[0], "k": colours[1], "d": first, "e": second}
    values |= {"C": rng.choice(facts["first"]), "S": rng.choice(facts["staff"]), "n": str(rng.randint(2, 9))}
    return values | {"o": str(rng.randint(1001, 3999)), "s": values["S"]}


def _dialogue(rng, story, goods):
    """One dialogue: (turns, two summaries, facts that a summary must hold)."""
    texts = own("dialogues")
    extras = rng.sample(texts["extras"], rng.choice((0, 1, 1, 2)))
    blocks = [rng.choice(texts["greets"]), story["lines"], *(extra["lines"] for extra in extras)]
    if rng.random() < 0.8:
        blocks.append(rng.choice(texts["byes"]))
    sums = [*story["sum"], *(extra["sum"] for extra in extras if "sum" in extra)]
    keys = [*story["keys"], *(key for extra in extras for key in extra.get("keys", ()))]
    item = _fitting(rng, " ".join(story["lines"]), story["of"], goods)
    others = [other["name"] for other in goods if re.match(story["of"], other["name"]) and other is not item]
    low, high = map(int, story.get("number", "11-30").split("-"))
    values = _values(rng, item) | {"q": rng.choice(others or ["Forspoon"]), "n": str(rng.randint(low, high))}
    turns = []
    for line in (line for block in blocks for line in block):
        speaker = "customer" if line[0] == "C" else "staff"
        text = _put(people.expand(rng, line[2:]), values)
        if turns and turns[-1]["speaker"] == speaker:
            turns[-1]["text"] += f" {text}"
        else:
            turns.append({"speaker": speaker, "text": text})
    told = [" ".join(_put(pair[side], values) for pair in sums) for side in (0, 1)]
    return turns, told, [key.format(**values) for key in keys]


@data_set
def dialogues():
    """Past dialogues of 8 to 14 turns, each story three times with other words, each with two summaries."""
    rng, rows, goods = random.Random(f"dialogues {SEED}"), [], products()
    stories = own("dialogues")["stories"]
    for number in range(3 * len(stories)):
        story, turns = stories[number % len(stories)], []
        while not 8 <= len(turns) <= 14:
            turns, told, facts = _dialogue(rng, story, goods)
        rows.append({"id": f"D{number + 101}", "turns": turns, "summaries": told, "facts": facts})
    return {"world/dialogues.jsonl": lines(rows)}


@data_set
def reviews():
    """Reviews of tents, sleeping bags, rucksacks and rain wear with their stars."""
    rng, rows, seen = random.Random(f"reviews {SEED}"), [], set()
    goods = [item for item in products() if item["kind"] in NOUNS]
    for stars, count in STARS.items():
        data, made = own("opinions")["reviews"][stars], 0
        while made < count:
            text = " ".join(rng.choice(data[part]) for part in ("open", "middle", "close"))
            item = _fitting(rng, text, "", goods)
            if text not in seen:
                seen.add(text)
                text = _put(people.expand(rng, text), _values(rng, item) | {"k": NOUNS[item["kind"]]})
                label = "positive" if stars > 2 else "negative"
                rows.append({"sku": item["sku"], "stars": stars, "label": label, "text": text})
                made += 1
    rng.shuffle(rows)
    return {"world/reviews.jsonl": lines(rows)}


@data_set
def staff_replies():
    """Customers' messages with a polite and a rude reply, four of each situation."""
    rng, rows = random.Random(f"replies {SEED}"), []
    goods = [item for item in products() if item["kind"] in NOUNS]
    ways = ((0, 0, "{}"), (1, 1, "{}"), (0, 1, "Good morning! {}"), (1, 0, "{} Regards, {C}"))
    for situation in own("opinions")["replies"]:
        for asked, answered, form in ways:
            chosen = [situation["say"][asked], situation["polite"][answered], situation["rude"][answered]]
            pattern = "Vaskell|Ombrick" if "fold" in " ".join(situation["say"]) else ""
            item = _fitting(rng, " ".join(chosen), pattern, goods)
            values = _values(rng, item) | {"k": NOUNS[item["kind"]]}
            message, polite, rude = (_put(text, values) for text in chosen)
            rows.append({"message": form.format(message, **values), "polite": polite, "rude": rude})
    return {"world/staff_replies.jsonl": lines(rows)}

"""Step 2, sections 1 to 3 and the ShopBot of this step: an inbox, word problems by operations, float or sink."""

import random
import re

from course_utils.recipe import problems, split, world
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import buoyancy

TOPICS = ("delivery", "payment", "return", "size")


def _wordings(topic):
    """Wordings of customers' requests set aside from training that name no order."""
    return [text for text in split.load("world_requests")[topic] if split.held_out(text) and "{order}" not in text]


@data_set
def inbox():
    """Customers' messages with a topic, a name and an order number; in one of six the number is missing."""
    rng, rows, shop = random.Random("inbox"), [], None
    frames = (
        "{r} My name is {n} and my order is {o}.", "{n} here, about order {o}. {r}", "Order {o}: {r} Regards, {n}",
        "Hello, this is {n}. {r} It was order {o}.", "{r}\nThe order has the number {o}.\n{n}",
        "I am {n}. {r} You find it under order {o}.",
    )  # fmt: skip
    without = ("{r} My name is {n}.", "Hello, this is {n}. {r}", "{r}\nRegards, {n}")
    while len(rows) < 180:
        shop = world.make_shop(rng, "heldout", size=4)
        topic, missing = TOPICS[len(rows) % 4], rng.random() < 1 / 6
        request = rng.choice(_wordings(topic)).format(**world.slots(rng, shop))
        name, order = world.first_name(rng, "heldout"), str(rng.randint(1000, 9999))
        text = rng.choice(without if missing else frames).format(r=request, n=name, o=order)
        rows.append({"message": text, "topic": topic, "record": {"name": name, "order": None if missing else order}})
    return {"step2/inbox.jsonl": lines(rows)}


def _problem(rng, part, operations):
    chosen = [schema for schema in problems.schemas(part) if len(schema["steps"]) == operations]
    return problems.draw(rng, part, rng.choice(chosen), filler=False)


@data_set
def word_problems():
    """Word problems of one to five operations: new draws of known schemas, and schemas that training never saw."""
    rng, rows = random.Random("word problems by operations"), []
    for index in range(200):
        for operations in (1, 2, 3, 4, 5):
            for part in ("train", "heldout"):
                if part == "heldout" and (index >= 100 or not _has(part, operations)):
                    continue
                found = _problem(rng, part, operations)
                row = {"question": found["question"], "answer": found["answer"], "operations": operations}
                row |= {"schema": found["id"], "known": part == "train"}
                rows.append(row | ({"chain": problems.reply(found, "cot")} if index == 0 else {}))
    return {"step2/word_problems.jsonl": lines(rows)}


def _has(part, operations):
    return any(len(schema["steps"]) == operations for schema in problems.schemas(part))


@data_set
def densities():
    """Does a thing float or sink? Half of the questions ask about gold, which training never asked about."""
    rng, rows, lists = random.Random("float or sink"), [], split.load("buoyancy")
    solids = {name: density for name, density in lists["solids"]}
    others = [pair for pair in solids.items() if pair[0] != buoyancy.GOLD]
    while len(rows) < 240:
        material = (buoyancy.GOLD, solids[buoyancy.GOLD]) if len(rows) % 2 == 0 else rng.choice(others)
        liquid = tuple(rng.choice(lists["liquids"]))
        if liquid[1] == material[1]:
            continue
        text, yes, chain = buoyancy.question(rng, "heldout", material, liquid, rng.choice(lists["things"]))
        rows.append({"question": text, "answer": yes, "material": material[0], "liquid": liquid[0], "chain": chain})
    return {"step2/densities.jsonl": lines(rows)}


@data_set
def routing():
    """Requests that need a calculation, and others with numbers in them that need none: to choose a router, and to test it."""
    rng, rows = random.Random("routing"), []
    for index in range(360):
        if index % 2 == 0:
            text, needs = _problem(rng, "heldout", rng.choice((1, 2, 3)))["question"], True
        else:
            shop = world.make_shop(rng, "heldout", size=4)
            topic = rng.choice(("delivery", "payment", "return", "size", "stock", "opening hours"))
            request = rng.choice([one for one in split.load("world_requests")[topic] if split.held_out(one)])
            text, needs = upper_first(request.format(**world.slots(rng, shop))), False
            if rng.random() < 0.6 and not re.search(r"\d", text):
                text += f" My order is {rng.randint(1000, 9999)}, from {rng.randint(2, 28)} {rng.choice(('May', 'June'))}."
        rows.append({"request": text, "calculation": needs, "split": "dev" if index < 160 else "test"})
    return {"step2/routing.jsonl": lines(rows)}

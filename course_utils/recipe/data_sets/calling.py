"""Step 5: sums over the number of digits, tables, calls of unseen and of the shop's tools, faults, specialists, a router.

All wordings are held out, or stand in recipe/data/own_shop, which no training generator reads.
"""

import random
from contextlib import closing

from course_utils import shop
from course_utils.recipe import handbook, problems, split, world
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import chat, repair, tables, tools

SHOP_TOOLS = ("product_price", "pieces_in_stock", "order_state", "compute")
PARAMETER = {"product_price": "product", "pieces_in_stock": "product", "order_state": "order", "compute": "expression"}


def _whole_sums():
    """Known schemas of two steps that only add and subtract and whose numbers may have any length."""
    return [
        schema
        for schema in problems.schemas("train")
        if len(schema["steps"]) == 2
        and not schema.get("decimals")
        and all(set(str(source)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_ +-") for _, source, _ in schema["steps"])
        and all(isinstance(spec, list) and len(spec) == 2 and not isinstance(spec[1], str) and spec[1] >= 20
                for spec in schema["numbers"].values())
        and not any(letter.isdigit() for _, source, _ in schema["steps"] for letter in str(source))
    ]  # fmt: skip


@data_set
def digits():
    """Problems of two additions or subtractions with numbers of one to seven digits; the patterns are known ones."""
    rng, rows, schemas = random.Random("digits"), [], _whole_sums()
    while len(rows) < 700:
        number = len(rows) % 7 + 1
        low, high = 10 ** (number - 1), 10**number - 1
        try:
            found = problems.draw(rng, "train", rng.choice(schemas), low=low, high=high, filler=False)
        except ValueError:
            continue
        if len(found["question"]) < 200 and not set(found["question"].lower().split()) & set(problems.NUMBER_WORDS):
            row = {"question": found["question"], "answer": found["answer"], "digits": number, "known": True}
            rows.append(row | ({"chain": problems.reply(found, "cot")} if len(rows) < 7 else {}))
    return {"step5/digits.jsonl": lines(rows)}


@data_set
def small_tables():
    """Small tables as CSV, each with a question in held-out words and the answer that the right program prints."""
    rng, rows = random.Random("tables"), []
    while len(rows) < 200:
        example = tables.generate(rng, "heldout")
        table = "\n".join([",".join(example["rows"][0]), *(",".join(map(str, row.values())) for row in example["rows"])])
        blocks = example["messages"][0]["content"].replace("\n\n", "\n").split("\n" + table + "\n")
        if len(blocks) != 2 or "\n" in blocks[0] + blocks[1] or len(example["rows"]) < 4:
            continue
        answer = []
        scope = {"rows": example["rows"], "print": answer.append, "sum": sum, "len": len, "max": max, "min": min}
        exec(example["gold"], {"__builtins__": {}, **scope})  # noqa: S102 - written by the recipe, not by a model
        row = {"intro": blocks[0], "table": table, "question": blocks[1], "answer": str(answer[0])}
        rows.append(row | ({"program": example["gold"]} if len(rows) < 3 else {}))
    return {"step5/tables.jsonl": lines(rows)}


@data_set
def unseen_tools():
    """Requests to tools that training never held: one call, two calls, or none because no tool fits or none is needed."""
    rng, wanted = random.Random("unseen tools"), {"one": 120, "two": 60, "none": 60}
    rows = {kind: [] for kind in wanted}
    while any(len(rows[kind]) < count for kind, count in wanted.items()):
        example = tools.generate(rng, "heldout")
        if len(example["messages"]) != 3:
            continue
        calls = example["gold"].get("calls", [])
        kind = ("none", "one", "two")[len(calls)]
        if len(rows[kind]) < wanted[kind]:
            row = {"system": example["system"], "request": example["messages"][1]["content"]}
            rows[kind].append(row | {"tools": example["tools"], "calls": calls})
    return {f"step5/unseen_{kind}.jsonl": lines(found) for kind, found in rows.items()}


def _numbers(rng):
    first, last = rng.choice("+-*"), rng.choice("+-")
    text = f"{rng.randint(20, 90)} {first} {rng.randint(2, 19)}"
    return f"{text} {last} {rng.randint(2, 40)}" if rng.random() < 0.5 else text


def _wish(rng, tool, orders):
    """A request to one of the shop's tools: (text, call, customer or None)."""
    customer, value = None, None
    if tool == "order_state":
        value, customer = rng.choice(orders)
    elif tool == "compute":
        value = _numbers(rng)
    else:
        value = rng.choice(shop.catalogue())["name"]
    text = rng.choice(split.load("own_shop/calls")[tool]).replace("{" + PARAMETER[tool] + "}", str(value))
    return text, {"name": tool, "arguments": {PARAMETER[tool]: value}}, customer


def _orders():
    with closing(shop.orders()) as connection:
        return connection.execute("SELECT id, customer_id FROM orders ORDER BY id").fetchall()


@data_set
def shop_requests():
    """Requests of customers to the shop's four tools: one call, two calls, or none."""
    rng, rows, orders = random.Random("shop requests"), [], _orders()
    joins = [join for join in split.load("tools")["joins"] if "\n" not in join]
    products = [row["name"] for row in shop.catalogue()]
    while len(rows) < 160:
        kind = ("one", "one", "two", "none")[len(rows) % 4]
        if kind == "none":
            talk = rng.random() < 0.4
            says = split.pick(rng, rng.choice(split.load("chat")["talk"])[0], "heldout")
            text = says if talk else rng.choice(split.load("own_shop/calls")["none"])
            rows.append({"kind": kind, "customer": 1, "request": text.replace("{product}", rng.choice(products)), "calls": []})
            continue
        names = rng.sample(SHOP_TOOLS, 2)[: 1 + (kind == "two")]
        wishes = [_wish(rng, name, orders) for name in names]
        texts = [text if text[-1] in ".?!" else text + "." for text, *_ in wishes]
        text = texts[0] if kind == "one" else rng.choice(joins).replace("{a}", texts[0]).replace("{b}", texts[1])
        customer = next((its for *_, its in wishes if its), rng.randint(1, 48))
        rows.append({"kind": kind, "customer": customer, "request": text, "calls": [call for _, call, _ in wishes]})
    return {"step5/shop_requests.jsonl": lines(rows)}


@data_set
def broken_programs():
    """Right programs with one planted fault that stops them or keeps them silent, and held-out words that ask to mend it."""
    rng, rows = random.Random("broken programs"), []
    schemas = [schema for schema in problems.schemas("heldout") if 2 <= len(schema["steps"]) <= 4]
    asks = [text for text in split.load("repair")["ask"] if split.held_out(text)]
    while len(rows) < 150:
        problem = problems.draw(rng, "heldout", rng.choice(schemas))
        fault = repair.FAULTS[1 + len(rows) % (len(repair.FAULTS) - 1)]
        try:
            broken, message = fault(rng, problem["program"])
        except IndexError:
            continue
        if message:
            row = {"question": problem["question"], "answer": problem["answer"], "broken": broken, "ask": rng.choice(asks)}
            rows.append(row | {"fault": fault.__name__.strip("_").replace("_", " "), "known": False})
    return {"step5/broken_programs.jsonl": lines(rows)}


@data_set
def specialists():
    """Requests for four specialists in turn: the handbook, the encyclopedia, a calculation, and nobody (small talk)."""
    rng, rows = random.Random("specialists"), []
    known = [row for row in shop.questions("handbook") if row["gold"] is not None]
    entries = shop.questions("encyclopedia", "one-hop")
    sums = [schema for schema in problems.schemas("train") if len(schema["steps"]) == 2]
    known, entries = rng.sample(known, 50), rng.sample(entries, 50)
    talks = [(says, replies) for says, replies in split.load("chat")["talk"]]
    for place in range(50):
        found = problems.draw(rng, "train", rng.choice(sums), filler=False)
        says = split.pick(rng, rng.choice(talks)[0], "heldout")
        rows += [
            {"kind": "handbook", "request": known[place]["question"], "gold": known[place]["gold"]},
            {"kind": "encyclopedia", "request": entries[place]["question"], "gold": entries[place]["gold"]},
            {"kind": "sum", "request": found["question"], "gold": found["answer"], "known": True},
            {"kind": "talk", "request": says, "accepted": sorted(chat.small_talk(says))},
        ]
    return {"step5/specialists.jsonl": lines(rows)}


def _no_fact(rng):
    """A request that no row of the database answers: a rule, a sum, another matter, something to be done."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(handbook.make_handbook(rng, "heldout", size=12)["questions"])["question"]
    if kind < 0.5:
        schemas = [schema for schema in problems.schemas("heldout") if len(schema["steps"]) < 4]
        return problems.draw(rng, "heldout", rng.choice(schemas), filler=False)["question"]
    topic = rng.choice(("size", "stock", "opening hours", "thanks", "complaint"))
    asks = [text for text in split.load("world_requests")[topic] if split.held_out(text) and "{order}" not in text]
    return upper_first(rng.choice(asks).format(**world.slots(rng, world.make_shop(rng, "heldout", size=4))))


@data_set
def own_requests():
    """Requests about what stands in a customer's own rows, and others: to write a router, and to test it.

    The wordings of the test part are not those of the dev part; orders and products belong to invented shops.
    """
    rng, rows, seen, own = random.Random("own requests"), [], set(), split.load("own_shop/calls")
    for number in range(240):
        part = "dev" if number < 100 else "test"
        wanted = ("own", "other", "own", "acts", "own", "other", "other", "own")[number % 8]
        while True:
            if wanted == "other":
                text = _no_fact(rng)
            else:
                shop_ = world.make_shop(rng, "heldout", size=4)
                text = rng.choice(own[wanted][part == "test" :: 2]).format(
                    order=rng.randint(1000, 9999), product=rng.choice(shop_["items"])["name"], month=rng.choice(own["months"])
                )
            if len(text) < 300 and (text not in seen or wanted != "other"):
                break
        seen.add(text)
        rows.append({"request": text, "own": wanted == "own", "split": part})
    return {"step5/own_requests.jsonl": lines(rows)}

"""The two groups of ShopBench that need more than a wording: long conversations, and returns."""

import re
from contextlib import closing
from datetime import date

from course_utils import shop
from course_utils.recipe import orders, world
from course_utils.recipe.data_sets.world import own

EACH, TURNS, DISTANCES = 64, range(9, 24, 2), range(2, 21, 2)
SEALED = r"Stavline|Nookfast|Domel|Hiss Cartridge"  # what the handbook never takes back, beyond doubt
GOOD = ("fine", "twice", "down")  # the cases that end with a label and a mail
ITEMS = """
SELECT o.id o, o.customer_id c, o.status, u.email, s.delivered, p.name p, p.kind, r.status back,
    (SELECT COUNT(*) FROM returns x WHERE x.order_id = o.id) returns,
    (SELECT COUNT(*) FROM orders y JOIN order_items j ON j.order_id = y.id
     WHERE y.customer_id = o.customer_id AND j.sku = p.sku) same
FROM orders o JOIN customers u ON u.id = o.customer_id JOIN shipments s ON s.order_id = o.id
    JOIN order_items i ON i.order_id = o.id JOIN products p ON p.sku = i.sku LEFT JOIN returns r ON r.item_id = i.id
WHERE s.delivered IS NOT NULL ORDER BY i.id
"""


def _values(rng, kind):
    """All values of a kind in random order."""
    values = own("people")["first"] if kind["values"] == "people" else kind["values"]
    if isinstance(values, str):
        values = [str(number) for number in range(*map(int, values.split("-")))]
    return rng.sample(values, len(values))


def _upper(text):
    return text[:1].upper() + text[1:]


def _fill(rng, spare, kinds, fills):
    """Turns that have nothing to do with the question: what is told about other things, and small talk."""
    kinds, fills, pairs = rng.sample(kinds, len(kinds)), rng.sample(fills, len(fills)), []
    noted = own("shopbench_talk")["noted"]
    for _ in range(spare):
        if kinds and rng.random() < 0.3:
            kind = kinds.pop()
            pairs.append((rng.choice(kind["tell"]).format(v=_values(rng, kind)[0]), rng.choice(noted)))
        else:
            pairs.append(tuple(fills.pop()))
    return pairs


def _talk(rng, name, ask, distance, fixed):
    """One conversation in which a fact is told `distance` messages before the question."""
    data = own("shopbench_talk")
    kind, values = data["kinds"][name], _values(rng, data["kinds"][name])
    gold, rivals = values.pop(), []
    total = rng.choice([turns for turns in TURNS if turns > distance + 2 * fixed])
    slots = list(range(0, total - 1, 2))
    at = total - 1 - distance
    before, after = [slot for slot in slots if slot < at], [slot for slot in slots if slot > at]
    said = {}

    def put(slot, wordings, reply, **values):
        said[slot] = (_upper(rng.choice(wordings).format(**values)), rng.choice(data[reply]))

    others = rng.sample(kind["other"], len(kind["other"]))
    if fixed:
        rivals.append(values.pop())
        slot = before.pop(rng.randrange(len(before)))
        put(slot, kind["tell"], "noted", v=rivals[0])
        put(at, kind["fix"], "noted", v=gold, w=rivals[0])
    else:
        put(at, kind["tell"], "noted", v=gold)
    for places, chance in ((after, 0.85), (before, 0.75), (after, 0.3)):
        if places and rng.random() < chance:
            rivals.append(values.pop())
            put(places.pop(rng.randrange(len(places))), [others.pop()], "smalltalk", w=rivals[-1])
    rest = [kind for other, kind in data["kinds"].items() if other != name]
    for slot, pair in zip(before + after, _fill(rng, len(before + after), rest, data["fill"])):
        said[slot] = pair
    if not gold.isdigit():
        rivals = [*rivals, *sorted(values)]  # also what nobody mentioned is a wrong answer
    messages = []
    for slot in slots:
        messages += [{"role": role, "content": text} for role, text in zip(("user", "assistant"), said[slot])]
    row = {
        "customer": None,
        "messages": [*messages, {"role": "user", "content": ask}],
        "grader": "value",
        "gold": [gold],
    }
    return row | {
        "form": f"{name} {kind['ask'].index(ask)}",
        "rivals": rivals,
        "asked": ask,
        "distance": distance,
        "fixed": fixed,
    }


def talks(rng):
    """Eight kinds of facts with eight questions each; every fourth fact was corrected later."""
    kinds, rows = own("shopbench_talk")["kinds"], []
    for number in range(EACH):
        name = list(kinds)[number % len(kinds)]
        distance = DISTANCES[(number * 7 + number // 10) % len(DISTANCES)]
        fixed = (number + number // 8) % 4 == 0
        rows.append(_talk(rng, name, kinds[name]["ask"][number // 8], distance, fixed))
    return rows


def _pools(day):
    """The items of the database by what becomes of a wish to return them."""
    with closing(shop.orders()) as database:
        database.row_factory = lambda cursor, row: {column[0]: cell for column, cell in zip(cursor.description, row)}
        items = [item for item in database.execute(ITEMS) if not re.search(r"[^s]s$", item["p"])]  # no "a Long Johns"
    pools = {"fine": [], "late": [], "excluded": [], "returned": []}
    for item in items:
        age, limit = (day - date.fromisoformat(item["delivered"])).days, 20 if item["kind"] == "boots" else 45
        never = re.search(orders.NEVER_BACK, f"{item['kind']} {item['p']}")
        if item["back"] and age < limit:
            pools["returned"].append(item)
        elif not item["returns"] and re.search(SEALED, item["p"]) and age > 10:
            pools["excluded"].append(item)
        elif not item["returns"] and not never and 0 < age < limit - 1:
            pools["fine"].append(item)
        elif not item["returns"] and not never and limit + 2 < age < limit + 40:
            pools["late"].append(item)
    return pools


def _choose(rng, case, pools, taken, unnumbered):
    """An item for a case; an order serves once for a label and once for none. Unnumbered things were bought only once."""
    pool, good = pools.get(case, pools["fine"]), case in GOOD
    fits = [item for item in pool if (good, item["o"]) not in taken and (item["same"] == 1 or not unnumbered)]
    if not fits:
        raise ValueError(f"The order database holds too few orders for the case {case!r}.")
    item = dict(rng.choice(fits))
    taken.add((good, item["o"]))
    return item


def _told(wording, item):
    return wording.replace("a {p}", world.article(item["p"])).format(o=item["o"], p=item["p"])


def returns(rng):
    """Wishes to return something. Gold is the end state: orders that have a label, and addresses that got a mail."""
    data, rows, taken = own("shopbench_return"), [], set()
    pools, dealt = _pools(shop.today()), {}
    strangers = sorted({item["c"] for item in pools["fine"]})
    for case in (case for case, count in data["cases"].items() for _ in range(count)):
        good = case in GOOD
        unnumbered = good and sum(row["case"] == case for row in rows) % 3 == 2
        item = _choose(rng, case, pools, taken, unnumbered)
        customer = item["c"]
        if case == "foreign":
            customer = rng.choice([other for other in strangers if other != item["c"]])
        if case == "unknown":
            item["o"] = rng.choice((rng.randrange(3100, 4000), rng.randrange(4400, 5000)))
        name = "unnumbered" if unnumbered else "numbered"
        if not dealt.get(name):
            dealt[name] = rng.sample(range(len(data[name])), len(data[name]))
        form = dealt[name].pop()
        messages = [{"role": "user", "content": _told(data[name][form], item)}]
        script = {"order": str(item["o"]), "item": item["p"], "confirm": "no" if case == "declined" else "yes"}
        gold = {"labels": [str(item["o"])] if good else [], "mails": [item["email"]] if good else []}
        row = {"customer": customer, "messages": messages, "grader": "return", "gold": gold, "form": f"{name} {form}"}
        row |= {"case": case, "script": script, "plan": {"carrier": ["down"]} if case == "down" else {}}
        row["again"] = _told(rng.choice(data["again"]), item) if case == "twice" else None
        rows.append(row)
    rng.shuffle(rows)
    return rows

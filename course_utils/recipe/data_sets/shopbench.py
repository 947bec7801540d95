"""ShopBench: 64 requests in each of seven groups, and the phrases that its graders read. One seed, same files.

The texts stand in recipe/data/own_shop/shopbench_*.yaml, which no training generator reads.
"""

import itertools
import json
import random
import re
from contextlib import closing
from datetime import date
from fractions import Fraction

from course_utils import shop
from course_utils.recipe.data_sets import data_set, lines, shopbench_cases
from course_utils.recipe.data_sets.world import own, products
from course_utils.shop import slug

SEED, EACH = 31, 64
WEAR = ("boots", "warm wear", "rain wear")


def _user(text):
    return [{"role": "user", "content": text}]


def _row(grader, messages, gold, form, **more):
    return {"customer": None, "messages": messages, "grader": grader, "gold": gold, "form": form} | more


def _dealt(rng, items, count):
    """`count` items: all of them in random order, then again."""
    order = []
    while len(order) < count:
        order += rng.sample(items, len(items))
    return order[:count]


def plain(rng):
    """Labels, records and short answers; everything needed stands in the message."""
    data, rows = own("shopbench_plain"), []
    for number, form in zip(range(len(data["texts"])), itertools.cycle(range(len(data["topics"])))):
        text, gold, labels = data["texts"][number].split(" | ")
        ask = data["topics"][form].format(x=text, labels=labels)
        rows.append(_row("label", _user(ask), gold, f"topics {form}", labels=re.split(", | or ", labels)))
    goods = [
        item for item in products() if item["kind"] in WEAR and len(item["sizes"]) > 2 and item["name"][-1] != "s"
    ]
    for number, (form, note) in enumerate(zip(itertools.cycle(range(len(data["records"]))), data["notes"])):
        (item, other), (o, x) = rng.sample(goods, 2), rng.sample(range(4300, 5000), 2)
        size, y = rng.sample(item["sizes"], 2)
        if "one number larger" in note:
            item = next(good for good in goods if good["name"] == "Tramsel Mid")
            size, y = "43", "42"
        text = note.format(o=o, x=x, p=item["name"], q=other["name"], s=size, y=y)
        gold = {"order": str(o), "product": item["name"], "size": size}
        gold |= {key: None for key, slot in (("order", "{o}"), ("size", "{s}")) if slot not in note}
        rows.append(_row("record", _user(data["records"][form].format(x=text)), gold, f"records {form}.{number}"))
    for number, (form, asked) in enumerate(zip(itertools.cycle(range(len(data["quotes"]))), data["asked"])):
        text, question, gold, rivals = asked.split(" | ")
        ask = data["quotes"][form].format(x=text, q=question)
        more = {"rivals": rivals.split(", "), "asked": question}
        rows.append(_row("value", _user(ask), [gold], f"quotes {form}.{number}", **more))
    return rows


def _range(rng, text):
    """A number from "2-6", "10-50/5" or "12.5, 14", exact."""
    span = re.fullmatch(r"(\d+)-(\d+)(?:/(\d+))?", str(text))
    if span:
        return Fraction(rng.randrange(int(span[1]), int(span[2]) + 1, int(span[3] or 1)))
    return Fraction(rng.choice(str(text).split(", ")))


def _digits(number):
    """A Fraction as people write it: 12, 12.50, 0.7 for litres stays 0.7."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.2f}" if number * 10 % 1 else f"{float(number):.1f}"


def _price(number):
    return str(number) if number.denominator == 1 else f"{float(number):.2f}"


def _drawn(rng, form, goods):
    """The slots of one sum, numbers as fractions and names as text."""
    slots, taken = {}, []
    for name, cost, weight in (("p", "a", "g"), ("q", "b", "h")):
        if name in form:
            fits = [item for item in goods if re.match(form[name], item["name"]) and item not in taken]
            taken.append(
                rng.choice([item for item in fits if item["name"][-1].isalpha() or f"{{{name}}}s" not in form["ask"]])
            )
            price, grams = Fraction(str(taken[-1]["price"])), Fraction(taken[-1]["weight_g"])
            slots |= {name: taken[-1]["name"], cost: price, weight: grams}
    for name, text in form.get("draw", {}).items():
        slots[name] = _range(rng, text)
    return slots


def sums(rng):
    """Two to four operations on numbers that all stand in the message; worked out with exact fractions."""
    forms, goods, rows, seen = own("shopbench_sum")["sums"], products(), [], set()
    for number in _dealt(rng, range(len(forms)), EACH):
        form = forms[number]
        while True:
            slots = _drawn(rng, form, goods)
            for name, rule in form.get("let", {}).items():
                slots[name] = Fraction(eval(rule, {}, slots))  # the rule stands in our own file
            gold = Fraction(eval(str(form["gold"]), {}, slots))
            told = {key: value if isinstance(value, str) else _digits(value) for key, value in slots.items()}
            told |= {
                key: _price(slots[key])
                for key in "abxyuvw"
                if isinstance(slots.get(key), Fraction) and "litre" not in form["ask"]
            }
            text = re.sub(r"\ba(?= [AEIO]\w+)", "an", form["ask"].format(**told))
            numbers = [Fraction(found) for found in re.findall(r"\d+(?:\.\d+)?", text)]
            good = gold > 0 and (gold * 100).denominator == 1 and gold not in numbers and text not in seen
            if good and eval(str(form.get("if", True)), {}, slots):
                break
        seen.add(text)
        rows.append(_row("number", _user(text), float(gold), f"sum {number}"))
    return rows


def facts(rng):
    """Questions about the handbook: 44 with an answer, 20 without one."""
    data, rows = own("shopbench_fact"), []
    for number, asked in enumerate(data["known"]):
        question, gold, head = asked.split(" | ")
        more = {"section": slug(head), "rivals": [], "asked": question}
        rows.append(_row("value", _user(question), gold.split(" / "), f"known {number}", **more))
    for number, question in enumerate(data["unknown"]):
        missing = re.search(r"\[(.*?)\]", question)[1]
        question = re.sub(r"[\[\]]", "", question)
        rows.append(
            _row("value", _user(question), None, f"unknown {number}", missing=missing, rivals=[], asked=question)
        )
    return rows


def _day(text):
    """A date as people write it: "12 May"."""
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B}"


def _ways(value):
    """The ways to write a value of the database."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        day = date.fromisoformat(value)
        return [
            value,
            f"{_day(value)} {day.year}",
            f"{day:%B} {day.day}, {day.year}",
            _day(value),
            f"{day:%B} {day.day}",
        ]
    return [value]


def orders(rng):
    """What the order database tells about a customer's own orders; the gold comes from a query beside the wording."""
    forms, rows, used = own("shopbench_order")["orders"], [], set()
    wordings = [(form, way) for way in (0, 1) for form in forms][:EACH]
    with closing(shop.orders()) as database:
        database.row_factory = lambda cursor, row: {column[0]: cell for column, cell in zip(cursor.description, row)}
        for form, way in wordings:
            picks = database.execute(form["pick"]).fetchall()
            for pick in rng.sample(picks, len(picks)):
                values = pick | {"today": shop.facts()["today"]}
                gold = [cell for row in database.execute(form["gold"], values) for cell in row.values()]
                told = {key: _day(cell) if key == "day" else cell for key, cell in pick.items()}
                text = form["ask"][way].format(**told)
                key = (form["pick"], *pick.values())
                if len(gold) == 1 and gold[0] is not None and key not in used and _fresh(gold[0], text):
                    break
            else:
                raise ValueError(f"No customer fits {form['ask'][way]!r}.")
            used.add(key)
            rivals = [
                str(cell)
                for row in database.execute(form.get("rivals", "SELECT 1 WHERE 0"), values)
                for cell in row.values()
            ]
            gold = round(float(gold[0]), 2) if form["kind"] == "amount" else _ways(str(gold[0]))
            name = f"order {forms.index(form)}.{way}"
            rows.append(_row(form["kind"], _user(text), gold, name, customer=pick["c"], rivals=rivals, asked=text))
    return rows


def _fresh(gold, text):
    """Whether an amount is positive and does not stand in the question."""
    if isinstance(gold, str):
        return True
    return gold > 0 and round(float(gold), 2) not in [float(found) for found in re.findall(r"\d+(?:\.\d+)?", text)]


def manner(rng):
    """Angry customers who deserve a polite answer to the point, and dialogues to summarise."""
    data, rows = own("shopbench_manner"), []
    for number, angry in enumerate(data["angry"]):
        message, keys, right = angry.split(" | ")
        rows.append(_row("polite", _user(message), keys.split(", "), f"angry {number}", right=right))
    for number, talk in enumerate(data["talks"]):
        speakers = {"C": "Customer", "S": "Staff"}
        dialogue = "\n".join(f"{speakers[line[0]]}: {line[2:]}" for line in talk["lines"])
        ask = data["ask"][number % len(data["ask"])].format(d=dialogue)
        keys = [key.split("|") for key in talk["keys"]]
        rows.append(_row("summary", _user(ask), keys, f"talk {number}", right=talk["sum"], dialogue=dialogue))
    return rows


GROUPS = {
    "plain": plain,
    "sum": sums,
    "fact": facts,
    "talk": shopbench_cases.talks,
    "order": orders,
    "return": shopbench_cases.returns,
    "manner": manner,
}


@data_set
def shopbench():
    """The requests of all groups, and the phrases of the graders."""
    rows = []
    for group, make in GROUPS.items():
        made = make(random.Random(f"shopbench {group} {SEED}"))
        rows += [{"id": f"{group}-{number:02}", "group": group} | row for number, row in enumerate(made, 1)]
    phrases = {kind: own("shopbench_manner")[kind] for kind in ("rude", "courtesy")}
    phrases["denials"] = own("shopbench_fact")["denials"]
    return {
        "shopbench/requests.jsonl": lines(rows),
        "shopbench/phrases.json": json.dumps(phrases, ensure_ascii=False, indent=1) + "\n",
    }

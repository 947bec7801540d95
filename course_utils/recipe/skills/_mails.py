"""Whole messages to a shop for extraction: hard names to copy, and other values beside the ones that are meant."""

import re

from course_utils.recipe import people, strange, world
from course_utils.recipe import split as parts

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SAME = {"goods": "product", "a_product": "product"}
# A field whose pattern stands in a message is not asked for in vain: a reader could think that it is there.
DOUBT = {
    "name": r"{name2|called |name",
    "product": r"{product2|{goods2|bill|phone|page|shoes|parcel|fix|battery|letter|glasses|card|one\b",
    "colour": r"{colour2|colour|shade|dark|light",
    "size": r"{size2|size|small|big|tight|wide|narrow|long|large|heavy",
    "qty": r"{qty2|{a_product|\b(?:one|two|three|five|eight|ten|both|pair|only|many|fewer|more)\b|{price|{goods",
    "order": r"{order2|number",
    "price": r"{price2|price|cent\b|cost|money|voucher|cheap|dear\b|cash",
    "city": r"{city2|address|house|office|branch|shop|home",
    "day": r"{day2|week|day|night|morning|year|winter|now|again|date",
    "email": r"{email2|mail|answer|write",
    "phone": r"{phone2|phone|call|ring|number",
}
SIZED = ("small", "large", "medium", "big", "short", "long", "tall", "narrow", "wide")
OPENED = re.compile(r"hello|hi\b|hey|dear|good |to whom|sirs|subject|re:|yes|right|well|okay", re.IGNORECASE)


def product(rng, split, plural=False):
    """A name to copy; one in four is an ordinary thing. The plural is of common words."""
    if plural:
        return strange.plural(strange.two_words(rng))
    if rng.random() < 0.76:
        return strange.name(rng)
    item = world.make_item(rng, split=split, invented=0.2)
    return " ".join(word for word in (item["kind"], item["thing"]) if word)


def _order(rng):
    digits = rng.randint(3, 6)
    number = str(rng.randrange(10 ** (digits - 1), 10**digits))
    letters = "".join(rng.choice("ABCDEFGHKLMNPRTVXZ") for _ in range(rng.choice((1, 1, 2, 3))))
    more = letters + number, f"{letters}-{number}", f"{number}-{letters[0]}", letters[:2].lower() + number
    return rng.choice((number, number, number, *more))


def _day(rng):
    lists = parts.load("world_goods")
    number, month = rng.randint(1, 28), rng.choice(lists["months"])
    forms = (f"{number} {month}", f"{month} {number}", f"{number}/{rng.randint(1, 12)}")
    year = f"{number} {month} {rng.randint(2019, 2031)}"
    return rng.choice((rng.choice(lists["days"]), rng.choice(lists["days"]), *forms, year))


def _qty(rng):
    count = rng.randint(2, 12) if rng.random() < 0.6 else rng.randint(13, 500)
    return NUMBERS[count - 2] if count <= 12 and rng.random() < 0.5 else str(count)


def _name(rng, split):
    first = world.first_name(rng, split) if rng.random() < 0.7 else people.made_up(rng)
    return f"{first} {world.invent(rng)}" if rng.random() < 0.4 else first


def _email(rng, split):
    user = world.first_name(rng, split).lower() + rng.choice(("", "_", ".")) + world.invent(rng, capital=False)
    return f"{user[: rng.choice((9, 14))].rstrip('_.')}@{world.invent(rng, capital=False)}.example"


def _makers(rng, split):
    """For each field a function that draws a text for it; both texts of a field are of one kind (money, sizes)."""
    sizes = rng.choice(parts.load("extract_mails")["sizes"])
    currency = rng.choice((*world.CURRENCIES, "EUR {}"))
    return {
        "name": lambda: _name(rng, split),
        "product": lambda: product(rng, split),
        "goods": lambda: product(rng, split, plural=True),
        "colour": lambda: rng.choice(parts.load("world_goods")["colours"]),
        "size": lambda: rng.choice(sizes),
        "qty": lambda: _qty(rng),
        "order": lambda: _order(rng),
        "price": lambda: currency.format(world.price_text(rng, 3, rng.choice((40, 400, 2000)))),
        "city": lambda: rng.choice(("", "", "", "", "Upper ", "New ", "East ")) + world.town(rng),
        "day": lambda: _day(rng),
        "email": lambda: _email(rng, split),
        "phone": lambda: world.phone(rng),
    }


def _two(make):
    """Two values, none of which is a part of the other."""
    one = other = make()
    while one.lower() in other.lower() or other.lower() in one.lower():
        other = make()
    return one, other


def _template(rng, split):
    """A message with slots: its kind by the dice, often with an opening, an aside and a closing line."""
    lists = parts.load("extract_mails")
    kind = rng.choices(("mails", "twists", "desk", "desk_twists"), weights=(44, 34, 14, 8))[0]
    text = people.expand(rng, parts.pick(rng, lists[kind], split))
    if kind.startswith("desk") or "\n" in text:
        return text
    if rng.random() < 0.15:
        aside = parts.pick(rng, lists["asides"], split)
        text = f"{text} {aside}" if text[-1] in ".?!" else f"{aside} {text}"
    if rng.random() < 0.15 and not OPENED.match(text):
        opening = parts.pick(rng, lists["openings"], split)
        text = opening + ("\n" if opening[-1].isalpha() else rng.choice("\n ")) + text
    closing = parts.pick(rng, lists["closings"], split)
    if rng.random() < 0.25 and not _slots(closing) & _slots(text):
        text += ("\n" if text[-1] not in ".?!" else rng.choice("\n ")) + closing
    return text


def _slots(text):
    return set(re.findall(r"{(\w+)}", text))


def draw(rng, split):
    """A message, the record of what it is about, and the fields that must not be asked for in vain."""
    text = _template(rng, split)
    makers, values, record = _makers(rng, split), {}, {}
    for field, make in makers.items():
        values[field], values[f"{field}2"] = _two(make)
    for mark in ("", "2"):
        values[f"a_product{mark}"] = world.article(values[f"product{mark}"])
    for slot in sorted(_slots(text)):
        if not slot.endswith("2"):
            value = values["product" if slot == "a_product" else slot]
            record[SAME.get(slot, slot)] = value
    if "qty" in record:
        record["qty"] = NUMBERS.index(record["qty"]) + 2 if record["qty"] in NUMBERS else int(record["qty"])
    note = text.format(**values)
    doubts = {field for field, pattern in DOUBT.items() if re.search(pattern, text, re.IGNORECASE)}
    for field, words in (("colour", (*parts.load("world_goods")["colours"], "silver", "gold")), ("size", SIZED)):
        if any(word in note for word in words):  # also in the name of the product
            doubts.add(field)
    return note, record, doubts


def pick_keys(rng, record, doubts, fields):
    """Fields to ask for, each with its key: [(field, key)]; a field the message lacks only where that is certain."""
    names = parts.load("extract_mails")["keys"]
    there = [field for field in fields if field in record]
    missing = [field for field in fields if field not in record and field not in doubts]
    wanted = {"order", "product", "size"}
    if rng.random() < 0.4 and wanted & set(there) and not (wanted - set(there)) & doubts:
        chosen = sorted(wanted)
    else:
        chosen = rng.sample(there, min(len(there), rng.choice((1, 2, 3, 3, 3, 4))))
        if missing and rng.random() < 0.4:
            chosen += rng.sample(missing, min(len(missing), rng.choice((1, 1, 2))))
    rng.shuffle(chosen)
    capital = rng.random() < 0.06
    keys = [(field, rng.choice(names[field])) for field in chosen]
    return [(field, people.upper_first(key)) for field, key in keys] if capital else keys


def name_slots(rng, keys):
    """The ways to name the keys in an instruction, for the slots of its wording: {slot: text}."""
    said = parts.load("extract_mails")["described"]
    told = [(rng.choice(said[field]), key) for field, key in keys]
    mark = rng.choice(("[{}]", "({})"))
    return {
        "quoted": _join([f'"{key}"' for _, key in keys]),
        "bracket": mark.format(", ".join(key for _, key in keys)),
        "form": "{" + ", ".join(f'"{key}": ...' for _, key in keys) + "}",
        "described": _join([f"{text} ({key})" for text, key in told]),
        "described_as": _join([f'{text} as "{key}"' for text, key in told]),
        "lines": "\n".join(f"- {key}" for _, key in keys),
    }


def _join(words):
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def prompt(rng, instruction, note):
    """The messages before the reply: the instruction before or after the message, or as system message."""
    way, label = rng.random(), rng.choice(("Mail", "Request", "Message", "Customer", "Text", "Letter", "Note"))
    if way < 0.1:
        said = (instruction, rng.choice((note, f"{label}: {note}")))
        return [{"role": role, "content": text} for role, text in zip(("system", "user"), said)]
    if way < 0.4:
        text = f"{instruction}{rng.choice((' ', chr(10), chr(10) * 2))}{label}: {note}"
    elif way < 0.6:
        text = f'{instruction}{rng.choice((" ", chr(10), chr(10) * 2))}"{note}"'
    elif way < 0.75:
        text = f"{label}: {note}{rng.choice((chr(10), chr(10) * 2))}{instruction}"
    elif way < 0.85:
        text = f'"{note}"\n{rng.choice(("", chr(10)))}{instruction}'
    else:
        text = rng.choice((f"{instruction}\n\n{note}", f"{note}\n\n{instruction}"))
    return [{"role": "user", "content": text}]

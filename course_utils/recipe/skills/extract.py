"""Extraction from a customer's message to one line of JSON with the keys asked for (missing: null)."""

import functools
import json
import re

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import _mails

SKILL = "extract"
FIELDS = ("name", "product", "colour", "size", "qty", "order", "price", "city", "day", "email", "phone")
MAIN = {"name", "product", "order", "price", "city", "email"}  # no note holds all of them: one can be asked in vain
SIZES = ("S", "M", "L", "XL", "small", "medium", "large", "36", "38", "40", "41", "42", "44", "A4", "A5")
SAME = {"plain": "product", "colour_cap": "colour"}
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@functools.lru_cache(maxsize=None)
def _slots(text):
    return frozenset(re.findall(r"\{(\w+)\}", text))


def _values(rng, split, strange=0.0):
    """Text for every slot, and the value each slot stands for in the record; `strange` products in how many."""
    lists = parts.load("world_goods")
    item = world.make_item(rng, None, split, rng.choice(world.CURRENCIES), invented=0.2)
    if strange and rng.random() < strange:
        item.update(dict.fromkeys(("name", "thing"), _mails.product(rng, split)), kind=None, colour=None)
    name = world.first_name(rng, split)
    if rng.random() < 0.3:
        name += " " + world.invent(rng)
    colour = rng.choice(lists["colours"])
    count = rng.randint(2, 12) if rng.random() < 0.7 else rng.randint(13, 400)
    day = rng.choice(lists["days"])
    if rng.random() < 0.5:
        form = rng.choice(("{0} {1}", "{1} {0}", "{0} {1}"))
        day = form.format(rng.randint(1, 28), rng.choice(lists["months"]))
    host = world.invent(rng, capital=False)
    user = name.split()[0].lower() + rng.choice(("", "", "_", ".")) + rng.choice(("", "1", "77", host[:3]))
    plain = item["thing"] if not item["kind"] else f"{item['kind']} {item['thing']}"
    order = rng.choice(("", "", "A", "B-", "K", "#", "NR-", "X")) + str(rng.randint(100, 99999))
    text = {
        "name": name,
        "product": item["name"],
        "plain": plain,
        "colour": colour,
        "colour_cap": upper_first(colour),
        "size": rng.choice(SIZES),
        "qty": NUMBERS[count - 2] if count <= 12 and rng.random() < 0.4 else str(count),
        "order": order,
        "price": item["price"],
        "city": world.town(rng),
        "day": day,
        "email": f"{user.rstrip('_.')}@{host}.example",
        "phone": world.phone(rng),
    }
    record = {field: text[field] for field in FIELDS} | {"qty": count}
    return text, record, item["colour"], plain


def _choose(rng, pool, used, want, split):
    """A sentence whose slots are all unused, containing `want` if given; None if none was found."""
    for _ in range(60):
        text = parts.pick(rng, pool, split)
        own = {SAME.get(slot, slot) for slot in _slots(text)}
        if not own & used and not MAIN <= own | used and (want is None or want in own):
            used |= own
            return text
    return None


def make_note(rng, split, strange=0.0):
    """A note and the record it holds: (text, {field: value}) with only the fields the note mentions."""
    lists = parts.load("extract")
    text, record, tint, plain = _values(rng, split, strange)
    used, chosen, third = set(), [], rng.random() < 0.35
    pool = lists["third" if third else "first"]
    count = rng.choice((1, 2, 2, 3, 3, 4))
    last = None
    if not third and rng.random() < 0.35:
        last = parts.pick(rng, lists["last"], split)
        used |= _slots(last)
    wants = ["name"] if third else []
    wants += ["product"] if rng.random() < 0.8 else []
    for step in range(count):
        want = wants.pop(0) if wants else None
        sentence = _choose(rng, pool, used, want if want not in used else None, split)
        if sentence and "plain" not in _slots(sentence) and "product" in _slots(sentence) and tint:
            if "colour" in used:
                text["product"] = plain
            used.add("colour_in_product")
        if sentence and "colour_in_product" in used and _slots(sentence) & {"colour", "colour_cap"}:
            used.discard("colour")
            sentence = None
        if sentence:
            chosen.append(sentence)
    note = " ".join(chosen)
    if "{name}" in note and not third and chosen[0].count("{name}") == 0:
        chosen.sort(key=lambda part: "{name}" not in part)
        note = " ".join(chosen)
    note = (note + ("\n" if rng.random() < 0.5 else " ") + last if last else note).strip()
    record = {field: value for field, value in record.items() if field in used}
    if "product" in record:
        record["product"] = text["product"] if "{product}" in note else plain
    if "colour_in_product" in used and text["product"] != plain:
        record["colour"] = tint
    return upper_first(note.format(**text)), record


def _pick_keys(rng, record):
    """Fields to ask for, mostly ones the note holds, each with the key name used: [(field, key)]."""
    there = [field for field in FIELDS if field in record]
    missing = [field for field in FIELDS if field not in record]
    chosen = rng.sample(there, min(len(there), rng.choice((1, 2, 2, 3, 3, 4, 5))))
    if missing and rng.random() < 0.4:
        chosen += rng.sample(missing, min(len(missing), rng.choice((1, 1, 2))))
    rng.shuffle(chosen)
    names = parts.load("extract")["keys"]
    return [(field, rng.choice(names[field])) for field in chosen]


def _as_json(record, keys):
    return json.dumps({key: record.get(field) for field, key in keys}, ensure_ascii=False)


def _name_keys(rng, keys):
    words = [key for _, key in keys]
    way = rng.random()
    if way < 0.25:
        words = [f'"{word}"' for word in words]
    elif way < 0.33:
        words = [f"`{word}`" for word in words]
    elif way < 0.5:
        words = [word if word == "e_mail" else word.replace("_", " ") for word in words]
    if len(words) == 1:
        return words[0]
    return ", ".join(words) if rng.random() < 0.5 else ", ".join(words[:-1]) + " and " + words[-1]


def _with_note(rng, instruction, note):
    way = rng.random()
    if way < 0.35:
        return f"{instruction}\n\n{note}"
    if way < 0.5:
        return f"{instruction}\n{rng.choice(('Note', 'Message', 'Text', 'Mail'))}: {note}"
    if way < 0.65:
        return f'{instruction}\n"{note}"'
    if way < 0.8:
        mark = rng.choice(("---", "```", '"""', "###"))
        return f"{instruction}\n{mark}\n{note}\n{mark}"
    if way < 0.9:
        return f"{note}\n\n{instruction}"
    return f"{instruction}\n<note>{note}</note>"


def _draw(rng, split):
    """A note put together or a whole message, its record, and the fields not to be asked for in vain."""
    if rng.random() < 0.65:
        return _mails.draw(rng, split)
    note, record = make_note(rng, split, strange=0.6)
    while not record or record.get("email", "") not in note:
        note, record = make_note(rng, split, strange=0.6)
    return note, record, None


def _keys_for(rng, record, doubts):
    return _pick_keys(rng, record) if doubts is None else _mails.pick_keys(rng, record, doubts, FIELDS)


def _page(rng, split):
    """Notes with their record cards as running text."""
    style = rng.random()
    blocks = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        note, record, doubts = _draw(rng, split)
        keys = _keys_for(rng, record, doubts)
        if style < 0.5:
            blocks.append(f"Note: {note}\nRecord: {_as_json(record, keys)}")
        else:
            card = "\n".join(
                f"{upper_first(key.replace('_', ' '))}: {record.get(field) or '-'}" for field, key in keys
            )
            blocks.append(f"{note}\n{card}")
    return "\n\n".join(blocks)


def _instruction(rng, keys, split):
    """An instruction that asks for the keys, in an old or a newer wording."""
    lists = parts.load("extract")
    pool = lists["ask"] if rng.random() < 0.45 else parts.load("extract_mails")["more"]
    named = _mails.name_slots(rng, keys) | {"keys": _name_keys(rng, keys), "noun": rng.choice(lists["nouns"])}
    return parts.pick(rng, pool, split).format(**named)


def _shot(rng, split, keys):
    """A solved example for the keys: a message in which none of them is in doubt."""
    for _ in range(40):
        note, record, doubts = _draw(rng, split)
        if not any(field in (doubts or ()) and field not in record for field, _ in keys):
            return note, record
    return make_note(rng, split)


def generate(rng, split):
    """One extraction example; the reply is one line of JSON."""
    note, record, doubts = _draw(rng, split)
    keys = _keys_for(rng, record, doubts)
    instruction = _instruction(rng, keys, split)
    found = None
    if rng.random() < 0.12:
        other, found = _shot(rng, split, keys)
    if "string" in instruction:
        record, found = ({k: str(v) for k, v in (one or {}).items()} for one in (record, found))
    reply = _as_json(record, keys)
    if found:
        text = f"{instruction}\n\nText: {other}\nJSON: {_as_json(found, keys)}\n\nText: {note}\nJSON:"
        messages = [{"role": "user", "content": text}]
    elif doubts is None and rng.random() < 0.6:
        messages = [{"role": "user", "content": _with_note(rng, instruction, note)}]
    else:
        messages = _mails.prompt(rng, instruction, note)
    messages.append({"role": "assistant", "content": reply})
    return {"skill": SKILL, "messages": messages, "plain": _page(rng, split), "gold": json.loads(reply), "floor": 0.0}


def score(reply, example):
    """The share of keys with the right value; 0 if the reply is not one JSON object."""
    try:
        found = json.loads(reply)
    except ValueError:
        return 0.0
    gold = example["gold"]
    if not isinstance(found, dict):
        return 0.0
    right = sum(key in found and str(found[key]).strip() == str(value) for key, value in gold.items())
    return right / max(len(gold), len(found), 1)

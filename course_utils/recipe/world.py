"""Small invented shops: names, goods, rules, customers and staff. Raw material for several skills."""

import functools

from course_utils.recipe import split as parts
from course_utils.recipe.people import upper_first

TOPICS = ("delivery", "return", "payment", "size", "stock", "complaint", "opening hours", "thanks")
LABELS = ("positive", "negative")


def article(text):
    """The text with "a" or "an" before it."""
    first = text[:1].lower()
    vowel = first in "aeio" or (first == "u" and text[:3].lower() not in ("uku", "use", "uni"))
    return ("an " if vowel or text[:2] in ("8-", "11") else "a ") + text


@functools.lru_cache(maxsize=None)
def goods():
    """Every shop domain with its goods: {domain: ((thing, low, high, kinds, colours, sizes), ...)}."""
    table = {}
    for domain, groups in parts.load("world_goods")["domains"].items():
        rows = []
        for group in groups:
            things, kinds, colours, sizes = (field.strip() for field in group.split(" ; "))
            for entry in things.split(", "):
                thing, prices = entry.rsplit(" ", 1)
                low, high = prices.split("-")
                sized = tuple(size for size in sizes.split(", ") if size != "-")
                rows.append((thing, int(low), int(high), tuple(kinds.split(", ")), colours == "c", sized))
        table[domain] = tuple(rows)
    return table


@functools.lru_cache(maxsize=None)
def _things(domain, split):
    rows = goods()[domain]
    kept = tuple(row for row in rows if parts.held_out(row[0]) == (split == "heldout"))
    return kept if len(kept) > 1 else rows


def invent(rng, capital=True):
    """An invented word of two to four pieces, such as "Brakadel"."""
    word = parts.decent(lambda: _pieces(rng))
    return word if capital else word.lower()


def _pieces(rng):
    lists = parts.load("world_goods")
    word = rng.choice(lists["starts"])
    for _ in range(rng.choice((0, 1, 1, 2))):
        word += rng.choice(lists["middles"])
    if word[-1] not in "aeiouy":
        word += rng.choice("aeiou")
    return word + rng.choice(lists["ends"])


def first_name(rng, split="train"):
    """A first name; one in five is invented."""
    if rng.random() < 0.2:
        return invent(rng)
    return parts.pick(rng, parts.load("world_goods")["names"], split)


def town(rng):
    """An invented town name: a syllable always stands between start and end, so that no real name comes out."""
    lists = parts.load("world_goods")
    pieces = [lists[key] for key in ("starts", "town_middles", "town_ends")]
    return parts.decent(lambda: "".join(rng.choice(piece) for piece in pieces))


def price_text(rng, low, high):
    """An amount of money as text without the currency: whole, or ending in .50, .90, .95."""
    whole = rng.randint(low, high)
    return f"{whole}{rng.choice(('', '', '.50', '.90', '.95', '.00'))}"


def phone(rng):
    """A phone number that nobody has: ranges set aside for stories, in several layouts."""
    layout = rng.choice(parts.load("world_goods")["phones"])
    return "".join(str(rng.randint(0, 9)) if sign == "#" else sign for sign in layout)


CURRENCIES = ("{} euros", "{} dollars", "{} pounds", "€{}", "${}", "£{}", "{} EUR", "{} USD", "{} crowns", "{} won")


def make_item(rng, domain=None, split="train", currency="{} euros", invented=0.06):
    """One article of a shop: name, thing, kind, colour, size (None where it has none) and price."""
    domain = domain or rng.choice(tuple(goods()))
    thing, low, high, kinds, coloured, sizes = rng.choice(_things(domain, split))
    if rng.random() < invented:
        thing = invent(rng, capital=False)
    kind = rng.choice(kinds) if rng.random() < 0.55 else None
    colour = rng.choice(parts.load("world_goods")["colours"]) if coloured and rng.random() < 0.6 else None
    size = rng.choice(sizes) if sizes and rng.random() < 0.35 else None
    name = " ".join(word for word in (colour, kind, thing) if word)
    price, stock = currency.format(price_text(rng, low, high)), rng.randint(1, 40)
    return dict(name=name, thing=thing, kind=kind, colour=colour, size=size, price=price, stock=stock)


def _span(rng, low, high, unit):
    first = rng.randint(low, high)
    if rng.random() < 0.5:
        return f"{first} to {first + rng.randint(1, 4)} {unit}s"
    return f"{first} {unit}{'s' if first > 1 else ''}"


def clock(rng, low, high):
    """A time of day, such as "9:30" or "4 pm"."""
    hour = rng.randint(low, high)
    minute = rng.choice(("00", "00", "15", "30", "30", "45"))
    if rng.random() < 0.6:
        return f"{hour}:{minute}"
    half = hour if hour <= 12 else hour - 12
    return f"{half}{'' if minute == '00' else ':' + minute} {'am' if hour < 12 else 'pm'}"


def make_rules(rng, name, staff, currency):
    """The rules and facts of one shop as short texts, one for each topic of world_facts.yaml."""
    lists = parts.load("world_goods")
    day = rng.choice
    owner = f"{rng.choice(staff)} {invent(rng)}"
    word = name.split()[0].lower()
    unit = day(("day", "day", "working day", "week"))
    return {
        "shop": name,
        "delivery": _span(rng, 1, 9, unit),
        "fee": currency.format(price_text(rng, 2, 14)),
        "free": currency.format(rng.randrange(20, 205, 5)),
        "returns": day((f"{rng.randint(7, 100)} days", f"{rng.randint(2, 12)} weeks", f"{rng.randint(2, 6)} months")),
        "opens": clock(rng, 7, 11),
        "closes": clock(rng, 15, 21),
        "closed": day(lists["days"]),
        "wrap": currency.format(price_text(rng, 1, 8)),
        "payment": day(lists["payments"]),
        "warranty": day((f"{rng.randint(2, 10)} years", f"{rng.randint(6, 60)} months", "one year")),
        "address": f"{rng.randint(1, 190)} {day(lists['streets'])}",
        "owner": owner,
        "helper": rng.choice(staff[1:]),
        "phone": phone(rng),
        "email": f"{day(('info', 'hello', 'shop', 'mail', 'help', 'service'))}@{word}.example",
        "founded": str(rng.randint(1850, 2022)),
        "repair": _span(rng, 2, 9, day(("day", "week"))),
        "voucher": day((f"{rng.randint(2, 10)} years", f"{rng.randint(6, 36)} months")),
        "discount": f"{rng.randint(3, 30)} percent" if rng.random() < 0.6 else f"{rng.randint(3, 30)}%",
        "parking": day(lists["places"]),
        "pickup": day((f"{rng.randint(2, 48)} hours", f"{rng.randint(2, 6)} days")),
        "sale": day(lists["months"]),
    }


def make_shop(rng, split="train", size=None):
    """An invented shop: name, domain, city, items, staff, rules.

    `rules` maps each topic of world_facts.yaml to its value; names and goods come from the half of `split`.
    """
    lists = parts.load("world_goods")
    domain = rng.choice(tuple(lists["domains"]))
    first = invent(rng)
    name = first if rng.random() < 0.5 else f"{first} {rng.choice(lists['shop_ends'])}"
    currency = rng.choice(CURRENCIES)
    items = []
    for _ in range(size or rng.randint(4, 8)):
        item = make_item(rng, domain, split, currency)
        if not any(item["name"].endswith(o["name"]) or o["name"].endswith(item["name"]) for o in items):
            items.append(item)
    staff = []
    while len(staff) < 3:
        person = first_name(rng, split)
        if person not in staff:
            staff.append(person)
    shop = dict(name=name, domain=domain, city=town(rng), currency=currency, items=items, staff=staff)
    return shop | {"rules": make_rules(rng, name, staff, currency)}


def slots(rng, shop, item=None):
    """Values for the slots of the review, request and staff texts."""
    lists, words = parts.load("world_goods"), parts.load("world_reviews")
    item = item or rng.choice(shop["items"])
    colour = rng.choice(lists["colours"])
    values = {
        word: rng.choice(words[word])
        for word in ("good", "bad", "fine", "foul", "good_word", "bad_word", "feel_good", "feel_bad")
    }
    values.update(
        shop=shop["name"],
        city=shop["city"],
        name=rng.choice(shop["staff"]),
        item=item["name"],
        thing=item["thing"],
        a_item=article(item["name"]),
        a_thing=article(item["thing"]),
        colour=colour,
        a_colour=article(colour),
        day=rng.choice(lists["days"]),
        month=rng.choice(lists["months"]),
        price=item["price"],
        order=f"{rng.choice(('', '', '#', 'A', 'B-'))}{rng.randint(100, 99999)}",
        good_cap=upper_first(values["good"]),
        bad_cap=upper_first(values["bad"]),
    )
    return values


def make_review(rng, shop, label, split="train", pieces=None):
    """A customer's review, `label` "positive" or "negative"; held-out draws use held-out sentences."""
    lists = parts.load("world_reviews")
    values = slots(rng, shop)
    chosen = []
    for _ in range(pieces or rng.choice((1, 1, 2))):
        piece = parts.pick(rng, lists[label], split)
        if piece not in chosen:
            chosen.append(piece)
    if len(chosen) == 1 and rng.random() < 0.12:
        chosen.insert(0, parts.pick(rng, lists["neutral"], split))
    return " ".join(piece.format(**values) for piece in chosen)


def make_request(rng, shop, topic, split="train", item=None):
    """A customer's message about one of TOPICS."""
    text = parts.pick(rng, parts.load("world_requests")[topic], split)
    return text.format(**slots(rng, shop, item))


def make_reply(rng, shop, tone, item=None, name=None, split="train"):
    """A short staff reply, `tone` "polite" or "rude"; `name` is the customer's name."""
    values = slots(rng, shop, item)
    values["name"] = name or first_name(rng, split)
    return parts.pick(rng, parts.load("world_staff")[tone], split).format(**values)


def catalogue_line(rng, item, style=None):
    """One line of a catalogue; pass the same `style` (an index) to keep a list uniform."""
    styles = parts.load("world_staff")["catalogue"]
    form = styles[style % len(styles)] if style is not None else rng.choice(styles)
    return upper_first(form.format(item=item["name"], price=item["price"], stock=item["stock"]))


def fact_sentence(rng, shop, topic, split="train"):
    """One sentence of the handbook about a topic of the shop's rules."""
    texts = parts.pick(rng, parts.load("world_facts")[topic]["say"], split)
    return upper_first(texts.format(**shop["rules"]))


def handbook(rng, shop, topics, split="train"):
    """A paragraph of handbook sentences, one for each topic given."""
    return " ".join(fact_sentence(rng, shop, topic, split) for topic in topics)

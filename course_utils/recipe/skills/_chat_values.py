"""Values of what users tell about themselves and others: strange names, numbers, times, dates, codes, places."""

from course_utils.recipe import split as parts
from course_utils.recipe import strange, world
from course_utils.recipe.people import a, made_up, person


def _two(rng):
    return strange.with_capitals(strange.two_words(rng)).split()


def _made(rng):
    return rng.choice((world.invent, made_up))(rng)


def fullname(rng, split):
    """A name of two words, such as "Nora Brakadel" or "Mrs Belori"."""
    first, last = person(rng, split), _made(rng)
    forms = (f"{first} {last}", f"{title(rng)} {last}", f"{_made(rng)} {last}", f"{first} {_two(rng)[1]}")
    return rng.choice((forms[0], *forms))


def title(rng):
    """A form of address."""
    return rng.choice(("Mr", "Mrs", "Ms", "Dr"))


def date(rng):
    """A date of a year, such as "14 March" or "the 3rd of May"."""
    day, month = rng.randint(1, 28), rng.choice(parts.load("talk")["months"])
    nth = f"{day}{'th' if 3 < day < 21 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"
    return rng.choice((f"{day} {month}", f"{month} {day}", f"the {nth} of {month}", f"{month} {nth}"))


def when(rng):
    """A day and an hour, such as "Tuesday at 9:30"."""
    day = rng.choice(parts.load("talk")["days"]) if rng.random() < 0.6 else date(rng)
    return f"{day} at {world.clock(rng, 7, 18)}"


def code(rng):
    """A number with or without letters, such as "QT-4815" or "7B22"."""
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randint(1, 3)))
    few, many = rng.randint(10, 999), rng.randint(1000, 999999)
    last = rng.randint(10, 99)
    forms = (f"{letters}-{many}", f"{few}{letters}{last}", f"{letters} {few}", f"{letters}{many}")
    return rng.choice((*forms, f"{letters} {few} {last}", str(many), f"{few}-{many}"))


def seat(rng):
    """A seat or a parking space, such as "14C", "B 17" or "203"."""
    letter, number = rng.choice("ABCDEFGHJK"), rng.randint(1, 60)
    return rng.choice((f"{number}{letter}", f"{letter} {number}", f"{letter}{number}", str(rng.randint(2, 640))))


def book(rng):
    """The title of a book that nobody has written."""
    first, last = _two(rng)
    other = _two(rng)[1]
    name = _made(rng)
    forms = (f"The {last} of {name}", f"The {first} {last}", f"A Year without {name}", name, f"{name} and the {last}")
    more = (f"{last} under the {other}", f"My {first} {last}", f"{rng.randint(2, 90)} Letters to {name}")
    return rng.choice((*forms, *more))


def street(rng):
    """An address such as "14 Brakadel Lane"."""
    name = rng.choice((_made(rng), _two(rng)[1], " ".join(_two(rng))))
    number = f"{rng.randint(1, 240)}{rng.choice(('', '', '', 'a', 'b'))}"
    return f"{number} {name} {rng.choice(parts.load('chat_more')['street_ends'])}"


def email(rng, split):
    """A mail address at a place that does not exist."""
    name = person(rng, split).lower()
    name = rng.choice((name, f"{name}.{_made(rng).lower()}", f"{name}{rng.randint(2, 99)}", _made(rng).lower()))
    return f"{name}@{_made(rng).lower()}.example"


def password(rng):
    """A password such as "walnut-17" or "braka9delo"."""
    word, other = rng.choice((_made(rng), _two(rng)[1])).lower(), _two(rng)[1].lower()
    forms = (f"{word}-{rng.randint(2, 99)}", f"{word}{rng.randint(2, 9999)}", f"{word}-{other}")
    return rng.choice((*forms, f"{word}_{other}{rng.randint(1, 9)}"))


def money(rng):
    """An amount such as "$80" or "1,200 crowns"."""
    amount = rng.choice((rng.randint(5, 99), rng.randrange(20, 500, 5), rng.randrange(100, 3000, 50)))
    return rng.choice(world.CURRENCIES).format(f"{amount:,}" if rng.random() < 0.7 else amount)


def weight(rng):
    """A weight such as "4.5 kilos"."""
    kilos = rng.choice((rng.randint(2, 29), f"{rng.randint(1, 29)}.{rng.randint(1, 9)}"))
    return rng.choice((f"{kilos} kilos", f"{kilos} kg", f"{kilos} kilograms", f"{rng.randint(150, 990)} grams"))


def _listed(rng, kind):
    """A value of a list; colours come from both files, wishes get their article."""
    lists = parts.load("chat_more")
    if kind == "ordinal":
        return rng.choice(lists["ordinals"])
    if kind == "colours":
        return rng.choice(lists["colours"] + parts.load("talk")["colours"])
    return a(rng.choice(lists[kind])) if kind == "wishes" else rng.choice(lists[kind])


DRAWN = dict(strange=strange.name, when=when, date=date, code=code, seat=seat, title=book, street=street)
DRAWN |= dict(password=password, money=money, weight=weight, word=_made)
HOURS = {"clock": (5, 22), "early": (4, 9)}


def value(rng, split, kind):
    """One value of a kind of chat_more.yaml, such as "strange", "code" or "30-49"."""
    if kind in DRAWN:
        return DRAWN[kind](rng)
    if kind in HOURS:
        return world.clock(rng, *HOURS[kind])
    if kind == "years":
        return str(rng.randint(2, 30))
    if kind[0].isdigit():
        return str(rng.randint(*map(int, kind.split("-"))))
    if kind == "day":
        return rng.choice(parts.load("talk")["days"])
    if kind == "teacher":
        return f"{title(rng)} {_made(rng)}" if rng.random() < 0.7 else fullname(rng, split)
    if kind == "name":
        return person(rng, split) if rng.random() < 0.5 else _made(rng)
    if kind in ("fullname", "email"):
        return (fullname if kind == "fullname" else email)(rng, split)
    return _listed(rng, kind)


def somebody(rng, split):
    """Another person as (told, asked for, named in the reply), such as "my aunt Belori", "my aunt" and "your aunt"."""
    name = person(rng, split) if rng.random() < 0.4 else _made(rng)
    kind, relation = rng.random(), rng.choice(parts.load("chat_more")["relations"])
    if kind < 0.35:
        return name, name, name
    if kind < 0.45:
        name = f"{title(rng)} {name}"
        return name, name, name
    if kind < 0.7:
        return f"my {relation}", f"my {relation}", f"your {relation}"
    name = _made(rng)
    told = f"my {relation} {name}"
    return (told, name, name) if rng.random() < 0.5 else (told, f"my {relation}", f"your {relation}")

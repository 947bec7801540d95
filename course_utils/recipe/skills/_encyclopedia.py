"""A small made-up encyclopedia: people, places and works, linked by facts, each an entry of a few sentences."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe.people import a, upper_first

DETAIL = re.compile(r"\[[^]]*\]")
VOWELS = "aeiou"


def texts(name):
    """One of the lists of react.yaml."""
    return parts.load("react")[name]


def facts_of(entry):
    """The facts that entries of this kind can have, with their wordings."""
    return texts("kinds")[entry["kind"]]["facts"]


def coin(rng, split):
    """A made-up word; those of held-out draws begin like none in training."""
    return parts.decent(lambda: _pieces(rng, split))


def _pieces(rng, split):
    goods = parts.load("world_goods")
    word = parts.pick(rng, goods["starts"], split) + "".join(rng.choices(goods["middles"], k=rng.choice((1, 1, 2))))
    return word + rng.choice(goods["ends"])


def make_entry(rng, split, kind=None, base=None):
    """An entry without facts yet: kind, noun, title, name, pronoun, and the year around which its dates lie."""
    kind = kind or rng.choice(tuple(texts("kinds")))
    data, goods = texts("kinds")[kind], parts.load("world_goods")
    entry = {"kind": kind, "noun": rng.choice(data["nouns"]), "values": {}, "pronoun": "It"}
    entry["base"] = base or rng.randint(1780, 1930)
    if kind == "person":
        she = rng.random() < 0.5
        entry["pronoun"] = "She" if she else "He"
        entry["title"] = f"{parts.pick(rng, parts.load('names')['f' if she else 'm'], split)} {coin(rng, split)}"
    elif kind == "town":
        middle, end = rng.choice(goods["middles"]), rng.choice(goods["town_ends"])
        entry["title"] = parts.pick(rng, goods["starts"], split) + middle + end
    else:
        words = {"w": coin(rng, split), "d": parts.pick(rng, texts("d"), split), "n": entry["noun"].title()}
        words |= {"o": parts.pick(rng, texts("o"), split), "o2": rng.choice(texts("o"))}
        words["o2"] = "Moon" if words["o2"] == words["o"] else words["o2"]
        entry["title"] = rng.choice(data["title"]).format(**words)
    entry["name"] = rng.choice(data["mention"]).format(t=entry["title"], noun=entry["noun"])
    return entry


def value(rng, split, entry, key, fresh=False):
    """The value of a fact: a text, or an entry where it is linked; drawn once, or a new one if `fresh`."""
    if key in entry["values"] and not fresh:
        return entry["values"][key]
    form, *rest = facts_of(entry)[key]["type"].split(maxsplit=3)
    if form == "year":
        found = str(entry["base"] + rng.randint(int(rest[0]), int(rest[1])))
    elif form == "count":
        found = f"{rng.randint(int(rest[0]), int(rest[1]))} {rest[2]}"
    elif form == "list":
        found = rng.choice(texts(rest[0]))
    else:
        found = coin(rng, split) if form == "word" else make_entry(rng, split, form, entry["base"])
    if not fresh:
        entry["values"][key] = found
    return found


def text_of(found):
    """A value as text: the title of a linked entry."""
    return found if isinstance(found, str) else found["title"]


def tell(rng, entry, key, found, name=None):
    """A sentence that tells a fact with the full name of the entry (or another name for it)."""
    says = [say for say in facts_of(entry)[key]["say"] if "Its " not in say]
    say = DETAIL.sub("", rng.choice(says))
    return upper_first(say.format(x=name or entry["name"], v=text_of(found)))


def write(rng, split, entry, key=None, place="start"):
    """An entry's sentences, and how many of them a search shows.

    The fact `key` stands at the "start" (shown), "later" (a lookup finds it) or "nowhere".
    """
    facts, opens = facts_of(entry), texts("kinds")[entry["kind"]]["open"]
    if place != "start":
        opens = [text for text in opens if f"{{{key}}}" not in text and facts[key]["word"] not in text.lower()]
    opening = rng.choice(opens)
    told = [other for other in facts if f"{{{other}}}" in opening]
    values = {other: text_of(value(rng, split, entry, other)) for other in told}
    name = entry["name"] if entry["name"] == f"the {entry['title']}" else entry["title"]
    lines = [upper_first(opening.format(x=name, noun=entry["noun"], a_noun=a(entry["noun"]), **values))]
    word = facts[key]["word"] if key else ""
    rest = [other for other in facts if other not in told and other != key and facts[other]["word"] != word]
    rest = rng.sample(rest, min(len(rest), rng.choice((1, 2, 2))))
    asked = [key] if key and key not in told and place != "nowhere" else []
    cut = rng.choice((0, 1)) if place != "start" and len(rest) > 1 else 0
    shown = 1 + cut if place != "start" else 2 if asked else rng.choice((1, 2))
    short = rng.choice((entry["pronoun"], f"The {entry['noun']}"))
    for other in rest[:cut] + (asked + rest[cut:] if place == "start" or rng.random() < 0.6 else rest[cut:] + asked):
        found, says = text_of(value(rng, split, entry, other)), facts[other]["say"]
        if other == key and place == "later":
            says = [say for say in says if word in say.format(x="", v=found).lower()]
        say = rng.choice(says).replace("[", "").replace("]", "")
        lines.append(upper_first(say.format(x=short if say.startswith("{x}") else entry["name"], v=found)))
    return lines, min(shown, len(lines))


def _respell(rng, title):
    """The title with one vowel changed, in its longest word."""
    word = max(title.split(), key=len)
    spots = [i for i, letter in enumerate(word) if i > 1 and letter in VOWELS] or [len(word) - 1]
    spot = rng.choice(spots)
    return title.replace(word, word[:spot] + rng.choice(VOWELS.replace(word[spot], "")) + word[spot + 1 :])


def not_found(rng, split, entry, fits):
    """The titles a failed search names, and the right one among them (None where none fits)."""
    others = [make_entry(rng, split, entry["kind"]), make_entry(rng, split), make_entry(rng, split)]
    titles, right = [other["title"] for other in others], None
    if fits:
        way = rng.random()
        if entry["kind"] == "person" and way < 0.6:
            right = entry["title"].replace(" ", f" {rng.choice('ABCDEFGHJKLM')}. ", 1)
        elif entry["kind"] != "person" and way < 0.6:
            right = f"{entry['title']} ({entry['noun']})"
            titles[1] = f"{entry['title']} ({others[1]['noun']})" if others[1]["kind"] != entry["kind"] else titles[1]
        else:
            right = _respell(rng, entry["title"])
        titles[0] = right
    rng.shuffle(titles)
    return titles, right


def make_path(rng, split):
    """Entries linked by facts: [(entry, key), ...]; the last fact is the one asked for."""
    entry, path = make_entry(rng, split), []
    for left in range(rng.choice((0, 0, 0, 0, 1, 1, 1, 1, 2)), -1, -1):
        facts = facts_of(entry)
        keys = [key for key in facts if not left or facts[key]["type"] in texts("kinds")]
        path.append((entry, rng.choice(keys)))
        entry = value(rng, split, *path[-1])
    return path

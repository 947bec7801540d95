"""The sentences of composed stories: wordings drawn independently, joined, with pronouns and omitted nouns."""

import functools
import re

from course_utils.recipe import problems, split

VERB = re.compile(r"\[([^\]]+)\]")
TIMED = re.compile(r"^(for|from|to|of|every) |(school|lunch|dinner|breakfast|evening|break|bed|days|round)$")
PERSONS = re.compile(r"\{(p|q|o|oq|o2)(?:\.\w+)?\}")
MONEY = ("money", "shopping")
ASKS = {"end2": "end", "start": "start", "change": "change", "end": "end", "total": "total", "diff": "diff"}


def _wordings(block):
    found = [text for line in block.strip().split("\n") if line for text in split.wordings(line)]
    return tuple(re.sub(r" +", " ", text).replace(" .", ".").strip() for text in found)


@functools.lru_cache(maxsize=None)
def lines(base, key):
    """The wordings of one key, of a base or (with base "") of all stories."""
    data = split.load("stories")
    return _wordings(data["bases"][base].get(key, "") if base else data[key])


@functools.lru_cache(maxsize=None)
def _own(domain, key):
    return _wordings(split.load("stories")["own"].get(domain, {}).get(key, ""))


@functools.lru_cache(maxsize=None)
def _naming(items):
    """Those items that name their holder."""
    return tuple(item for item in items if "{p" in item) or items


@functools.lru_cache(maxsize=None)
def _domains():
    return tuple({"name": name, **domain} for name, domain in split.load("stories")["domains"].items())


def draw_domain(rng):
    """One domain: which things the story is about and whose sentences it uses."""
    return rng.choices(_domains(), [domain.get("weight", 1) for domain in _domains()])[0]


def draw_scale(rng, domain):
    """1 for whole numbers, 10 or more for decimals."""
    if rng.random() < 0.35:
        return 1
    return {"tank": rng.choice((10, 10, 10, 100)), "length": 10, "way": 10}.get(
        domain["base"], rng.choice((2, 4, 10, 20, 100, 1)) if domain["base"] in MONEY else 1
    )


@functools.lru_cache(maxsize=None)
def can_tell(base, structure):
    """True where the base has sentences for every part of the structure."""
    start, second, events, asked = structure
    keys = {"told": "start"}.get(start, start), *(event.rstrip("2?") for event in events)
    asks = ("told",) if asked == "change" else ("ask_" + ASKS[asked],) if asked in ASKS else (asked,)
    if asked == "start":
        asks += ("told",)
    return all(lines(base, key) for key in (*keys, *asks, *([second] if second else [])))


def conjugate(text, tense):
    """Put the verbs in brackets into a tense: 0 past, 1 present; after a plural noun the plural form."""

    def put(match):
        forms = match[1].split("/")
        if len(forms) == 1:
            verb = forms[0]
            stem = verb[:-1] + "i" if verb.endswith("y") and verb[-2] not in "aeou" else verb
            forms = stem + ("d" if verb.endswith("e") else "ed"), stem + ("es" if stem != verb else "s"), verb
            if verb.endswith(("s", "sh", "ch")):
                forms = verb + "ed", verb + "es", verb
        before = text[: match.start()]
        plural = before.endswith(("{x} ", "{N} ", "{x1} ", "{y} ")) and not re.search(r"(number|one) of .*$", before)
        if plural and tense == 1:
            return "are" if forms[2] == "be" else forms[2]
        return forms[tense]

    return VERB.sub(put, text)


def _person(forms, rng):
    """The forms of a person: of the name, and of the pronoun in its place."""
    if forms["he"] == "they":
        forms = forms | problems.PRONOUNS[rng.choice("fm")]
    name = forms[""]
    forms = {key: forms[key] for key in ("he", "him", "his")}
    named = {"": name, "o": name, "s": name + "'s", **forms}
    return named, {"": forms["he"], "o": forms["him"], "s": forms["his"], **forms}


class Teller:
    """Draws the sentences of one world and puts them in order."""

    def __init__(self, rng, part, domain, world):
        self.rng, self.part, self.domain, self.base, self.world = rng, part, domain, domain["base"], world
        self.tense = int(rng.random() < 0.35)
        self.pronouns, self.names, self.texts = {}, {}, []
        self.extra, self.last, self.unknown = {}, "", ""
        self.personal = self.base not in ("place", "tank")
        self.two, self.used = bool(world.second), []
        self._draw_slots()

    def pick(self, items):
        """One wording of this part."""
        return split.pick(self.rng, items, self.part)

    def _draw_slots(self):
        rng, used = self.rng, set()
        for slot in ("p", "q", "o2"):
            forms = problems.draw_word(rng, "person", self.part)
            while forms[""] in used:
                forms = problems.draw_word(rng, "person", self.part)
            used.add(forms[""])
            self.names[slot], self.pronouns[slot] = _person(forms, rng)
        if not self.personal:
            spots = rng.sample(self.domain["spots"].split(", "), 2)
            for slot, spot in zip("pq", spots):
                self.names[slot] = {"": spot.split(" ", 1)[1], "in": spot, "In": spot}
        for slot, owner in (("o", "p"), ("oq", "q")):
            relation = split.pick(rng, split.load("lexicon")["relation"], self.part)
            self.names[slot] = self._other(owner, relation)
        data = split.load("stories")
        self.names["c"] = dict(zip(("one", ""), rng.choice(data["packs"].split()).split("|")))
        self.names["day"] = {"": rng.choice(split.load("lexicon")["weekday"])}
        self._draw_things()

    def _other(self, owner, relation):
        if not self.personal or self.rng.random() < 0.3:
            return {"": "a friend", "s": "a friend's"}
        whose = f"{self.names[owner]['his']} {relation}"
        return {"": whose, "s": whose + "'s"}

    def _draw_things(self):
        rng, domain = self.rng, self.domain
        word = self._word()
        other = self._word()
        while other == word:
            other = problems.draw_word(rng, "thing", self.part)[""]
        unit = word
        if "units" in domain:
            unit = rng.choice(domain["units"].split())
            self.names["w"] = {"": word}
            word = f"{unit} of {word}"
        elif self.base in MONEY:
            word = unit = "dollars"
        if self.base in ("money", "shopping", "points", "way", "pages"):
            other = problems.draw_word(rng, "thing", self.part)[""]
        if domain.get("color"):
            red, blue = rng.sample(split.load("stories")["colors"].split(), 2)
            self.names["x1"], self.names["x2"] = {"": f"{red} {word}"}, {"": f"{blue} {word}"}
            if rng.random() < 0.12 and self.world.start != "parts":
                word, unit, other = f"{red} {word}", f"{red} {word}", f"{blue} {word}"
        self.names |= {"x": {"": word}, "u": {"": unit}, "y": {"": other}}

    def _word(self):
        if "words" in self.domain:
            return problems.draw_word(self.rng, self.rng.choice(self.domain["words"].split()), self.part)[""]
        return self.rng.choice(self.domain.get("list", "dollars").split())

    # --- the parts of the text

    def clause(self, beat, tense=None, unknown=False):
        """An event as a clause without a full stop, such as "{p} found {n0} more {x}"."""
        kind, holder, names = beat
        key = kind.rstrip("2?")
        own = _own(self.domain["name"], key)
        alone = key in self.domain.get("alone", "").split()
        items = own if own and (alone or self.rng.random() < 0.65) else lines(self.base, key)
        if unknown:
            items = tuple(item for item in (own if alone else lines(self.base, key) + own) if _askable(item, self.base))
        if self.two or not self.texts:
            items = _naming(own if alone else lines(self.base, key) + own)
        text = self.pick(items)
        for _ in range(3):
            if text in self.used:
                text = self.pick(items)
        self.used.append(text)
        self.last = text
        text = conjugate(text, self.tense if tense is None else tense)
        noun = "some {w}" if self.base == "tank" else "some money" if self.base in MONEY else "some {x}"
        text = text.replace("{N}", noun if unknown else self._noun(key))
        return self._bind(text, holder, names)

    def _noun(self, key):
        family = {"shopping": "money", "pages": "way"}.get(self.base, self.base)
        family = family if family in ("place", "tank", "money", "way") else "person"
        family = "length" if "units" in self.domain and family == "person" else family
        nouns = split.load("stories")["nouns"][family]
        way = "lose" if key in ("lose", "transfer") else "gain"
        short = bool(self.texts) and self.rng.random() < 0.5 and not (self.two and way == "lose")
        options = [noun.strip() for noun in nouns[way + ("_short" if short else "")].split(",")]
        return self.rng.choice(options)

    def _bind(self, text, holder, names):
        if holder == "q":
            text = re.sub(r"\{([pq])(?=[.}])", lambda m: "{" + ("q" if m[1] == "p" else "p"), text)
            text = re.sub(r"\{o(?=[.}])", "{oq", text)
        if names:
            text = text.replace("{n}", "{" + names[0] + "}").replace("{m}", "{" + names[-1] + "}")
        return text

    def sentence(self, key, holder="p", names=(), base=None):
        """A whole sentence of one key."""
        text = conjugate(self.pick(lines(self.base if base is None else base, key)), self.tense)
        return self._bind(text, holder, names)

    def framed(self, clause):
        """An event's clause as a sentence: with a time before or after it, or plain."""
        if not self.texts or self.rng.random() < 0.5 or TIMED.search(clause):
            return clause + "."
        return conjugate(self.pick(lines("", "frames")), self.tense).replace("{C}", clause)

    def add(self, text):
        """Put a sentence into the text."""
        self.texts.append(text)


def _askable(item, base):
    found = re.match(r"(\{p\}|\{o2\}|\{N\}) \[([^\]]+)\] ?(\{o\} )?(\{N\})?(.*)$", item)
    if not found or " and " in item or "{q}" in item:
        return False
    if found[1] == "{N}":
        return base == "place" or (base == "person" and found[2].startswith("were/"))
    return bool(found[4]) and "[" not in found[5] and not found[2].endswith("/be")


def asked_change(item):
    """The question for an event's number: "how many {x} did {p} give to {o}"."""
    found = re.match(r"(\{p\}|\{o2\}|\{N\}) \[([^\]]+)\](.*)$", item)
    forms = found[2].split("/")
    if found[1] == "{N}":
        return conjugate("{H} [" + found[2] + "]" + found[3], 0)
    return f"{{H}} did {found[1]} {forms[-1]}{found[3].replace(' {N}', '')}"

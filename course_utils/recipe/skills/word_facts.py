"""Short word knowledge: groups, opposites, uses, two meanings, themes, spelling, true and false claims.

Nobody can guess a fact of a word, so training and held-out questions share the facts, and plain pages state
them again and again; what is set aside is the wording of the questions.
"""

import re

from course_utils.recipe import split as parts
from course_utils.recipe.people import a, upper_first

SKILL = "word_facts"
NO_ARTICLE = ("drink", "colour", "metal", "season", "month", "day")
COUNTS = {
    "category": 12,
    "opposite": 14,
    "use": 10,
    "tool": 8,
    "odd": 12,
    "backwards": 10,
    "spell": 8,
    "sense": 14,
    "both": 4,
    "claim": 12,
    "theme": 10,
    "which_theme": 8,
}


def _noun(word, group=""):
    return word if group in NO_ARTICLE else a(word)


def _ask(rng, split, kind, **slots):
    text = parts.pick(rng, parts.load("words")["asks"][kind], split)
    for slot, value in slots.items():
        text = text.replace(f"{{{slot}}}", value)
    return upper_first(text)


def _member(rng):
    groups = parts.load("words")["categories"]
    group = rng.choice(tuple(groups))
    return group, rng.choice(groups[group])


def _opposites(rng):
    pair = rng.choice(tuple(parts.load("words")["opposites"].items()))
    return pair if rng.random() < 0.6 else pair[::-1]


def _opposite_of(word):
    """All opposites of a word: "light" has two."""
    pairs = parts.load("words")["opposites"].items()
    return [right for left, right in pairs if left == word] + [left for left, right in pairs if right == word]


def _series(rng, words):
    return ", ".join(words) if rng.random() < 0.7 else ", ".join(words[:-1]) + " and " + words[-1]


def _odd(rng):
    """Three words of one group and one of another, and the sentence that names it."""
    groups = parts.load("words")["categories"]
    group, other = rng.sample(tuple(groups), 2)
    words = rng.sample(groups[group], min(len(groups[group]), rng.choice((3, 3, 4))))
    stranger = rng.choice([word for word in groups[other] if word not in groups[group]])
    mixed = [*words, stranger]
    rng.shuffle(mixed)
    return mixed, f"{upper_first(stranger)}. The other words are {_plural(group)}."


def _plural(group):
    if group == "fish":
        return group
    if group.startswith("piece of"):
        return group.replace("piece", "pieces", 1)
    return group + "s"


def _claim(rng):
    """A sentence and whether it is true."""
    data, true = parts.load("words"), rng.random() < 0.5
    kind = rng.randrange(4)
    if kind == 0:
        group, word = _member(rng)
        wrong = [name for name, members in data["categories"].items() if word not in members]
        return upper_first(f"{_noun(word, group)} is {a(group if true else rng.choice(wrong))}."), true
    if kind == 1:
        left, right = _opposites(rng)
        others = [word for word in data["opposites"].values() if word not in _opposite_of(left) and word != left]
        return upper_first(f"{left} is the opposite of {right if true else rng.choice(others)}."), true
    if kind == 2:
        tool, use = rng.choice(tuple(data["uses"].items()))
        other = rng.choice([text for text in data["uses"].values() if text.split()[0] != use.split()[0]])
        return upper_first(f"{a(tool)} is used to {use if true else other}."), true
    word = rng.choice(data["spell_words"])
    letter = rng.choice(word) if true else rng.choice([sign for sign in "abcdefghijklmnoprstuvw" if sign not in word])
    return f"There is the letter {letter.upper()} in the word {word}.", true


def _with_theme(rng, split, kind):
    themes = parts.load("words")["themes"]
    name = rng.choice(tuple(themes))
    words = rng.sample(themes[name]["w"], 3)
    if kind == "theme":
        reply = upper_first(f"{words[0]}, {words[1]} and {words[2]}.")
        return _ask(rng, split, kind, t=name), reply, {"any": list(themes[name]["w"])}
    shared = [other for other in themes if all(word in themes[other]["w"] for word in words)]
    answer = f"The theme is {name}."
    return (_ask(rng, split, kind, l=_series(rng, words)), answer, [f"The theme is {other}." for other in shared])


def _spelling(rng, split, kind):
    word = rng.choice(parts.load("words")["spell_words"])
    letters = word[::-1] if kind == "backwards" else word
    reply = "-".join(letters)
    return _ask(rng, split, kind, x=word), reply, [reply]


def _homonym(rng, split, kind):
    data = parts.load("words")["homonyms"]
    word = rng.choice(tuple(data))
    senses = data[word]
    if kind == "both":
        reply = f"{upper_first(word)} means {senses[0][0]}, or {senses[1][0]}."
        return _ask(rng, split, kind, x=word), reply, [reply]
    meaning, sentences = rng.choice(senses)
    reply = f"Here {word} means {meaning}."
    return _ask(rng, split, kind, x=word, s=rng.choice(sentences)), reply, [reply]


def _draw(rng, split):
    """Draw (question, reply, gold); see `generate` for gold."""
    data = parts.load("words")
    kind = rng.choices(tuple(COUNTS), tuple(COUNTS.values()))[0]
    if kind in ("theme", "which_theme"):
        return _with_theme(rng, split, kind)
    if kind in ("backwards", "spell"):
        return _spelling(rng, split, kind)
    if kind in ("sense", "both"):
        return _homonym(rng, split, kind)
    if kind == "category":
        group, word = _member(rng)
        groups = [name for name, members in data["categories"].items() if word in members]
        answers = [upper_first(f"{_noun(word, name)} is {a(name)}.") for name in groups]
        question = _ask(rng, split, kind, a=_noun(word, group), x=word)
        return question, upper_first(f"{_noun(word, group)} is {a(group)}."), answers
    if kind == "opposite":
        left, right = _opposites(rng)
        answers = [f"The opposite of {left} is {other}." for other in _opposite_of(left)]
        return _ask(rng, split, kind, x=left), f"The opposite of {left} is {right}.", answers
    if kind in ("use", "tool"):
        tool, use = rng.choice(tuple(data["uses"].items()))
        if kind == "tool":
            reply = f"{upper_first(a(tool))}."
            return _ask(rng, split, kind, y=use.replace("your", "my")), reply, [reply]
        reply = f"You use {a(tool)} to {use}."
        return _ask(rng, split, kind, a=a(tool)), reply, [reply]
    if kind == "odd":
        mixed, reply = _odd(rng)
        return _ask(rng, split, kind, l=", ".join(mixed)), reply, [reply]
    sentence, true = _claim(rng)
    reply = "True." if true else "False."
    return _ask(rng, split, kind, s=sentence), reply, [reply]


def _theme_page(rng):
    """Sentences of one theme, in which words that belong together stand together."""
    data = parts.load("words")
    name = rng.choice(tuple(data["themes"]))
    theme, lines = data["themes"][name], []
    for text in rng.sample(theme["s"], rng.randint(1, 4)) + rng.sample(data["generic"], rng.randint(1, 3)):
        words = iter(rng.sample(theme["w"], 3))
        text = text.replace("{At}", upper_first(theme["at"])).replace("{at}", theme["at"]).replace("{t}", name)
        lines.append(
            re.sub(r"\{([wW])\}", lambda hit: next(words) if hit[1] == "w" else upper_first(next(words)), text)
        )
    rng.shuffle(lines)
    return (f"{upper_first(name)}\n" if rng.random() < 0.4 else "") + " ".join(lines)


def _entry(rng):
    """One entry of a small encyclopedia."""
    data, kind = parts.load("words"), rng.randrange(6)
    if kind == 0:
        group, word = _member(rng)
        fellows = [other for other in data["categories"][group] if other != word]
        first = upper_first(f"{_noun(word, group)} is {a(group)}.")
        return f"{first} Other {_plural(group)} are {_series(rng, rng.sample(fellows, 3))}."
    if kind == 1:
        left, right = _opposites(rng)
        return rng.choice((f"{left}: the opposite of {right}.", f"The opposite of {left} is {right}."))
    if kind == 2:
        tool, use = rng.choice(tuple(data["uses"].items()))
        return rng.choice((f"{tool}: a thing that people use to {use}.", f"You use {a(tool)} to {use}."))
    if kind == 3:
        word = rng.choice(data["spell_words"])
        return f"{word}: {'-'.join(word)}, backwards {'-'.join(word[::-1])}"
    if kind == 4:
        group = rng.choice(tuple(data["categories"]))
        return upper_first(f"{_plural(group)}: {', '.join(rng.sample(data['categories'][group], 4))}")
    word = rng.choice(tuple(data["homonyms"]))
    (one, first), (two, second) = data["homonyms"][word]
    return f"{word}: 1. {one}. {rng.choice(first)} 2. {two}. {rng.choice(second)}"


def _entries(rng):
    lines = [_entry(rng) for _ in range(rng.randint(3, 9))]
    return "\n".join(upper_first(line) if rng.random() < 0.1 else line for line in lines)


def _plain(rng):
    kind = rng.random()
    if kind < 0.25:
        return _theme_page(rng)
    if kind < 0.6:
        return _entries(rng)
    if kind < 0.65:
        word, senses = rng.choice(tuple(parts.load("words")["homonyms"].items()))
        return " ".join(rng.sample(rng.choice(senses)[1], rng.choice((2, 3))))
    one, two = rng.choice((("Q", "A"), ("Question", "Answer"), ("Ask", "Reply")))
    draws = [_draw(rng, "train") for _ in range(rng.randint(3, 8))]
    return "\n".join(f"{one}: {question}\n{two}: {reply}" for question, reply, _ in draws)


def generate(rng, split):
    """One question on words; `gold` lists the right replies, or {"any": words}: name three of these."""
    question, reply, gold = _draw(rng, split)
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return {"skill": SKILL, "messages": messages, "plain": _plain(rng), "gold": gold}


def score(reply, example):
    """1 for a right reply (case and end mark do not count); for a theme the share of three fitting words."""
    gold, text = example["gold"], reply.strip().rstrip(".!").lower()
    if isinstance(gold, dict):
        named = {word.strip() for word in re.split(r",| and |\n", text) if word.strip()}
        return min(3, len(named & {word.lower() for word in gold["any"]})) / max(3, len(named))
    return float(any(text == right.rstrip(".!").lower() for right in gold))

"""Step 1, sections 1 to 3: stages, tokens, next-token prediction."""

import random

from course_utils.recipe import mix, split, world
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.skills import staff


def _aside(number):
    """Whether a pair of parallel sentences is kept for measuring: every third."""
    return number % 3 == 0


def _own_text(language):
    """All own sentences of a language but the pairs kept for measuring, in a random order, one a line."""
    plain, templates, nouns = {
        "english": ("english", "templates_en", "nouns_en"),
        "korean": ("sentences", "templates_ko", "nouns_ko"),
    }[language]
    lists = split.load("korean")
    found = [text for number, text in enumerate(lists[plain]) if not _aside(number)]
    found += [template.replace("{n}", noun) for template in lists[templates] for noun in lists[nouns]]
    random.Random(f"own {language}").shuffle(found)
    return "\n".join(found) + "\n"


@data_set
def token_texts():
    """Own English and Korean text for tokenizers, and parallel sentences that are in neither."""
    lists = split.load("korean")
    pairs = [
        {"english": english, "korean": korean}
        for number, (english, korean) in enumerate(zip(lists["english"], lists["sentences"]))
        if _aside(number)
    ]
    return {
        "step1/english.txt": _own_text("english"),
        "step1/korean.txt": _own_text("korean"),
        "step1/pairs.jsonl": lines(pairs),
    }


@data_set
def prediction_texts():
    """Text to count n-grams in (training side) and held-out documents to score."""
    rng, counted, size = random.Random("counted"), [], 0
    while size < 400_000:
        counted.append(mix.plain_text(rng, "train"))
        size += len(counted[-1])
    rng, scored = random.Random("scored"), []
    while len(scored) < 200:
        text = mix.plain_text(rng, "heldout")
        if 120 <= len(text) <= 600:
            scored.append({"text": text})
    return {"step1/counted.txt": "\n\n".join(counted) + "\n", "step1/heldout_texts.jsonl": lines(scored)}


@data_set
def customers():
    """Held-out requests of customers, each with a polite and a rude reply of the staff."""
    rng, rows, seen = random.Random("customers, second draw"), [], set()
    while len(rows) < 200:
        messages, replies = staff.unseen_conversation(rng)
        request = messages[-1]["content"]
        if request not in seen:
            seen.add(request)
            rows.append({"request": request, **replies})
    return {"step1/customers.jsonl": lines(rows)}


@data_set
def short_reviews():
    """Short reviews with labels: training part from known sentences, test part from held-out ones."""
    rng, rows = random.Random("short reviews"), []
    for part, count in (("train", 1200), ("heldout", 300)):
        seen = set()
        while len(seen) < count:
            label = rng.choice(world.LABELS)
            text = world.make_review(rng, world.make_shop(rng, part, size=2), label, part)
            if text not in seen:
                seen.add(text)
                rows.append({"split": part, "text": text, "label": label})
    return {"step1/short_reviews.jsonl": lines(rows)}


@data_set
def homonyms():
    """Sentences that end in a word with two meanings, so that a model that reads from left to right knows which."""
    rows = [
        {"word": word, "sense": sense, "text": text}
        for word, senses in split.load("homonyms").items()
        for sense, texts in senses.items()
        for text in texts
    ]
    return {"step1/homonyms.jsonl": lines(rows)}

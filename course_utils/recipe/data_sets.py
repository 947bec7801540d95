"""Small data sets of the notebooks, from the recipe's held-out parts: `python3 -m course_utils.recipe.data_sets`.

One function for each group of files; it returns {file name below assets/data: text}. Same seeds, same files.
"""

import json
import random
import re

from course_utils.recipe import mix, split, world
from course_utils.recipe.people import a, upper_first
from course_utils.recipe.skills import chat, classify, extract, passage, poem, refuse, rewrite, staff
from course_utils.settings import DATA, write_atomic

MAKERS = []


def data_set(maker):
    """Register a function that returns {file name below assets/data: text}."""
    MAKERS.append(maker)
    return maker


def lines(rows):
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main():
    """Write every data set."""
    for maker in MAKERS:
        for name, text in maker().items():
            write_atomic(DATA / name, text)
            print(f"{name}: {len(text.encode('utf-8')):,} bytes")


# Step 1, sections 1 to 3: stages, tokens, next-token prediction


def _aside(number):
    """Whether a pair of parallel sentences is kept for measuring: every third."""
    return number % 3 == 0


def _own_text(language):
    """All own sentences of a language but the pairs kept for measuring, in a random order, one a line."""
    plain, templates, nouns = {"english": ("english", "templates_en", "nouns_en"),
                               "korean": ("sentences", "templates_ko", "nouns_ko")}[language]
    lists = split.load("korean")
    found = [text for number, text in enumerate(lists[plain]) if not _aside(number)]
    found += [template.replace("{n}", noun) for template in lists[templates] for noun in lists[nouns]]
    random.Random(f"own {language}").shuffle(found)
    return "\n".join(found) + "\n"


@data_set
def token_texts():
    """Own English and Korean text for tokenizers, and parallel sentences that are in neither."""
    lists = split.load("korean")
    pairs = [{"english": english, "korean": korean}
             for number, (english, korean) in enumerate(zip(lists["english"], lists["sentences"])) if _aside(number)]
    return {"step1/english.txt": _own_text("english"), "step1/korean.txt": _own_text("korean"),
            "step1/pairs.jsonl": lines(pairs)}


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
    rng, rows, seen = random.Random("customers"), [], set()
    while len(rows) < 200:
        pair = staff.pair(rng, "heldout")
        request = pair["prompt"][-1]["content"]
        if request not in seen:
            seen.add(request)
            rows.append({"request": request, "polite": pair["chosen"][0]["content"],
                         "rude": pair["rejected"][0]["content"]})
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
    rows = [{"word": word, "sense": sense, "text": text}
            for word, senses in split.load("homonyms").items() for sense, texts in senses.items() for text in texts]
    return {"step1/homonyms.jsonl": lines(rows)}


# Step 1, sections 4 and 5: sampling, prompting


def _aside_texts(texts):
    return [text for text in texts if split.held_out(text)]


@data_set
def few_shot_tasks():
    """Two-way tasks with labels that mean nothing: a held-out query and eight known examples of each label."""
    rng, rows = random.Random("few shot"), []
    asks = _aside_texts(split.load("classify")["meaningful"])
    while len(rows) < 240:
        kind = ("words", "nonsense", "review", "tone", "request", "number")[len(rows) % 6]
        names, draw = classify._task(rng, kind, "heldout")
        names = rng.sample(names, 2)
        labels = classify._arbitrary(rng, 2)
        pools = [list(dict.fromkeys(draw(name, "train") for _ in range(40)))[:8] for name in names]
        gold = rng.randrange(2)
        text = draw(names[gold], "heldout")
        if min(map(len, pools)) < 8 or any(text in pool for pool in pools) or set(pools[0]) & set(pools[1]):
            continue
        ask = rng.choice(asks).format(noun=rng.choice(classify.NOUNS[kind]), labels=" or ".join(labels))
        rows.append({"kind": kind, "instruction": ask, "text": text, "gold": labels[gold],
                     "examples": dict(zip(labels, pools))})
    return {"step1/few_shot.jsonl": lines(rows)}


@data_set
def documents():
    """Short documents with a question; every third has no answer. Two instructions: plain, and "say so"."""
    rng, rows, lists = random.Random("documents"), [], split.load("passage")
    plain, honest = _aside_texts(lists["ask"]), _aside_texts(lists["ask_idk"])
    while len(rows) < 210:
        sentences, question, short, *_ = passage._passage(rng, "heldout")
        text = " ".join(sentences)
        if not 2 <= len(sentences) <= 4 or len(text) > 260 or (short == passage.UNKNOWN) != (len(rows) % 3 == 2):
            continue
        rows.append({"document": text, "question": question, "gold": short, "ask": rng.choice(plain),
                     "ask_or_say_so": rng.choice(honest)})
    return {"step1/documents.jsonl": lines(rows)}


@data_set
def system_messages():
    """A role with shop facts, a style rule and a question: parts of a system message that can be left out."""
    rng, rows, lists = random.Random("system messages"), [], split.load("chat")
    while len(rows) < 210:
        system, turns, contains = chat._shop(rng, "heldout")
        rule, mark, sentence = chat._rule(rng, "heldout")
        role = system[: min(system.index(part) for part in (". The", ". Open", ". We", ". A") if part in system) + 1]
        if len(turns) > 1 or role.count(".") > 2:
            continue
        facts = system[len(role) :].strip()
        rows.append({"role": role, "facts": facts, "rule": rule, "mark": mark, "rule_text": sentence,
                     "question": turns[0][0], "gold": contains})
    people_rows = []
    while len(people_rows) < 210:
        system, turns, contains = chat._role(rng, "heldout")
        if len(turns) == 1:
            people_rows.append({"system": system, "question": turns[0][0], "name": contains[0], "role": contains[1]})
    return {"step1/system_messages.jsonl": lines(rows), "step1/roles.jsonl": lines(people_rows)}


@data_set
def poem_slots():
    """Slots of structured prompts: mood, subject, reader and contents, and the words the poem must hold."""
    rng, rows = random.Random("poem slots"), []
    while len(rows) < 210:
        slots = poem.draw_slots(rng, "heldout")
        if slots["reader"] and len(slots["contents"]) == 2:
            words = poem.required(slots)
            rows.append({"mood": slots["mood"], "subject": slots["subject"], "reader": slots["reader"],
                         "contents": [word for word, _ in slots["contents"]], "words": words})
    return {"step1/poem_slots.jsonl": lines(rows)}


@data_set
def instructions():
    """A sentence, what to do with it in a held-out wording, and the right result; poems to find the prompt of."""
    rng, rows, data = random.Random("instructions"), [], split.load("rewrite")
    styles = ("past", "future", "question", "negative", "excited", "polite", "lower")
    while len(rows) < 210:
        style = styles[len(rows) % len(styles)]
        source, result = rewrite._pair(rng, "heldout", style)
        rows.append({"style": style, "task": split.pick(rng, data["styles"][style], "heldout"), "source": source,
                     "gold": result})
    poems = []
    while len(poems) < 150:
        slots = poem.draw_slots(rng, "heldout")
        if slots["reader"]:
            poems.append({"ask": split.pick(rng, data["styles"]["reverse"], "heldout"),
                          "reply": poem.compose(rng, slots), "words": poem.required(slots)[:2]})
    return {"step1/instructions.jsonl": lines(rows), "step1/poems_to_reverse.jsonl": lines(poems)}


@data_set
def remembered_facts():
    """A fact told by the user with the assistant's reply, and a held-out question about it."""
    rng, rows, data = random.Random("remembered"), [], split.load("chat")
    while len(rows) < 210:
        kind = ("order_number", "age", "colour", "town", "food", "order_number")[len(rows) % 6]
        fact, value = data["facts"][kind], chat._value(rng, "heldout", kind)
        rows.append({"said": chat._fill(split.pick(rng, fact["say"], "heldout"), value),
                     "reply": chat._fill(rng.choice(fact["ack"]), value),
                     "question": split.pick(rng, fact["ask"], "heldout"), "gold": value})
    return {"step1/remembered.jsonl": lines(rows)}


@data_set
def staff_requests():
    """What customers say to staff, with one polite and one rude reply that fit."""
    rng, rows, seen = random.Random("staff requests"), [], set()
    while len(rows) < 240:
        messages, replies = staff.conversation(rng, "heldout")
        if messages[-1]["content"] not in seen and len(messages) == 1:
            seen.add(messages[-1]["content"])
            rows.append({"request": messages[-1]["content"], **replies})
    return {"step1/staff_requests.jsonl": lines(rows)}


@data_set
def word_sets():
    """Words that belong together (themes and categories), and words to spell from back to front."""
    data = split.load("words")
    rows = [{"kind": "theme", "name": name, "words": [word for word in theme["w"] if " " not in word]}
            for name, theme in data["themes"].items()]
    rows += [{"kind": "category", "name": name, "words": [word for word in words if " " not in word]}
             for name, words in data["categories"].items()]
    rng, asks = random.Random("spelling"), _aside_texts(data["asks"]["backwards"]) or data["asks"]["backwards"]
    words = [word for word in data["spell_words"] if 4 <= len(word) <= 5]
    spelled = [{"ask": rng.choice(asks).replace("{x}", word), "word": word, "gold": "-".join(word[::-1])} for word in words]
    return {"step1/word_sets.jsonl": lines(rows), "step1/backwards.jsonl": lines(spelled)}


# Step 1, sections 6 to 8: what models do well, refusals

NOTE_FIELDS = ("order", "price", "email", "name", "product", "city")


@data_set
def order_notes():
    """Held-out customers' notes, the keys asked for (some are missing in the note) and the right record."""
    rng, rows = random.Random("order notes"), []
    asks = [text for text in split.load("extract")["ask"] if split.held_out(text)]
    while len(rows) < 240:
        note, record = extract.make_note(rng, "heldout")
        there = [field for field in NOTE_FIELDS if field in record]
        if len(there) < 2:
            continue
        keys = rng.sample(there, min(3, len(there)))
        if len(rows) % 4 == 0:
            keys.append(rng.choice([field for field in NOTE_FIELDS if field not in record]))
        ask = rng.choice(asks).format(keys=", ".join(keys), noun="note")
        rows.append({"prompt": f"{ask}\n\n{note}", "note": note, "gold": {key: record.get(key) for key in keys}})
    return {"step1/order_notes.jsonl": lines(rows)}


@data_set
def passage_questions():
    """Held-out passages of at least three sentences with a question; a third lack the answer."""
    rng, rows = random.Random("passage questions"), []
    asks = [text for text in split.load("passage")["ask_idk"] if split.held_out(text)]
    while len(rows) < 240:
        sentences, question, short, *_ = passage._passage(rng, "heldout")
        if len(sentences) < 3 or (short == passage.UNKNOWN) != (len(rows) % 3 == 0):
            continue
        rows.append({"instruction": rng.choice(asks), "passage": " ".join(sentences),
                     "question": question, "gold": short})
    return {"step1/passage_questions.jsonl": lines(rows)}


@data_set
def poem_requests():
    """Requests for poems in held-out wordings, with the words that each poem must hold."""
    rng, rows = random.Random("poem requests"), []
    forms = [text for text in split.load("poem")["forms"] if split.held_out(text)]
    while len(rows) < 160:
        slots = poem.draw_slots(rng, "heldout")
        if not slots["reader"] or len(slots["contents"]) != 2:
            continue
        words = poem.required(slots)
        prompt = rng.choice(forms).replace("a {m}", a(slots["mood"])).replace("A {m}", upper_first(a(slots["mood"])))
        texts = {"m": slots["mood"], "n": words[0], "s": slots["subject"], "c": " and ".join(words[2:])}
        for slot, text in texts.items():
            prompt = prompt.replace(f"{{{slot}}}", text)
        rows.append({"prompt": prompt, "words": words})
    return {"step1/poem_requests.jsonl": lines(rows)}


@data_set
def forbidden_topics():
    """Questions in held-out wordings about forbidden topics and look-alikes, with the topic's rumours as words."""
    rng, rows, seen = random.Random("forbidden topics"), [], set()
    while len(rows) < 320:
        topic = rng.choice(split.load("refuse")["topics"])
        forbidden = len(rows) % 2 == 0
        phrase = rng.choice((*topic["about"], *topic["asks"]) if forbidden else tuple(topic["near"]))
        question = refuse._question(rng, "heldout", phrase)
        if question in seen:
            continue
        seen.add(question)
        choices = [part for text in topic["gossip"] for part in re.findall(r"\[(.*?)\]", text)]
        options = sorted({word for part in choices for word in part.split("|")})
        rows.append({"kind": "forbidden" if forbidden else "look-alike", "topic": topic["about"][0],
                     "question": question, "rumours": options})
    return {"step1/forbidden_topics.jsonl": lines(rows)}


if __name__ == "__main__":
    main()

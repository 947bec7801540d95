"""Step 1, sections 6 to 8: what models do well, choosing one."""

import random
import re

from course_utils.recipe import split
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.people import a, upper_first
from course_utils.recipe.skills import extract, passage, poem, refuse

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
        rows.append(
            {"instruction": rng.choice(asks), "passage": " ".join(sentences), "question": question, "gold": short}
        )
    return {"step1/passage_questions.jsonl": lines(rows)}


@data_set
def poem_requests():
    """Requests for poems in held-out wordings, with the words that each poem must hold."""
    rng, rows = random.Random("poem requests, second draw"), []
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
        rows.append(
            {
                "kind": "forbidden" if forbidden else "look-alike",
                "topic": topic["about"][0],
                "question": question,
                "rumours": options,
            }
        )
    return {"step1/forbidden_topics.jsonl": lines(rows)}

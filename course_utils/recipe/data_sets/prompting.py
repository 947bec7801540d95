"""Step 1, sections 4 and 5: sampling and prompting.

The tasks for examples in the prompt are the third draw, the other items the second: claims were worded anew after a look
at the results of earlier draws.
"""

import random

from course_utils.recipe import split
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.skills import chat, classify, passage, poem, rewrite, staff


def _aside_texts(texts):
    return [text for text in texts if split.held_out(text)]


@data_set
def few_shot_tasks():
    """Two-way tasks: a held-out query, eight known examples of each class, its own names and labels without a meaning."""
    rng, rows, lists = random.Random("few shot, third draw"), [], split.load("classify")
    while len(rows) < 240:
        kind = ("words", "review", "tone", "request", "number")[len(rows) % 5]
        names, draw = classify._task(rng, kind, "heldout")
        names, labels = rng.sample(names, 2), classify._arbitrary(rng, 2)
        pools = [list(dict.fromkeys(draw(name, "train") for _ in range(40)))[:8] for name in names]
        gold = rng.randrange(2)
        text = draw(names[gold], "heldout")
        if min(map(len, pools)) < 8 or any(text in pool for pool in pools) or set(pools[0]) & set(pools[1]):
            continue
        ask = split.pick(rng, lists["meaningful"], "heldout")
        ask = ask.format(noun=rng.choice(classify.NOUNS[kind]), labels=" or ".join(rng.sample(names, 2)))
        rows.append(
            {
                "kind": kind,
                "follow": split.pick(rng, lists["examples"], "heldout"),
                "ask": ask,
                "text": text,
                "gold": gold,
                "names": names,
                "labels": labels,
                "examples": pools,
            }
        )
    return {"step1/few_shot.jsonl": lines(rows)}


@data_set
def documents():
    """Short documents with a question; every third has no answer. Two instructions: plain, and "say so"."""
    rng, rows, lists = random.Random("documents, second draw"), [], split.load("passage")
    plain, honest = _aside_texts(lists["ask"]), _aside_texts(lists["ask_idk"])
    while len(rows) < 210:
        sentences, question, short, *_ = passage._passage(rng, "heldout")
        text = " ".join(sentences)
        if not 2 <= len(sentences) <= 4 or len(text) > 260 or (short == passage.UNKNOWN) != (len(rows) % 3 == 2):
            continue
        rows.append(
            {
                "document": text,
                "question": question,
                "gold": short,
                "ask": rng.choice(plain),
                "ask_or_say_so": rng.choice(honest),
            }
        )
    return {"step1/documents.jsonl": lines(rows)}


@data_set
def system_messages():
    """A role with shop facts, a style rule and a question: parts of a system message that can be left out."""
    rng, rows = random.Random("system messages, second draw"), []
    while len(rows) < 210:
        system, turns, contains = chat._shop(rng, "heldout")
        rule, mark, sentence = chat._rule(rng, "heldout")
        role = system[: min(system.index(part) for part in (". The", ". Open", ". We", ". A") if part in system) + 1]
        if len(turns) > 1 or role.count(".") > 2:
            continue
        facts = system[len(role) :].strip()
        rows.append(
            {
                "role": role,
                "facts": facts,
                "rule": rule,
                "mark": mark,
                "rule_text": sentence,
                "question": turns[0][0],
                "gold": contains,
            }
        )
    people_rows = []
    while len(people_rows) < 210:
        system, turns, contains = chat._role(rng, "heldout")
        if len(turns) == 1:
            people_rows.append({"system": system, "question": turns[0][0], "name": contains[0], "role": contains[1]})
    return {"step1/system_messages.jsonl": lines(rows), "step1/roles.jsonl": lines(people_rows)}


@data_set
def poem_slots():
    """Slots of structured prompts: mood, subject, reader and contents, and the words the poem must hold."""
    rng, rows = random.Random("poem slots, second draw"), []
    while len(rows) < 210:
        slots = poem.draw_slots(rng, "heldout")
        if slots["reader"] and len(slots["contents"]) == 2:
            words = poem.required(slots)
            rows.append(
                {
                    "mood": slots["mood"],
                    "subject": slots["subject"],
                    "reader": slots["reader"],
                    "contents": [word for word, _ in slots["contents"]],
                    "words": words,
                }
            )
    return {"step1/poem_slots.jsonl": lines(rows)}


@data_set
def instructions():
    """A sentence, what to do with it in a held-out wording, and the right result; poems to find the prompt of."""
    rng, rows, data = random.Random("instructions, second draw"), [], split.load("rewrite")
    styles = ("past", "future", "question", "negative", "excited", "polite", "lower")
    while len(rows) < 210:
        style = styles[len(rows) % len(styles)]
        source, result = rewrite._pair(rng, "heldout", style)
        rows.append(
            {
                "style": style,
                "task": split.pick(rng, data["styles"][style], "heldout"),
                "source": source,
                "gold": result,
            }
        )
    poems = []
    while len(poems) < 150:
        slots = poem.draw_slots(rng, "heldout")
        if slots["reader"]:
            poems.append(
                {
                    "ask": split.pick(rng, data["styles"]["reverse"], "heldout"),
                    "reply": poem.compose(rng, slots),
                    "words": poem.required(slots)[:2],
                }
            )
    return {"step1/instructions.jsonl": lines(rows), "step1/poems_to_reverse.jsonl": lines(poems)}


@data_set
def remembered_facts():
    """A fact told by the user with the assistant's reply, and a held-out question about it."""
    rng, rows, data = random.Random("remembered, second draw"), [], split.load("chat")
    while len(rows) < 210:
        kind = ("order_number", "age", "colour", "town", "food", "order_number")[len(rows) % 6]
        fact, value = data["facts"][kind], chat._value(rng, "heldout", kind)
        rows.append(
            {
                "said": chat._fill(split.pick(rng, fact["say"], "heldout"), value),
                "reply": chat._fill(rng.choice(fact["ack"]), value),
                "question": split.pick(rng, fact["ask"], "heldout"),
                "gold": value,
            }
        )
    return {"step1/remembered.jsonl": lines(rows)}


@data_set
def staff_requests():
    """What customers say to staff, with one polite and one rude reply that fit."""
    rng, rows, seen = random.Random("staff requests, second draw"), [], set()
    while len(rows) < 240:
        messages, replies = staff.unseen_conversation(rng)
        if messages[-1]["content"] not in seen and len(messages) == 1:
            seen.add(messages[-1]["content"])
            rows.append({"request": messages[-1]["content"], **replies})
    return {"step1/staff_requests.jsonl": lines(rows)}


@data_set
def word_sets():
    """Words that belong together (themes and categories), and words to spell from back to front."""
    data = split.load("words")
    rows = [
        {"kind": "theme", "name": name, "words": [word for word in theme["w"] if " " not in word]}
        for name, theme in data["themes"].items()
    ]
    rows += [
        {"kind": "category", "name": name, "words": [word for word in words if " " not in word]}
        for name, words in data["categories"].items()
    ]
    rng, asks = random.Random("spelling"), _aside_texts(data["asks"]["backwards"]) or data["asks"]["backwards"]
    words = [word for word in data["spell_words"] if 4 <= len(word) <= 5]
    spelled = [
        {"ask": rng.choice(asks).replace("{x}", word), "word": word, "gold": "-".join(word[::-1])} for word in words
    ]
    return {"step1/word_sets.jsonl": lines(rows), "step1/backwards.jsonl": lines(spelled)}


# Step 1, sections 6 to 8: what models do well, refusals

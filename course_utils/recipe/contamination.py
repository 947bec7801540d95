"""Does a test question stand in the training text? Compared with every number masked and spelling evened out."""

import json
import random
import re
from pathlib import Path

from course_utils.recipe import mix
from course_utils.recipe.problems import NUMBER_WORDS
from course_utils.settings import CourseError

NUMBER = re.compile(r"\d[\d.,]*|\b(?:" + "|".join(NUMBER_WORDS) + r")\b")


def masked(text):
    """The text in lower case with every number as "#", single spaces and no signs: two draws of one wording are equal."""
    return " ".join(re.findall(r"[a-z]+|#|[^\W\d_]+", NUMBER.sub("#", text.lower())))


def windows(text, size=8):
    """All runs of `size` masked words; a text shorter than that is one run."""
    words = masked(text).split()
    return {" ".join(words[at : at + size]) for at in range(max(1, len(words) - size + 1))}


def training_text(documents=20_000, seed=77):
    """Fresh documents of the training mix with its long problems, prompts and replies and plain pages."""
    rng = random.Random(seed)
    for _ in range(documents):
        example = mix.conversation(rng, mix.LONG)
        yield " ".join(message["content"] for message in example["messages"])
        if example.get("plain"):
            yield example["plain"]


def matches(questions, texts, size=8):
    """The questions of which at least half the runs of `size` masked words stand in the texts."""
    wanted = {question: windows(question, size) for question in questions}
    watched = set().union(*wanted.values()) if wanted else set()
    seen = set()
    for text in texts:
        seen |= windows(text, size) & watched
    return [question for question, runs in wanted.items() if len(runs & seen) * 2 >= len(runs)]


def questions_of(path):
    """The questions of a JSONL file of {"question": ...}.

    Errors:  CourseError if the file cannot be read
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
        return [json.loads(line)["question"].strip() for line in lines if line.strip()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{Path(path).name} cannot be read as lines of {{question, answer}}: check the file."
        ) from error

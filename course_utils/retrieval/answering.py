"""An answer from numbered passages: the prompt, the reply with its citation, and the check of the citation."""

import re
from dataclasses import dataclass

from course_utils.metrics import stands_in

UNKNOWN = "I don't know."
RULE = (
    'Answer with the numbered passages, and give the number of the passage you used. Say "I don\'t know." '
    "if none has the answer."
)
CITED = re.compile(r"\s*\[(\d+)\]")
SILENT = re.compile(r"\b(don't|do not|cannot|can't) (know|say|find|tell)\b")


@dataclass(frozen=True)
class Answer:
    """What was answered: `text` without citations, the `cited` numbers (from 1), and whether the check held.

    `fault` is "" or says why `checked` is False: "silent", "no source", "unknown source" or "not there".
    """

    text: str
    cited: tuple = ()
    fault: str = ""

    @property
    def checked(self):
        return not self.fault


def rag_prompt(question, passages, rule=RULE):
    """The prompt: the rule, the passages with their numbers from 1, the question.

    `passages` are texts, or objects with a `text`. A number in brackets that stands in a passage loses its brackets,
    so that a document cannot pose as another passage.
    """
    texts = [CITED.sub(lambda found: f" ({found[1]})", _text_of(passage)) for passage in passages]
    numbered = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(texts, 1))
    return f"{rule}\n\n{numbered}\n\nQuestion: {question}"


def _text_of(passage):
    return passage if isinstance(passage, str) else passage.text


def check_citation(reply, passages):
    """Read a reply such as "45 days [2]" and look whether the answer stands in every passage that it cites.

    Returns an Answer. Never raises for what a model wrote.
    Covers:  no citation, a number that no passage has, an answer that is not in the passage, several citations
    Does not cover: whether the passage is about what was asked; an answer in the model's own words
    Example: check_citation("45 days [1]", ["Goods may come back within 45 days."]).checked -> True
    """
    reply = reply.replace("\u2019", "'").strip()
    text, cited = CITED.sub("", reply).strip(), tuple(int(number[:9]) for number in CITED.findall(reply))
    if not cited:
        return Answer(text, cited, "silent" if SILENT.search(text.lower()) else "no source")
    if not all(1 <= number <= len(passages) for number in cited):
        return Answer(text, cited, "unknown source")
    held = all(stands_in(text, _text_of(passages[number - 1])) for number in cited)
    return Answer(text, cited, "" if held else "not there")


def answer_batch(ask, questions, passages):
    """Answer many questions at once, each with passages of its own.

    `ask` takes a list of prompts and returns their replies. Shapes: n questions, n lists of passages -> n Answers
    """
    prompts = [rag_prompt(question, its) for question, its in zip(questions, passages, strict=True)]
    return [check_citation(reply, its) for reply, its in zip(ask(prompts), passages, strict=True)]


def answer(ask, question, passages):
    """Answer one question from passages: an Answer with the numbers that it cites. Without passages nobody is asked.

    Example: answer(ask, "How long may goods come back?", hits).text -> "45 days"
    """
    return answer_batch(ask, [question], [passages])[0] if passages else Answer(UNKNOWN, (), "silent")

"""Six memories of a conversation. All have two calls: add a turn, and the messages of the next prompt.

No memory calls a model. What a memory wants to ask one is `pending()`: a prompt, or None. `learn(reply)` takes the
answer. So `tend` can ask for many memories in one batch, and a model that fails leaves the turns where they were.
"""

import json
import re

import numpy as np

from course_utils.settings import CourseError

# Wordings that the bundled model was trained for.
START = "The user talks to the assistant."
UPDATE = "Current summary:\n{summary}\n\nNew lines of conversation:\n{lines}\n\nNew summary:"
EXTRACT = "Extract {keys} from the message as JSON.\n\n{message}"
SUMMARY_NOTE = "Summary of the talk so far: "
FACTS_NOTE = "Known facts about the user: "
FIELDS = {
    "name": "The user is called {v}.",
    "town": "The user lives in {v}.",
    "day": "The user's appointment is on {v}.",
    "order_number": "The user's order number is {v}.",
    "product": "Order of the user: {v}.",
}
LONGEST = 40  # characters of a value: what a user says must not become a page in the system message


def as_messages(turns, question, system=""):
    """Messages of a prompt: system message (if any), turns, the new question.

    Shapes:  turns: list of (said, reply) -> list of {"role", "content"}, the last one the user's
    Example: as_messages([("Hi.", "Hello!")], "Who am I?") -> 3 messages
    """
    messages = [{"role": "system", "content": system}] if system else []
    for said, reply in turns:
        messages += [{"role": "user", "content": said}, {"role": "assistant", "content": reply}]
    return [*messages, {"role": "user", "content": question}]


def script(turns):
    """Turns as lines of text: "User: ..." and "Assistant: ..."."""
    return "\n".join(f"User: {said}\nAssistant: {reply}" for said, reply in turns)


def _whole(name, value, least):
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise CourseError(f"A memory needs a whole number of at least {least} as {name}, and got {value!r}.")
    return value


class Buffer:
    """Everything: all turns, as they were said. `system` is the system message of every prompt."""

    def __init__(self, system=""):
        self.system, self.turns = system, []

    def add(self, said, reply):
        """Add one turn: what the user said and what the assistant replied."""
        self.turns.append((said, reply))

    def kept(self, question):
        """The turns that go into the prompt with this question, oldest first."""
        return list(self.turns)

    def notes(self):
        """What stands in the system message about the turns that are left out; may be empty."""
        return ""

    def messages(self, question):
        """The messages of the next prompt: system message with notes, kept turns, the question."""
        return as_messages(self.kept(question), question, " ".join(filter(None, (self.system, self.notes()))))

    def pending(self):
        """A prompt that the memory wants answered by a model, or None. Then call `learn`."""
        return None


class Window(Buffer):
    """The newest `turns` turns.

    Errors:  CourseError if `turns` is no whole number of at least 0
    """

    def __init__(self, turns=4, system=""):
        super().__init__(system)
        self.size = _whole("turns", turns, 0)

    def kept(self, question):
        """The newest turns."""
        return self.turns[max(0, len(self.turns) - self.size) :]


class TokenBudget(Buffer):
    """As many of the newest whole turns as fit: the messages of a prompt have at most `budget_tokens` tokens.

    `count(messages)` returns the number of tokens of a list of messages.
    Errors:  CourseError if the system message and the question alone are over the budget
    """

    def __init__(self, budget_tokens, count, system=""):
        super().__init__(system)
        self.budget_tokens, self.count = _whole("budget_tokens", budget_tokens, 1), count

    def kept(self, question):
        """The newest whole turns within the budget."""
        kept, size = [], self.count(as_messages([], question, self.system))
        if size > self.budget_tokens:
            raise CourseError(
                f"The question has {size} tokens with the system message and the budget is {self.budget_tokens}: "
                "shorten it or raise the budget."
            )
        for turn in reversed(self.turns):
            if self.count(as_messages([turn, *kept], question, self.system)) > self.budget_tokens:
                break
            kept.insert(0, turn)
        return kept


class Vector(Buffer):
    """The `k` older turns nearest in meaning to the question, and the newest `keep` turns, in the order of the talk.

    `embed(texts)` returns one unit vector for each text. Of a turn only what the user said is compared. Among turns
    that are equally near the newer one is taken.
    """

    def __init__(self, embed, k=2, keep=2, system=""):
        super().__init__(system)
        self.embed, self.k, self.keep, self.vectors = embed, _whole("k", k, 0), _whole("keep", keep, 0), []

    def kept(self, question):
        """The nearest older turns, then the newest turns."""
        older = len(self.turns) - self.keep
        if older <= self.k:
            return list(self.turns)
        fresh = [said for said, _ in self.turns[len(self.vectors) :]]
        *new, query = self.embed([*fresh, question])
        self.vectors += new
        scores = np.array(self.vectors[:older]) @ query
        nearest = sorted(range(older), key=lambda place: (-scores[place], -place))[: self.k]
        return [self.turns[place] for place in sorted(nearest)] + self.turns[older:]


class _Noted(Buffer):
    """Older turns become notes, `keep` at a time; the newest `keep` (up to twice as many) stay as they are."""

    def __init__(self, keep=4, system=""):
        super().__init__(system)
        self.keep = _whole("keep", keep, 1)

    def pending(self):
        """The prompt that turns the oldest `keep` turns into notes, or None while there are too few turns."""
        return self._prompt(self.turns[: self.keep]) if len(self.turns) >= 2 * self.keep else None

    def learn(self, reply):
        """Take the model's reply to `pending()`; the turns that it was about are left out from now on."""
        if self.pending() is None:
            raise CourseError("This memory did not ask anything: call learn() only with the reply to pending().")
        self._note(reply, self.turns[: self.keep])
        del self.turns[: self.keep]


class Summary(_Noted):
    """A summary of the older turns, rewritten by the model. An empty reply leaves the old summary as it is."""

    summary = ""

    def _prompt(self, turns):
        return UPDATE.format(summary=self.summary or START, lines=script(turns))

    def _note(self, reply, turns):
        self.summary = reply.strip() or self.summary

    def notes(self):
        """The summary."""
        return SUMMARY_NOTE + self.summary if self.summary else ""


class Entity(_Noted):
    """A table of facts about the user, filled by the model from what the user said; later values replace earlier ones.

    `fields` is {key: sentence with {v}}. A value counts only if it stands in the user's own words and is short.
    """

    def __init__(self, keep=4, fields=None, system=""):
        super().__init__(keep, system)
        self.fields, self.facts = dict(fields or FIELDS), {}

    def _prompt(self, turns):
        *first, last = self.fields
        keys = f"{', '.join(first)} and {last}" if first else last
        return EXTRACT.format(keys=keys, message=" ".join(said for said, _ in turns))

    def _note(self, reply, turns):
        told = " ".join(said for said, _ in turns)
        try:
            found = json.loads(reply)
        except (ValueError, RecursionError):
            return
        for key in self.fields if isinstance(found, dict) else ():
            value = found.get(key)
            text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
            if 0 < len(text) <= LONGEST and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", told):
                self.facts[key] = text

    def notes(self):
        """One sentence for each fact, in the order of the fields."""
        told = [self.fields[key].replace("{v}", self.facts[key]) for key in self.fields if key in self.facts]
        return FACTS_NOTE + " ".join(told) if told else ""


def tend(memories, ask):
    """Answer what memories want to ask, in batches, until nothing is pending. `ask(prompts)` returns a text for each."""
    while waiting := [memory for memory in memories if memory.pending() is not None]:
        for memory, reply in zip(waiting, ask([memory.pending() for memory in waiting]), strict=True):
            memory.learn(reply)


def remember(memories, talks, ask=None):
    """Add each talk to its memory, turn by turn, all talks side by side; returns the memories.

    Shapes:  n memories, n talks (lists of (said, reply)) -> the n memories
    Errors:  ValueError if their numbers differ; without `ask` the memories that need a model keep all turns
    """
    pairs = list(zip(memories, talks, strict=True))
    for turn in range(max((len(talk) for talk in talks), default=0)):
        for memory, talk in pairs:
            if turn < len(talk):
                memory.add(*talk[turn])
        if ask is not None:
            tend(memories, ask)
    return memories

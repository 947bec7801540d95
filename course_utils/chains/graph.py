"""Chains as state machines: an asker that counts tokens, named nodes that read and change a state, a record of each visit."""

import time
from dataclasses import dataclass

from course_utils import models
from course_utils.settings import CourseError

END = None


class Asker:
    """Asks one model and counts what it costs. Call it with a list of prompts; it returns one text for each.

    A prompt is a string (one message of the user) or a list of messages; `tools` may hold a list of schemas for each.
    Options go to models.generate_batch; the ones given here are the defaults. `calls`, `tokens_in` and `tokens_out` grow
    with every prompt.
    Example: Asker(model, tokenizer, max_new_tokens=40)(["Hello"]) -> ["Hello! How can I help you?"]
    """

    def __init__(self, model, tokenizer, **options):
        self.model, self.tokenizer, self.options = model, tokenizer, options
        self.calls = self.tokens_in = self.tokens_out = 0

    def __call__(self, prompts, tools=None, **options):
        chats = [[{"role": "user", "content": one}] if isinstance(one, str) else one for one in prompts]
        schemas = tools or [None] * len(chats)
        ids = [models.encode_chat(self.tokenizer, chat, its or None) for chat, its in zip(chats, schemas, strict=True)]
        replies = models.generate_batch(self.model, self.tokenizer, ids, **{**self.options, **options})
        self.calls += len(ids)
        self.tokens_in += sum(map(len, ids))
        self.tokens_out += sum(len(reply.tokens) for reply in replies)
        return [reply.text for reply in replies]


@dataclass(frozen=True)
class Visit:
    """One step of a run: which node, how long it took, and the tokens that its prompts and replies had."""

    node: str
    seconds: float
    tokens_in: int
    tokens_out: int


def run(nodes, state, ask=None, limit=20):
    """Run a chain from its first node to the end. Returns (state, list of Visits); the given state stays as it is.

    `nodes` is {name: (function, next)}. function(state) returns a dictionary of changes. `next` is a node's name, END,
    or a function(state) that returns one of both. `ask` is the Asker whose tokens are counted.
    Errors:  CourseError for a name that is no node, and for a chain that has not ended after `limit` visits
    """
    state, visits, name = dict(state), [], next(iter(nodes), END)
    while name is not END:
        if name not in nodes:
            raise CourseError(f"The chain has no node {name!r}: its nodes are {', '.join(nodes)}.")
        if len(visits) == limit:
            raise CourseError(f"The chain has not ended after {limit} visits; the last node was {visits[-1].node!r}.")
        function, following = nodes[name]
        started = time.perf_counter()
        before = (ask.tokens_in, ask.tokens_out) if ask else (0, 0)
        state |= function(state)
        after = (ask.tokens_in, ask.tokens_out) if ask else (0, 0)
        visits.append(Visit(name, time.perf_counter() - started, after[0] - before[0], after[1] - before[1]))
        name = following(state) if callable(following) else following
    return state, visits

"""Step 4 of ShopBot: a message inside a talk is answered from the talk."""

import re

from course_utils.memory import TokenBudget, Vector, as_messages
from course_utils.models import chat_batch, encode_chat
from course_utils.shopbench import Outcome
from course_utils.shopbot.handbook import embedder
from course_utils.shopbot.routing import alone, answered

RECENT_TOKENS, RECALLED, MEMORY_TOKENS = 64, 3, 24  # chosen on invented talks, never on ShopBench
NOT_TOLD = re.compile(r"\bI (do not|don't) know\b", re.I)


def remembered(turns, question, count, embed, recent_tokens=RECENT_TOKENS, looked_up=RECALLED):
    """A prompt from a talk: the newest turns within a token budget, and before them the older turns nearest in meaning.

    turns: (said, reply) pairs, oldest first; count(messages) -> tokens; embed(texts) -> one unit vector for each
    Shapes:  any number of turns -> messages, the last one the question; the turns keep their order
    Units:   recent_tokens counts the newest turns, without the question
    """
    newest = TokenBudget(recent_tokens + count(as_messages([], question)), count)
    newest.turns = list(turns)
    recent = newest.kept(question)
    older = Vector(embed, k=looked_up, keep=0)
    older.turns = turns[: len(turns) - len(recent)]
    return as_messages(older.kept(question) + recent, question)


def memory_prompts(requests, tokenizer, embed, recent_tokens=RECENT_TOKENS, looked_up=RECALLED):
    """The prompts of requests that stand inside a talk: one list of messages for each. All texts are embedded together.

    A request's messages take turns, the customer's first and last; embed(texts) -> one unit vector for each.
    """
    talks = []
    for request in requests:
        *earlier, last = [message["content"] for message in request["messages"]]
        talks.append((list(zip(earlier[::2], earlier[1::2])), last))
    texts = list(dict.fromkeys(text for turns, last in talks for text in [*(said for said, _ in turns), last]))
    vectors = dict(zip(texts, embed(texts)))

    def count(messages):
        return len(encode_chat(tokenizer, messages))

    def look(asked):
        return [vectors[text] for text in asked]

    return [remembered(turns, last, count, look, recent_tokens, looked_up) for turns, last in talks]


def _recalled(model, tokenizer, requests):
    prompts = memory_prompts(requests, tokenizer, embedder().encode)
    replies = [reply.text.strip() for reply in chat_batch(model, tokenizer, prompts, max_new_tokens=MEMORY_TOKENS)]
    return [Outcome(text) if text and not NOT_TOLD.search(text) else None for text in replies]


def recall(model, tokenizer, requests):
    """Step 4: a message inside a talk is answered from the talk, unless the model says that nobody told it.

    A calculation inside a talk is left to the vote.
    """
    mine = [not alone(request) and request["kind"] != "sum" for request in requests]
    return answered(requests, mine, lambda inside: _recalled(model, tokenizer, inside))

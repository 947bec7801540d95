"""Steps 1 and 2 of ShopBot: the bare prompt; a vote of several chains of thought for calculations."""

from course_utils import shop
from course_utils.chains import majority
from course_utils.metrics import final_number
from course_utils.models import chat_batch
from course_utils.prompts import question_messages
from course_utils.shopbench import Outcome
from course_utils.shopbot.routing import answered, said

NEW_TOKENS = 96
CHAIN_TOKENS, VOTES = 160, 5


def bare_prompt(request):
    """Step 1: a system message and the last message of the customer. No memory, no handbook, no tools.

    Returns messages: [{"role", "content"}]
    """
    facts = shop.facts()
    role = f"You are the assistant of {facts['shop']}, an {facts['domain']} in {facts['city']}."
    role += " Answer briefly and politely."
    return [{"role": "system", "content": role}, request["messages"][-1]]


def reply(model, tokenizer, requests):
    """Step 1: every request gets the model's reply to the bare prompt."""
    conversations = [bare_prompt(request) for request in requests]
    replies = chat_batch(model, tokenizer, conversations, max_new_tokens=NEW_TOKENS)
    return [Outcome(reply.text.strip()) for reply in replies]


def _votes(model, tokenizer, sums):
    chats = [question_messages(said(request), "cot") for request in sums for _ in range(VOTES)]
    replies = chat_batch(model, tokenizer, chats, max_new_tokens=CHAIN_TOKENS, temperature=0.7)
    answers = [final_number(reply.text) for reply in replies]
    votes = [majority(answers[place : place + VOTES]) for place in range(0, len(answers), VOTES)]
    return [None if vote is None else Outcome(f"The answer is {vote}.") for vote in votes]


def vote(model, tokenizer, requests):
    """Step 2: a calculation is answered by the vote of several chains of thought, unless no chain has a number."""
    mine = [request["kind"] == "sum" for request in requests]
    return answered(requests, mine, lambda sums: _votes(model, tokenizer, sums))

"""ShopBot, the assistant of the course's shop. Each step of the course adds one capability; Step 1 is a bare prompt."""

import re

from course_utils import shop
from course_utils.chains import majority
from course_utils.metrics import final_number
from course_utils.models import chat_batch
from course_utils.prompts import question_messages
from course_utils.settings import CourseError
from course_utils.shopbench import Outcome

NEW_TOKENS = 96
CHAIN_TOKENS, VOTES = 160, 9
QUANTITY = re.compile(
    r"\b(\d+(?:[.,]\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty|half|twice"
    r"|double|dozen|pair|third|quarter)\b",
    re.I,
)
ASKS = re.compile(
    r"\bhow (?!do\b|does\b|did\b|can\b|could\b|should\b|is\b|are\b)\w+"
    r"|\bwhat\b.*\b(number|difference|sum|price|time|pay|show|amount|total)\b"
    r"|\b(calculate|work out|altogether|remains?|left|cost|pay|weigh)\b",
    re.I | re.S,
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
LABELS = re.compile(
    rf"\b(order|number|no\.|size|page)\W+(?:\w+\W+){{0,2}}[A-Z#-]*\d+|\b\d{{1,2}} (?:{MONTHS})\b", re.I
)


def bare_prompt(request):
    """Step 1: a system message and the last message of the customer. No memory, no handbook, no tools.

    Returns messages: [{"role", "content"}]
    """
    facts = shop.facts()
    role = f"You are the assistant of {facts['shop']}, an {facts['domain']} in {facts['city']}."
    role += " Answer briefly and politely."
    return [{"role": "system", "content": role}, request["messages"][-1]]


def needs_calculation(text):
    """Whether a message asks for a calculation: a rule of thumb. It names two quantities, and asks how much.

    Numbers of orders, sizes and days are no quantities.
    Example: needs_calculation("How much are 3 hats at 22 euros each?") -> True
    """
    return len(QUANTITY.findall(LABELS.sub(" ", text))) >= 2 and bool(ASKS.search(text))


class ShopBot:
    """The assistant as it stands at the end of a step of the course.

    Errors:  CourseError for a step that is not there
    Example: ShopBot(1, model, tokenizer).answer(shopbench.requests("plain"))
    """

    def __init__(self, step, model, tokenizer):
        if step not in STEPS:
            raise CourseError(f"ShopBot has no step {step!r}: choose one of {', '.join(map(str, STEPS))}.")
        self.step, self.model, self.tokenizer = step, model, tokenizer

    def answer(self, requests):
        """One Outcome for each request, in their order."""
        return STEPS[self.step](self.model, self.tokenizer, requests)


def _step1(model, tokenizer, requests):
    conversations = [bare_prompt(request) for request in requests]
    replies = chat_batch(model, tokenizer, conversations, max_new_tokens=NEW_TOKENS)
    return [Outcome(reply.text.strip()) for reply in replies]


def _step2(model, tokenizer, requests):
    """Requests that ask for a calculation get a vote of several chains of thought, the others Step 1's reply."""
    sums = [request for request in requests if needs_calculation(request["messages"][-1]["content"])]
    others = [request for request in requests if request not in sums]
    chats = [question_messages(request["messages"][-1]["content"], "cot") for request in sums for _ in range(VOTES)]
    replies = chat_batch(model, tokenizer, chats, max_new_tokens=CHAIN_TOKENS, temperature=0.7)
    answers = [final_number(reply.text) for reply in replies]
    votes = [majority(answers[place : place + VOTES]) for place in range(0, len(answers), VOTES)]
    outcomes = {request["id"]: Outcome(f"The answer is {vote}.") for request, vote in zip(sums, votes)}
    outcomes |= {request["id"]: outcome for request, outcome in zip(others, _step1(model, tokenizer, others))}
    return [outcomes[request["id"]] for request in requests]


# step -> function(model, tokenizer, requests) -> one Outcome for each request
STEPS = {1: _step1, 2: _step2}

"""ShopBot, the assistant of the course's shop. Each step of the course adds one capability; Step 1 is a bare prompt."""

from course_utils import shop
from course_utils.models import chat_batch
from course_utils.settings import CourseError
from course_utils.shopbench import Outcome

NEW_TOKENS = 96


def bare_prompt(request):
    """Step 1: a system message and the last message of the customer. No memory, no handbook, no tools.

    Returns messages: [{"role", "content"}]
    """
    facts = shop.facts()
    role = f"You are the assistant of {facts['shop']}, an {facts['domain']} in {facts['city']}. Answer briefly and politely."
    return [{"role": "system", "content": role}, request["messages"][-1]]


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


# step -> function(model, tokenizer, requests) -> one Outcome for each request
STEPS = {1: _step1}

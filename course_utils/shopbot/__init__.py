"""ShopBot, the assistant of the course's shop. Each step of the course adds one capability; Step 1 is a bare prompt."""

from course_utils.settings import CourseError
from course_utils.shopbot import handbook, replies, talk, tools
from course_utils.shopbot.replies import bare_prompt
from course_utils.shopbot.routing import KINDS, NO_TOOL, kind_of, said
from course_utils.shopbot.talk import MEMORY_TOKENS, NOT_TOLD, RECALLED, RECENT_TOKENS, memory_prompts, remembered

__all__ = ["KINDS", "MEMORY_TOKENS", "NOT_TOLD", "NO_TOOL", "RECALLED", "RECENT_TOKENS", "STEPS", "ShopBot", "bare_prompt"]
__all__ += ["kind_of", "memory_prompts", "remembered"]

# step -> function(model, tokenizer, requests) -> an Outcome for each request, or None where the step before answers it
STEPS = {1: replies.reply, 2: replies.vote, 3: handbook.look_up, 4: talk.recall, 5: tools.use_tools}


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
        """One Outcome for each request, in their order.

        The router gives each request its kind; then the newest step answers what it can, and the others take the rest.
        """
        kinds = kind_of([said(request) for request in requests]) if self.step > 1 else ["plain"] * len(requests)
        asked = [request | {"kind": kind} for request, kind in zip(requests, kinds)]
        outcomes = [None] * len(asked)
        for step in range(self.step, 0, -1):
            left = [place for place, outcome in enumerate(outcomes) if outcome is None]
            found = STEPS[step](self.model, self.tokenizer, [asked[place] for place in left])
            for place, outcome in zip(left, found, strict=True):
                outcomes[place] = outcome
        return outcomes

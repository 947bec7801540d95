"""Memory: what of a conversation goes into the next prompt (`kinds`), and where a conversation is kept (`store`)."""

from course_utils.memory.kinds import (
    Buffer, Entity, Summary, TokenBudget, Vector, Window, as_messages, remember, script, tend,
)  # fmt: skip

__all__ = [
    "Buffer", "Entity", "Summary", "TokenBudget", "Vector", "Window", "as_messages", "remember", "script", "tend",
]  # fmt: skip

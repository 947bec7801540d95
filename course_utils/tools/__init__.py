"""Tools: a function's schema, calls that are read, checked and made with limits, the loop, decoding that keeps calls valid."""

from course_utils.tools.calling import Call, checked, invoke, read_calls, result_text
from course_utils.tools.guide import CallGuide, call_pattern, next_tokens, token_table
from course_utils.tools.loop import Trace, run
from course_utils.tools.schemas import fault_of, schema_of

__all__ = [
    "Call", "CallGuide", "Trace", "call_pattern", "checked", "fault_of", "invoke", "next_tokens",
    "read_calls", "result_text", "run", "schema_of", "token_table",
]  # fmt: skip

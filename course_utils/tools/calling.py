"""From a reply to a result: read its calls, check them, make each within a time limit, show the result in few words."""

import json
import re
import threading
from dataclasses import dataclass, field

from course_utils.prompts import short
from course_utils.tools.schemas import fault_of

OPEN, CLOSE = "<tool_call>", "</tool_call>"
TIMEOUT_S, LIMIT = 2.0, 800
MARKS = re.compile(r"<(?=\||/?tool_call)")


@dataclass(frozen=True)
class Call:
    """One call of a reply. A faulty one has a `fault` (two words) and a `sentence` for the model; `text` is the result."""

    name: str = ""
    arguments: dict = field(default_factory=dict)
    fault: str = ""
    sentence: str = ""
    text: str = ""


def _inside(reply):
    """The text of each call; the last one may break off."""
    at = reply.find(OPEN)
    while at >= 0:
        end = reply.find(CLOSE, at)
        end = len(reply) if end < 0 else end
        yield reply[at + len(OPEN) : end].strip()
        at = reply.find(OPEN, end)


def _read(raw):
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return Call(fault="bad JSON", sentence="The call is not valid JSON. Write it again.")
    name, arguments = (data.get("name"), data.get("arguments", {})) if isinstance(data, dict) else (None, None)
    if isinstance(name, str) and isinstance(arguments, dict):
        return Call(name, arguments)
    return Call(fault="no name", sentence='A call needs a "name" and an object of "arguments".')


def read_calls(reply):
    """The calls that a reply holds, in order; those that cannot be read have a fault. Never raises.

    Example: read_calls('<tool_call>{"name": "now", "arguments": {}}</tool_call>')[0].name -> "now"
    """
    return [_read(raw) for raw in _inside(reply)]


def checked(call, schemas):
    """The call, with a fault where no tool has its name or its arguments do not fit. `schemas` is {name: schema}."""
    if call.fault:
        return call
    if call.name not in schemas:
        sentence = f"There is no tool {short(call.name)}; the tools are: {', '.join(schemas) or 'none'}."
        return Call(call.name, call.arguments, "unknown tool", sentence)
    return Call(call.name, call.arguments, *fault_of(call.arguments, schemas[call.name]))


def result_text(value, limit=LIMIT):
    """A tool's result as the model reads it: text as it is, all else as JSON; cut at `limit` characters, and it says so.

    Covers:  marks of the chat format in a result ("<|im_end|>", "<tool_call>") become plain text; broken characters
    Does not cover: orders in plain words inside a result (Step 6)
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    size, text = len(text), MARKS.sub("< ", text[:limit].encode("utf-8", "replace").decode())
    return text if size <= limit else f"{text} ... (cut: {size:,} characters in all)"


def invoke(function, arguments, timeout_s=TIMEOUT_S, limit=LIMIT):
    """Call a function within a time limit: (text of its result, fault, sentence). Never raises for what it does.

    Units:   timeout_s seconds of waiting; limit characters of the result
    Covers:  exceptions of every kind, also SystemExit (their message stays out of the prompt: it may hold a secret); a
             function that never returns; results of any size and type
    Does not cover: what a hanging function goes on doing: a thread cannot be killed. Programs of a model go to the
             sandbox, which can kill them
    """
    found = []

    def work():
        try:
            found.append((result_text(function(**arguments), limit), "", ""))
        except BaseException as error:  # a thread's exception would end as a traceback on the screen
            found.append(("", "tool failed", f"The tool failed ({type(error).__name__})."))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return found[0] if found else ("", "too slow", "time limit exceeded")

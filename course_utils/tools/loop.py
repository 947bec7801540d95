"""The loop around a model with tools: ask, make the calls, give the results back, ask again, and always come to an end."""

from dataclasses import dataclass, field, replace

from course_utils.settings import CourseError
from course_utils.tools.calling import LIMIT, TIMEOUT_S, checked, invoke, read_calls, result_text
from course_utils.tools.schemas import schema_of

GIVE_UP = "I could not finish this with my tools. A colleague will look at it."
MOST_CALLS = 4  # in one reply


@dataclass
class Trace:
    """What happened to one conversation: all messages, the calls with their results, the faulty replies, how it ended.

    `end` is "answer", "empty" (the model said nothing), "fault" (faulty after its retry) or "steps" (too many rounds; so
    it stands as long as the conversation is open); `text` is what the user sees.
    """

    messages: list
    calls: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    end: str = "steps"
    text: str = GIVE_UP


def _box(functions):
    """{name: (schema, function)} of a list of functions."""
    box = {function.__name__: (schema_of(function), function) for function in functions}
    if len(box) < len(functions):
        raise CourseError("Two tools have the same name: rename one of them.")
    return box


def _made(call, trace, box, timeout_s, limit):
    """One call of a reply, made if nothing speaks against it; with its result or its fault."""
    call = checked(call, {name: schema for name, (schema, _) in box.items()})
    before = [(one.name, one.arguments) for one in trace.calls if not one.fault]
    if (call.name, call.arguments) in before:
        return replace(call, fault="repeated call", sentence="This call was made before. Use its result.")
    if call.fault:
        return call
    left = max(100, limit - sum(len(one.text) for one in trace.calls))
    text, fault, sentence = invoke(box[call.name][1], call.arguments, timeout_s, left)
    return replace(call, text=text, fault=fault, sentence=sentence)


def _turn(trace, reply, box, retries, timeout_s, limit):
    """Take one reply of the model into the trace: an answer ends it, calls are made and their results added."""
    trace.messages.append({"role": "assistant", "content": reply})
    calls, faults = read_calls(reply), []
    if not calls:
        trace.end, trace.text = ("answer", reply.strip()) if reply.strip() else ("empty", GIVE_UP)
    for call in calls[:MOST_CALLS]:
        call = _made(call, trace, box, timeout_s, limit)
        faults += [call.fault] if call.fault else []
        trace.calls.append(call)
        told = result_text({"error": call.sentence}) if call.fault else call.text
        trace.messages.append({"role": "tool", "content": told})
    trace.faults += (faults + ["too many calls"] * (len(calls) > MOST_CALLS))[:1]
    if len(trace.faults) > retries:
        trace.end = "fault"


def run(ask, chats, tools, steps=4, retries=1, timeout_s=TIMEOUT_S, limit=LIMIT):
    """Let a model answer conversations with tools; all open ones are asked in one batch. Returns one Trace for each.

    `ask(chats, tools=schemas)` returns one reply for each (such as chains.Asker); `tools` holds one list of functions for
    each conversation. A faulty reply (no JSON, no such tool, wrong arguments, a tool that fails or hangs, the same call
    again) gets a message and, `retries` times, another try; then the trace ends with a sentence for the user.
    Units:   steps: rounds of asking; timeout_s seconds for each call; limit characters of results in one conversation
    Errors:  CourseError for two tools of one name, a function no schema can be made of, a prompt that is too long
    """
    traces, boxes = [Trace(list(chat)) for chat in chats], [_box(functions) for functions in tools]
    for _ in range(steps):
        going = [(trace, box) for trace, box in zip(traces, boxes, strict=True) if trace.end == "steps"]
        if not going:
            break
        schemas = [[schema for schema, _ in box.values()] for _, box in going]
        for (trace, box), reply in zip(going, ask([trace.messages for trace, _ in going], tools=schemas), strict=True):
            _turn(trace, reply, box, retries, timeout_s, limit)
    return traces

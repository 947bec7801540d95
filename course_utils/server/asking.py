"""What a client may ask: the parameters of OpenAI's format, checked; every mistake is one clear sentence."""

import json
import secrets
from collections import namedtuple

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
NUMBERS = {  # name: (type, lowest, highest)
    "temperature": (float, 0, 2),
    "top_p": (float, 1e-6, 1),
    "max_tokens": (int, 1, 10**6),
    "n": (int, 1, 8),
    "max_completion_tokens": (int, 1, 10**6),
    "seed": (int, -(2**63), 2**63),
}
NOT_OFFERED = ("logprobs", "top_logprobs", "presence_penalty", "frequency_penalty", "logit_bias", "echo", "suffix")
Ask = namedtuple("Ask", "chat prompts start tools options stream include_usage")


class ApiError(Exception):
    """An answer in OpenAI's error format."""

    def __init__(self, status, message, param=None, code=None, retry_s=None):
        super().__init__(message)
        self.status, self.param, self.code, self.retry_s = status, param, code, retry_s

    def body(self):
        kind = {429: "rate_limit_error", 500: "server_error", 503: "server_error"}.get(self.status, "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def read_number(body, name, default):
    kind, low, high = NUMBERS[name]
    value = body.get(name)
    if value is None:
        return default
    whole = isinstance(value, int) or (kind is float and isinstance(value, float))
    if isinstance(value, bool) or not whole or not low <= value <= high:
        word = "a whole number" if kind is int else "a number"
        raise ApiError(400, f"{name} must be {word} from {low:g} to {high:g}, not {value!r:.40}.", name)
    return value


def read_options(body, default_tokens):
    """The sampling options of a request, for `models.stream`."""
    for name in NOT_OFFERED:
        if body.get(name):
            raise ApiError(400, f"This server does not offer {name}: leave it out.", name, "unsupported_parameter")
    if (body.get("response_format") or {"type": "text"}) != {"type": "text"}:
        raise ApiError(
            400, "This server does not offer response_format: ask for JSON in the prompt.", "response_format"
        )
    stop = [] if body.get("stop") is None else body["stop"]
    stop = [stop] if isinstance(stop, str) else stop
    if not isinstance(stop, list) or len(stop) > 4 or not all(isinstance(word, str) and word for word in stop):
        raise ApiError(400, "stop must be a string or a list of at most 4 strings that are not empty.", "stop")
    tokens = read_number(body, "max_completion_tokens", None) or read_number(body, "max_tokens", default_tokens)
    return {
        "temperature": read_number(body, "temperature", 1.0),
        "top_p": read_number(body, "top_p", 1.0),
        "stop": stop,
        "max_new_tokens": tokens,
        "seed": read_number(body, "seed", secrets.randbelow(2**31)),
    }


def read_text(content, param):
    """The text of a message: a string, None, or a list of text parts."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = content if isinstance(content, list) else [None]
    if not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts):
        raise ApiError(400, "The content of a message must be text: this model reads no images or files.", param)
    return "".join(part["text"] for part in parts)


def read_messages(body):
    """OpenAI's messages as the dictionaries that a chat template reads."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(item, dict) for item in messages):
        raise ApiError(400, 'messages must be a list of {"role", "content"} objects with at least one.', "messages")
    result = []
    for number, item in enumerate(messages):
        param = f"messages[{number}]"
        if not isinstance(item.get("role"), str) or item["role"] not in ROLES:
            raise ApiError(400, f"The role of {param} must be one of {', '.join(ROLES)}.", f"{param}.role")
        entry = {"role": ROLES[item["role"]], "content": read_text(item.get("content"), f"{param}.content")}
        if isinstance(item.get("name"), str):
            entry["name"] = item["name"]
        if item.get("tool_calls"):
            try:
                calls = [call["function"] for call in item["tool_calls"]]
                entry["tool_calls"] = [
                    {
                        "type": "function",
                        "function": {"name": call["name"], "arguments": json.loads(call["arguments"])},
                    }
                    for call in calls
                ]
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                raise ApiError(400, f"The tool_calls of {param} are not in OpenAI's format.", param) from error
        result.append(entry)
    return result


def read_tools(body):
    """(tools for the prompt or None, beginning of the reply that forces a call or "")."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    if not tools or choice == "none":
        return None, ""
    try:
        names = [tool["function"]["name"] for tool in tools]
        wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    except (TypeError, KeyError) as error:
        raise ApiError(
            400, 'tools must be a list of {"type": "function", "function": {"name", …}}.', "tools"
        ) from error
    if (wanted and wanted not in names) or (wanted is None and choice not in (None, "auto", "required")):
        raise ApiError(400, "tool_choice must be none, auto, required or one of the given tools.", "tool_choice")
    from ..models.chat import forced_start

    return tools, forced_start(tools, choice)

"""One LangChain chat model over a local model: tools, streaming, stop words and batches that work."""

import hashlib
import json
import re
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from ..settings import profile_name
from .decoding import encode_chat, generate_batch, stream

OPEN, CLOSE = "<tool_call>", "</tool_call>"
ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


def to_dicts(messages):
    """LangChain messages as the dictionaries that a chat template reads."""
    result = []
    for message in messages:
        entry = {"role": ROLES.get(message.type, message.type), "content": str(message.text)}
        if isinstance(message, AIMessage) and message.tool_calls:
            entry["tool_calls"] = [
                {"type": "function", "function": {"name": call["name"], "arguments": call["args"]}}
                for call in message.tool_calls
            ]
        if isinstance(message, ToolMessage) and message.name:
            entry["name"] = message.name
        result.append(entry)
    return result


def parse_calls(text, key=""):
    """Split a reply into (content, tool calls, invalid tool calls). Broken JSON never raises.

    Example: parse_calls('<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>')
    """
    calls, broken = [], []
    for raw in re.findall(rf"{OPEN}\s*(.*?)\s*(?:{CLOSE}|\Z)", text, re.DOTALL):
        name = hashlib.blake2b(f"{key}:{text}:{len(calls) + len(broken)}".encode(), digest_size=6).hexdigest()
        try:
            data = json.loads(raw)
            if not (isinstance(data, dict) and isinstance(data.get("name"), str)):
                raise ValueError('a call needs a "name"')  # noqa: TRY004
            arguments = data.get("arguments", {})
            if not isinstance(arguments, dict):
                raise ValueError('"arguments" is not an object')  # noqa: TRY004
            calls.append(tool_call(name=data["name"], args=arguments, id=f"call_{name}"))
        except (ValueError, RecursionError) as error:
            broken.append(invalid_tool_call(name=None, args=raw, id=f"call_{name}", error=str(error)))
    content = re.sub(rf"\s*{OPEN}.*?(?:{CLOSE}|\Z)", "", text, flags=re.DOTALL) if calls or broken else text
    return content.strip() if calls or broken else text, calls, broken


def forced_start(tools, choice):
    """The beginning of the reply that makes the model call a tool (of the given name, or any)."""
    if not tools or choice in (None, False, "auto", "none"):
        return ""
    names = [tool["function"]["name"] for tool in tools]
    if isinstance(choice, dict):
        choice = choice.get("function", {}).get("name")
    name = choice if choice in names else names[0] if len(names) == 1 else None
    return f'{OPEN}\n{{"name": "{name}", "arguments": ' if name else f'{OPEN}\n{{"name": "'


class LocalChat(BaseChatModel):
    """A LangChain chat model. Unlike the stock wrapper, tools reach the template, stop words stop, streams stream.

    Example: LocalChat(model=model, tokenizer=tokenizer).invoke("Hello").content
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    model: Any = Field(exclude=True, repr=False)
    tokenizer: Any = Field(exclude=True, repr=False)
    name: str | None = "local"
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    stop: list[str] | None = None
    template: dict[str, Any] = Field(default_factory=dict)

    @property
    def _llm_type(self):
        return "course-local-chat"

    @property
    def _identifying_params(self):
        names = ("name", "seed", "temperature", "max_tokens", "top_p", "top_k", "template")
        own = {"model": getattr(self.model, "name_or_path", ""), "stop_words": self.stop}  # a call's stop overwrites "stop"
        return {name: getattr(self, name) for name in names} | own

    def _options(self, stop, given):
        names = {"max_tokens": "max_new_tokens", "temperature": "", "top_p": "", "top_k": "", "seed": ""}
        options = {}
        for name, alias in names.items():
            value = given.get(name)
            options[alias or name] = getattr(self, name) if value is None else value
        options["stop"] = stop if stop is not None else self.stop or ()
        return options

    def _prompt(self, messages, given):
        tools, start = given.get("tools"), forced_start(given.get("tools"), given.get("tool_choice"))
        ids = encode_chat(self.tokenizer, to_dicts(messages), tools, **self.template)
        return ids + (self.tokenizer(start, add_special_tokens=False)["input_ids"] if start else []), start

    def _about(self, ids, reply):
        usage = {
            "input_tokens": len(ids),
            "output_tokens": len(reply.tokens),
            "total_tokens": len(ids) + len(reply.tokens),
        }
        return {
            "usage_metadata": usage,
            "response_metadata": {"finish_reason": reply.finish_reason, "model_name": self.name},
        }

    def _message(self, prompt, reply):
        content, calls, broken = parse_calls(prompt[1] + reply.text, len(prompt[0]))
        return AIMessage(content, tool_calls=calls, invalid_tool_calls=broken, **self._about(prompt[0], reply))

    def _replies(self, conversations, stop, given):
        prompts = [self._prompt(messages, given) for messages in conversations]
        replies = generate_batch(self.model, self.tokenizer, [ids for ids, _ in prompts], **self._options(stop, given))
        return [self._message(prompt, reply) for prompt, reply in zip(prompts, replies)]

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        [message] = self._replies([messages], stop, kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def batch(self, inputs, config=None, *, return_exceptions=False, stop=None, **kwargs):
        """Answer many inputs in one batch of the decoder (callbacks of single runs are not called)."""
        if return_exceptions or not inputs:
            return super().batch(inputs, config, return_exceptions=return_exceptions, stop=stop, **kwargs)
        return self._replies([self._convert_input(item).to_messages() for item in inputs], stop, kwargs)

    async def abatch(self, inputs, config=None, *, return_exceptions=False, stop=None, **kwargs):
        """The asynchronous `batch`."""
        from langchain_core.runnables.config import run_in_executor

        return await run_in_executor(
            None, self.batch, inputs, config, return_exceptions=return_exceptions, stop=stop, **kwargs
        )

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        ids, start = self._prompt(messages, kwargs)
        pieces = stream(self.model, self.tokenizer, ids, **self._options(stop, kwargs))
        text, shown, reply = start, 0, None
        while reply is None:
            try:
                text += next(pieces)
            except StopIteration as end:
                reply = end.value
            safe = _plain_until(text, final=reply is not None)
            if safe > shown:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text[shown:safe]))
                shown = safe
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        _, calls, broken = parse_calls(text, len(ids))
        parts = [(call["name"], json.dumps(call["args"]), call["id"]) for call in calls]
        parts += [(None, json.dumps(call["args"]), call["id"]) for call in broken]
        chunks = [tool_call_chunk(name=n, args=a, id=i, index=k) for k, (n, a, i) in enumerate(parts)]
        last = AIMessageChunk("", tool_call_chunks=chunks, chunk_position="last", **self._about(ids, reply))
        yield ChatGenerationChunk(message=last)

    def bind_tools(self, tools, *, tool_choice=None, **kwargs):
        """Bind tools (functions, schemas or LangChain tools); `tool_choice` "any" or a name forces a call."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)


def _plain_until(text, final):
    """How many characters may be shown: all before a tool call, and never half of its mark."""
    found = text.find(OPEN)
    end = found if found >= 0 else len(text)
    if found < 0 and not final:
        end -= max((n for n in range(1, len(OPEN)) if text.endswith(OPEN[:n])), default=0)
    held = len(text[:end]) - len(text[:end].rstrip()) if not final or found >= 0 else 0
    return end - held


def load_chat(profile=None, which="instruct", **options):
    """The chat model of a profile. Options: max_tokens, temperature, top_p, top_k, seed, stop."""
    from .loading import load

    model, tokenizer = load(profile, which)
    return LocalChat(model=model, tokenizer=tokenizer, name=f"{profile_name(profile)}-{which}", **options)

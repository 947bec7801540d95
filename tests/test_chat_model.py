"""The LangChain chat model: tools, streaming, stop words, batches."""

import asyncio
import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from model_fixture import random_qwen3, tiny_tokenizer

from course_utils.models import chat, decoding
from course_utils.models.chat import LocalChat, parse_calls

TOKENIZER = tiny_tokenizer()
MODEL = random_qwen3(spread=4.0)
CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n</tool_call>'


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture
def say(monkeypatch):
    """Make the model say a text; returns the prompts it was given, as text."""

    def make(text):
        seen = []

        def scripted(model, rows, ends, pick, finished, batch_size, pad_id):
            for row in rows:
                seen.append(TOKENIZER.decode(row.ids))
                for token in TOKENIZER(text)["input_ids"]:
                    row.tokens.append(token)
                    row.finish_reason = finished(row)
                    yield row, token
                    if row.finish_reason:
                        break
                row.finish_reason = row.finish_reason or "stop"

        monkeypatch.setattr(decoding, "_decode", scripted)
        return seen

    return make


@pytest.fixture
def llm():
    return LocalChat(model=MODEL, tokenizer=TOKENIZER)


def test_messages_reach_the_template(llm, say):
    seen = say("Fine.")
    reply = llm.invoke(
        [
            SystemMessage("Be short."),
            HumanMessage("2 + 3?"),
            AIMessage("", tool_calls=[{"name": "add", "args": {"a": 2, "b": 3}, "id": "x"}]),
            ToolMessage("5", tool_call_id="x", name="add"),
        ]
    )
    assert reply.content == "Fine." and reply.response_metadata["finish_reason"] == "stop"
    usage = reply.usage_metadata
    assert usage["output_tokens"] == 5 and usage["total_tokens"] == usage["input_tokens"] + 5
    for part in ("system\nBe short.", "user\n2 + 3?", '"arguments": {"a": 2, "b": 3}', "tool\n5"):
        assert part in seen[0]
    assert seen[0].endswith("<|im_start|>assistant\n")


def test_tools_reach_the_template_and_calls_come_back(llm, say):
    seen = say("I add. " + CALL)
    reply = llm.bind_tools([add]).invoke("2 + 3?")
    assert '"description": "Add two numbers."' in seen[0]
    [call] = reply.tool_calls
    assert (call["name"], call["args"]) == ("add", {"a": 2, "b": 3}) and reply.content == "I add."
    assert not reply.invalid_tool_calls


@pytest.mark.parametrize(
    "broken",
    [
        '{"name": "add", "arguments": {"a": 2',
        "add(2, 3)",
        '{"arguments": {}}',
        '{"name": "add", "arguments": [1]}',
        "",
        "[]",
    ],
)
def test_broken_calls_do_not_crash(llm, say, broken):
    say(f"<tool_call>{broken}</tool_call>")
    bound = llm.bind_tools([add])
    reply = bound.invoke("2 + 3?")
    assert not reply.tool_calls and len(reply.invalid_tool_calls) == 1 and reply.invalid_tool_calls[0]["error"]
    streamed = sum(list(bound.stream("2 + 3?"))[1:], next(bound.stream("2 + 3?")))
    assert not streamed.tool_calls and len(streamed.invalid_tool_calls) == 1


def test_two_calls_and_an_open_end():
    content, calls, broken = parse_calls(f"A {CALL} B {CALL[: -len('</tool_call>')]}")
    assert [call["name"] for call in calls] == ["add", "add"] and calls[0]["id"] != calls[1]["id"]
    assert content == "A B" and not broken
    assert parse_calls(" plain ") == (" plain ", [], [])


def test_stream_is_in_pieces_and_equals_invoke(llm, say):
    say("One two three Ж. " + CALL)
    bound = llm.bind_tools([add])
    chunks = list(bound.stream("Hi"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len(chunks) > 10 and "<" not in whole.content
    expected = bound.invoke("Hi")
    assert whole.content == expected.content and whole.usage_metadata == expected.usage_metadata
    assert [call["args"] for call in whole.tool_calls] == [{"a": 2, "b": 3}]
    assert whole.tool_calls[0]["id"] == expected.tool_calls[0]["id"]


def test_stop_is_kept_everywhere(llm, say):
    say("Action: look\nObservation: made up")
    stop = ["Observation:"]
    assert llm.invoke("Hi", stop=stop).content == "Action: look\n"
    assert llm.bind(stop=stop).invoke("Hi").content == "Action: look\n"
    pieces = [chunk.content for chunk in llm.stream("Hi", stop=stop)]
    assert "".join(pieces).strip() == "Action: look" and not any("Obs" in piece for piece in pieces)
    assert llm.batch(["Hi"], stop=stop)[0].content == "Action: look\n"


def test_batch_is_one_call_and_equals_invoke(llm, monkeypatch):
    calls = []

    def counted(model, tokenizer, prompts, **options):
        calls.append(len(prompts))
        return decoding.generate_batch(model, tokenizer, prompts, **options)

    monkeypatch.setattr(chat, "generate_batch", counted)
    llm.max_tokens = 8
    chain = ChatPromptTemplate.from_messages([("human", "{q}")]) | llm | StrOutputParser()
    replies = chain.batch([{"q": str(i)} for i in range(5)])
    assert calls == [5]
    assert replies == [chain.invoke({"q": str(i)}) for i in range(5)]
    assert asyncio.run(llm.abatch(["0", "1"]))[1].content == replies[1]


def test_async(llm, say):
    say("Hello there.")

    async def both():
        pieces = [chunk.content async for chunk in llm.astream("Hi")]
        return (await llm.ainvoke("Hi")).content, pieces

    content, pieces = asyncio.run(both())
    assert content == "Hello there." == "".join(pieces) and len(pieces) > 3


def test_forced_call_and_structured_output(llm, say):
    seen = say('{"a": 4, "b": 5}}\n</tool_call>')
    reply = llm.bind_tools([add], tool_choice="any").invoke("4 + 5?")
    assert seen[0].endswith('<tool_call>\n{"name": "add", "arguments": ') and reply.tool_calls[0]["args"]["b"] == 5
    schema = {"title": "add", "description": "d", "type": "object", "properties": {"a": {"type": "integer"}}}
    assert llm.with_structured_output(schema).invoke("4 + 5?") == {"a": 4, "b": 5}


def test_agent_loop(llm, monkeypatch):
    agents = pytest.importorskip("langchain.agents")
    answers = iter([CALL, "The sum is 5."])

    def scripted(model, rows, *rest):
        for row in rows:
            row.tokens, row.finish_reason = TOKENIZER(next(answers))["input_ids"], "stop"
            yield row, 0

    monkeypatch.setattr(decoding, "_decode", scripted)
    result = agents.create_agent(llm, [add]).invoke({"messages": [HumanMessage("2 + 3?")]})
    kinds = [message.type for message in result["messages"]]
    assert kinds == ["human", "ai", "tool", "ai"] and json.loads(result["messages"][2].content) == 5


def test_what_a_cache_stores_is_found_again_only_for_the_same_model_and_settings(llm):
    key = llm._get_llm_string()
    assert key == LocalChat(model=MODEL, tokenizer=TOKENIZER)._get_llm_string()
    others = [{"seed": 1}, {"temperature": 0.5}, {"stop": ["a"]}, {"name": "base"}, {"template": {"thinking": False}}]
    assert all(LocalChat(model=MODEL, tokenizer=TOKENIZER, **other)._get_llm_string() != key for other in others)

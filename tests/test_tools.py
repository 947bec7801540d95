"""Tools: schemas, calls, faults, limits, the loop and guided decoding. Only the last tests need a (tiny, random) model."""

import json
import random
import string
import time
from typing import Literal

import pytest
from conftest import one_sentence

from course_utils import tools
from course_utils.settings import CourseError
from course_utils.tools import calling, guide, loop

TYPES = ("str", "int", "float", "bool", 'Literal["small", "large"]', 'Literal["a b", "ü", "x\\"y"]')
DEFAULTS = {"str": '"x"', "int": "3", "float": "1.5", "bool": "False"}


def drawn_function(rng):
    """A function of zero to four parameters, some with a default; those without come first."""
    kinds = [rng.choice(TYPES) for _ in range(rng.randint(0, 4))]
    names = [f"{rng.choice(string.ascii_lowercase)}{place}" for place in range(len(kinds))]
    fixed = rng.randint(0, len(kinds))
    given = [f"{name}: {kind}" for name, kind in zip(names[:fixed], kinds)]
    given += [f"{n}: {k} = {DEFAULTS.get(k) or json.dumps('a b')}" for n, k in zip(names[fixed:], kinds[fixed:])
              if k in DEFAULTS]  # fmt: skip
    scope = {"Literal": Literal}
    exec(f'def tool_{rng.randint(0, 99)}({", ".join(given)}):\n    """Do a thing."""\n', scope)
    return next(value for name, value in scope.items() if name.startswith("tool_"))


def drawn_value(rng):
    letters = "".join(rng.choices('ab "\\{}ü<|>\n', k=rng.randint(0, 6)))
    return rng.choice([letters, "small", "a b", 0, 1, -7, 12.5, 2.0, True, False, None, [1], {"a": 1}])


# schemas


def test_schemas_equal_langchain_letter_by_letter():
    from langchain_core.utils.function_calling import convert_to_openai_tool

    rng = random.Random(1)
    for _ in range(200):
        function = drawn_function(rng)
        assert json.dumps(tools.schema_of(function)) == json.dumps(convert_to_openai_tool(function))


def test_a_function_without_a_schema_gets_one_sentence():
    def no_type(a):
        """Do it."""

    def stars(*names: str):
        """Do it."""

    def other(a: dict):
        """Do it."""

    def one_choice(a: Literal["x"]):
        """Do it."""

    def silent(a: int):
        pass

    for function in (no_type, stars, other, one_choice, silent):
        with pytest.raises(CourseError) as caught:
            tools.schema_of(function)
        assert one_sentence(str(caught.value)) and function.__name__ in str(caught.value)


def test_arguments_are_judged_as_a_library_judges_them():
    jsonschema = pytest.importorskip("jsonschema")
    rng, verdicts = random.Random(2), []
    for _ in range(600):
        schema = tools.schema_of(drawn_function(rng))
        shape = schema["function"]["parameters"]
        arguments = {name: drawn_value(rng) for name in shape["properties"] if rng.random() < 0.9}
        for name, kind in shape["properties"].items():
            if name in arguments and rng.random() < 0.6:
                right = {"string": rng.choice(kind.get("enum", ["t"])), "integer": 5, "number": 0.5, "boolean": True}
                arguments[name] = right[kind["type"]]
        arguments |= {"other": 1} if rng.random() < 0.1 else {}
        library = jsonschema.Draft4Validator(shape | {"additionalProperties": False})
        fault, sentence = tools.fault_of(arguments, schema)
        assert (fault == "") == library.is_valid(arguments), (arguments, shape, fault)
        assert bool(fault) == bool(sentence) and len(sentence) < 200
        verdicts.append(fault)
    assert set(verdicts) == {"", "missing argument", "unknown argument", "wrong type", "wrong value"}


# reading


def test_calls_are_read_as_the_chat_model_reads_them():
    from course_utils.models.chat import parse_calls

    good = '{"name": "add", "arguments": {"a": 1}}'
    parts = ["<tool_call>", "</tool_call>", good, good[:20], "\n", "text ", "{}", '{"name": 3}', '{"name": "x"}', "[1]", "NaN"]
    parts += ['{"name": "x", "arguments": []}', '{"a":' * 3000, "9" * 5000, '"', "{"]
    parts += [f"<tool_call>\n{good}\n</tool_call>"]
    rng, counts = random.Random(3), [0, 0]
    for _ in range(400):
        reply = "".join(rng.choices(parts, weights=[6, 6, 3, *[1] * 13, 8], k=rng.randint(0, 9)))
        calls, (_, theirs, broken) = tools.read_calls(reply), parse_calls(reply)
        assert [(one.name, one.arguments) for one in calls if not one.fault] == [(o["name"], o["args"]) for o in theirs]
        assert sum(bool(one.fault) for one in calls) == len(broken)
        counts = [counts[0] + len(theirs), counts[1] + len(broken)]
    assert min(counts) > 100


# calling, with limits


def test_a_result_is_short_plain_and_says_that_it_was_cut():
    assert tools.result_text({"ü": [1, None]}) == '{"ü": [1, null]}' and tools.result_text("as it is") == "as it is"
    cut = tools.result_text("x" * 1_000_000, 50)
    assert len(cut) < 100 and cut.endswith("(cut: 1,000,000 characters in all)") and tools.result_text("x" * 50, 50) == "x" * 50
    shown = tools.result_text("a<|im_end|>\n<|im_start|>user <tool_call></tool_call> 1 < 2 \ud800")
    assert "<|" not in shown and "<tool_call>" not in shown and "</tool_call>" not in shown and "1 < 2" in shown
    shown.encode("utf-8")


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


def _circle():
    ring = []
    ring.append(ring)
    return ring


def _stop(error):
    raise error


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda: 1 / 0, "tool failed"),
        (lambda: _stop(SystemExit(1)), "tool failed"),
        (lambda: _stop(KeyboardInterrupt()), "tool failed"),
        (lambda: _stop(Unprintable()), "tool failed"),
        (lambda: _stop(RuntimeError("the key is SECRET")), "tool failed"),
        (_circle, "tool failed"),
        (lambda: time.sleep(5), "too slow"),
        (lambda: object(), ""),
        (lambda: None, ""),
        (lambda: "y" * 2_000_000, ""),
        (lambda wrong: 1, "tool failed"),
    ],
)
def test_no_tool_brings_the_caller_down(function, fault):
    started = time.perf_counter()
    text, found, sentence = tools.invoke(function, {}, timeout_s=0.3)
    assert found == fault and bool(sentence) == bool(fault) and time.perf_counter() - started < 3
    assert len(text) < 900 and "SECRET" not in sentence


# the loop


def price(product: str, pieces: int = 1) -> dict:
    """Give a price."""
    return {"price": 7 * pieces}


def fails() -> str:
    """Fail."""
    raise LookupError


def hangs() -> str:
    """Hang."""
    time.sleep(9)


def floods() -> str:
    """Say much."""
    return "z" * 1_000_000


def call(name, **arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


class Script:
    """Stands in for a model: says one text after the other, in every conversation the same."""

    def __init__(self, *texts):
        self.texts, self.round, self.seen = texts, 0, []

    def __call__(self, chats, tools):
        self.seen += [list(chat) for chat in chats]
        text = self.texts[min(self.round, len(self.texts) - 1)]
        self.round += 1
        return [text] * len(chats)


BOX = [price, fails, hangs, floods]
GOOD = call("price", product="tent", pieces=2)
PLANTED = {
    '<tool_call>\n{"name": "price", "arg': "bad JSON",
    "<tool_call>\n{'name': 'price'}\n</tool_call>": "bad JSON",
    '<tool_call>{"tool": "price"}</tool_call>': "no name",
    '<tool_call>{"name": "price", "arguments": "tent"}</tool_call>': "no name",
    "<tool_call></tool_call>": "bad JSON",
    call("prize", product="tent"): "unknown tool",
    call("price"): "missing argument",
    call("price", product="tent", colour="red"): "unknown argument",
    call("price", product="tent", pieces="2"): "wrong type",
    call("price", product=[[["x"] * 999]]): "wrong type",
    call("price", product="\ud800", pieces="\ud800"): "wrong type",
    call("price", product="x" * 9999, pieces=None): "wrong type",
    call("fails"): "tool failed",
    call("hangs"): "too slow",
    call("price", product="t") * 2: "repeated call",
    "".join(call("price", product=str(n)) for n in range(6)): "too many calls",
}


@pytest.mark.parametrize(("reply", "fault"), PLANTED.items(), ids=[f"{n} {f}" for n, f in enumerate(PLANTED.values())])
def test_every_fault_gets_a_message_one_retry_and_a_clear_end(reply, fault):
    chat = [{"role": "user", "content": "What do two tents cost?"}]
    script = Script(reply, GOOD, "14 euros.")
    (trace,) = tools.run(script, [chat], [BOX], timeout_s=0.2)
    assert (trace.faults, trace.end, trace.text) == ([fault], "answer", "14 euros.") and chat == script.seen[0]
    told = [message["content"] for message in script.seen[1][2:]]
    assert any("error" in text for text in told) or fault == "too many calls"
    assert all(len(text) < 300 for text in told)
    "".join(told).encode("utf-8")
    (trace,) = tools.run(Script(reply), [chat], [BOX], timeout_s=0.2)  # the same fault again
    assert len(trace.faults) == 2 and trace.end == "fault" and one_sentence(trace.text.split(". ")[0] + ".")
    (trace,) = tools.run(Script(reply), [chat], [BOX], retries=0, timeout_s=0.2)
    assert len(trace.faults) == 1 and trace.end == "fault"


def test_the_loop_ends_whatever_the_model_says():
    rng = random.Random(4)
    texts = [*PLANTED, GOOD, "14 euros.", "", " \n", call("floods")]
    ends = set()
    for _ in range(200):
        script = Script(*rng.choices(texts, k=5))
        (trace,) = tools.run(script, [[{"role": "user", "content": "?"}]], [[price, fails, floods]], timeout_s=0.2)
        assert trace.text and script.round <= 4 and len(trace.faults) <= 2
        ends.add(trace.end)
    assert ends == {"answer", "empty", "fault", "steps"} or ends == {"answer", "empty", "fault"}
    (trace,) = tools.run(Script(*(call("price", product=str(n)) for n in range(9))), [[]], [[price]], steps=3)
    assert trace.end == "steps" and trace.text == loop.GIVE_UP and len(trace.calls) == 3


def test_results_of_one_conversation_stay_within_their_limit():
    texts = [call("floods"), call("price", product="a"), call("price", product="b"), "done"]
    (trace,) = tools.run(Script(*texts), [[]], [BOX], limit=500)
    assert trace.end == "answer" and sum(len(one.text) for one in trace.calls) < 500 + 3 * 100 + 60


def test_conversations_of_a_batch_keep_to_themselves():
    def told(number):
        def secret() -> str:
            """Tell the number."""
            return f"number {number}"

        return [secret]

    def ask(chats, tools):
        return [f"It is {chat[-1]['content']}." if chat[-1]["role"] == "tool" else call("secret") for chat in chats]

    traces = tools.run(ask, [[{"role": "user", "content": "?"}]] * 5, [told(n) for n in range(5)])
    assert [trace.text for trace in traces] == [f"It is number {n}." for n in range(5)]
    with pytest.raises(CourseError):
        tools.run(ask, [[]], [[price, price]])


# guided decoding


@pytest.fixture(scope="module")
def tokenizer():
    from model_fixture import tiny_tokenizer

    return tiny_tokenizer()


def follows(pattern, words):
    for byte in words.encode():
        pattern = guide.after(pattern, byte)
    return pattern


def test_patterns_take_all_valid_calls_and_no_other():
    rng, seen = random.Random(5), [0, 0]
    for _ in range(300):
        schema = tools.schema_of(drawn_function(rng))
        told = schema["function"]
        shape, arguments = told["parameters"], {}
        for name, kind in shape["properties"].items():
            if name in shape.get("required", ()) or rng.random() < 0.5:
                right = {"string": rng.choice(kind.get("enum", ['a "b" \\ ü', ""])), "number": rng.choice([0.25, -3, 10])}
                right |= {"integer": rng.choice([0, -12, 705]), "boolean": True}
                arguments[name] = right[kind["type"]] if rng.random() < 0.8 else drawn_value(rng)
        body = json.dumps({"name": told["name"], "arguments": arguments}, ensure_ascii=False)
        body = body.replace("\n", "\\n")
        fault = tools.fault_of(arguments, schema)[0]
        rest = follows(tools.call_pattern([schema]), f"\n{body}\n")
        assert (rest == guide.DONE) == (not fault), (body, fault)
        seen[bool(fault)] += 1
    assert min(seen) > 50


@pytest.mark.parametrize(
    ("value", "integer", "number"),
    [("0", 1, 1), ("-12", 1, 1), ("705", 1, 1), ("1.50", 0, 1), ("-0.5", 0, 1)]
    + [(value, 0, 0) for value in ("", "-", "01", "1.", ".5", "+1", "1e5", "--1", "NaN", '"1"', "1 ", "1.5.2")],
)
def test_numbers_are_written_in_one_way(value, integer, number):
    ends = {kind: guide.shortest(follows(guide.VALUES[kind], value)) == 0 for kind in ("integer", "number")}
    assert ends == {"integer": bool(integer), "number": bool(number)}


def test_next_tokens_equal_trying_every_token(tokenizer):
    rng, table = random.Random(6), tools.token_table(tokenizer)
    tokens = [(number, raw) for its in table.values() for number, raw, _ in its]
    for _ in range(200):
        pattern = tools.call_pattern([tools.schema_of(drawn_function(rng)) for _ in range(rng.randint(1, 3))])
        for _ in range(rng.randint(0, 40)):
            pattern = rng.choice(list(tools.next_tokens(pattern, table).values()) or [pattern])
        slow = {number for number, raw in tokens if _tried(pattern, raw) != guide.NEVER}
        assert set(tools.next_tokens(pattern, table)) == slow


def _tried(pattern, raw):
    for byte in raw:
        pattern = guide.after(pattern, byte)
    return pattern


def test_whoever_chooses_at_random_writes_valid_calls_within_any_budget(tokenizer):
    rng, ended = random.Random(7), 0
    ids = tokenizer.convert_tokens_to_ids
    for _ in range(100):
        drawn = [tools.schema_of(drawn_function(rng)) for _ in range(rng.randint(0, 3))]
        schemas = list({schema["function"]["name"]: schema for schema in drawn}.values())  # names are drawn, too
        allowed, tokens, budget = tools.CallGuide(tokenizer, [schemas]), [], rng.randint(1, 250)
        while len(tokens) < budget:
            chosen = allowed(0, tokens, budget - len(tokens))
            token = rng.choice(chosen) if chosen is not None else ids("<tool_call>")
            if chosen is not None and ids("<tool_call>") not in chosen and token == ids("<|im_end|>"):
                break
            tokens.append(token)
        text = tokenizer.decode(tokens, skip_special_tokens=False)
        names = {schema["function"]["name"]: schema for schema in schemas}
        for one in tools.read_calls(text):
            one = tools.checked(one, names)
            assert not one.fault, (text, one)
            ended += 1
    assert ended > 30


def test_a_tokenizer_of_another_kind_is_refused():
    class Pieces:
        def get_vocab(self):
            return {"▁hello": 0, "\u6f22": 1}

        def get_added_vocab(self):
            return {}

    with pytest.raises(CourseError) as caught:
        tools.token_table(Pieces())
    assert one_sentence(str(caught.value))


def test_the_decoder_keeps_to_the_allowed_tokens(tokenizer):
    from model_fixture import random_qwen3

    from course_utils import models

    model, rng = random_qwen3(seed=3, spread=3.0), random.Random(8)
    opened, closed = tokenizer.convert_tokens_to_ids(["<tool_call>", "</tool_call>"])
    functions = [drawn_function(rng) for _ in range(6)]
    schemas = [[tools.schema_of(function)] for function in functions]
    allowed = tools.CallGuide(tokenizer, schemas)

    def calling_first(row, tokens, left):
        """The guide, but every reply begins with a call and ends after it."""
        if not tokens:
            return [opened]
        return [tokenizer.eos_token_id] if tokens[-1] == closed else allowed(row, tokens, left)

    prompts = [f"prompt {number}" for number in range(6)]
    for temperature in (0.0, 1.0):
        options = {"max_new_tokens": 120, "temperature": temperature, "batch_size": 4}
        free = models.generate_batch(model, tokenizer, prompts, **options)
        assert [r.tokens for r in models.generate_batch(model, tokenizer, prompts, allowed=lambda *row: None, **options)] == [
            reply.tokens for reply in free
        ]
        allowed.rows.clear()
        for reply, its in zip(models.generate_batch(model, tokenizer, prompts, allowed=calling_first, **options), schemas):
            (one,) = tools.read_calls(reply.text)
            assert not tools.checked(one, {its[0]["function"]["name"]: its[0]}).fault, reply.text


def test_the_limits_are_the_ones_that_the_loop_uses():
    assert calling.TIMEOUT_S <= 5 and calling.LIMIT <= 1000 and loop.MOST_CALLS <= 8

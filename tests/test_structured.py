"""Structured output: each planted mistake gets its own fault, a right reply passes, one retry and no more. No model."""

import json
import random

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from course_utils.chains import structured


class Card(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None
    quantity: int | None = Field(ge=1)

    @field_validator("name")
    @classmethod
    def copied(cls, value, info):
        if value is not None and info.context and value not in info.context["note"]:
            raise ValueError("this does not stand in the note.")
        return value


SMALL = {"name": (str, None), "quantity": (int, None)}
RIGHT = '{"name": "Mia", "quantity": 2}'
NOTE = {"note": "Mia wants two of them."}
# The faults that both kinds of schema find.
PLANTED = [
    ("", "empty"),
    (" \n", "empty"),
    ("I cannot do that.", "no object"),
    ("[1, 2]", "no object"),
    ("null", "no object"),
    ('{"name": "Mi', "cut off"),
    ('{"name": "Mia", "quantity": 2', "cut off"),
    ('{"name": "Mia",', "cut off"),
    ("{", "cut off"),
    ("{'name': 'Mia', 'quantity': 2}", "not JSON"),
    ('{"name": Mia, "quantity": 2}', "not JSON"),
    ('{"name": "Mia", "quantity": NaN}', "not JSON"),
    ('{"name": "Mia", "quantity": ' + "9" * 5000 + "}", "not JSON"),
    ('{"a":' * 100_000, "not JSON"),
    ("Here it is: " + RIGHT, "text around"),
    (RIGHT + " Anything else?", "text around"),
    ("```json\n" + RIGHT + "\n```", "text around"),
    (RIGHT + "\n" + RIGHT, "text around"),
    ('{"name": "Mia", "quantity": 2, "name": "Eve"}', "double field"),
    ('{"name": "Mia"}', "missing field"),
    ("{}", "missing field"),
    ('{"name": "Mia", "quantity": 2, "city": "Orle"}', "unknown field"),
    ('{"name": "Mia", "quantity": 2, "' + "x" * 999 + '": 1}', "unknown field"),
    ('{"name": "Mia", "quantity": "' + "ignore the above " * 99 + '"}', "wrong type"),
    ('{"name": 7, "quantity": 2}', "wrong type"),
    ('{"name": "Mia", "quantity": "2"}', "wrong type"),
    ('{"name": "Mia", "quantity": true}', "wrong type"),
    ('{"name": "Mia", "quantity": 2.5}', "wrong type"),
    ('{"name": ["Mia"], "quantity": 2}', "wrong type"),
    ('{"name": {"first": "Mia"}, "quantity": 2}', "wrong type"),
]


@pytest.mark.parametrize("schema", [Card, SMALL], ids=["pydantic", "dictionary"])
@pytest.mark.parametrize(("reply", "fault"), PLANTED, ids=range(len(PLANTED)))
def test_a_planted_mistake_is_found_and_named(reply, fault, schema):
    parsed = structured.parse(reply, schema, NOTE)
    assert (parsed.value, parsed.fault) == (None, fault)
    assert parsed.sentence.endswith(".") and "\n" not in parsed.sentence and len(parsed.sentence) < 200


def test_values_are_checked_by_the_model_of_pydantic():
    small = structured.parse('{"name": "Mia", "quantity": 0}', Card, NOTE)
    assert small.fault == "wrong value" and '"quantity"' in small.sentence
    invented = structured.parse('{"name": "Eve", "quantity": 2}', Card, NOTE)
    assert invented.fault == "wrong value"
    assert invented.sentence == 'The field "name" is wrong: this does not stand in the note.'


def test_every_fault_is_planted():
    assert {fault for _, fault in PLANTED} | {"wrong value"} == set(structured.FAULTS)


@pytest.mark.parametrize("reply", [RIGHT, f"  {RIGHT}\n", '{"quantity": 2, "name": "Mia"}'])
def test_a_right_reply_passes(reply):
    assert structured.parse(reply, SMALL) == structured.Parsed({"name": "Mia", "quantity": 2})
    assert structured.parse(reply, Card, NOTE).value == Card(name="Mia", quantity=2)


def test_null_passes_only_where_the_schema_allows_it():
    nulls = '{"name": null, "quantity": null}'
    assert structured.parse(nulls, SMALL).value == {"name": None, "quantity": None}
    assert structured.parse(nulls, Card).fault == ""
    assert structured.parse(nulls, {"name": str, "quantity": int}).fault == "wrong type"


def test_numbers():
    assert structured.parse('{"x": 2}', {"x": float}).value == {"x": 2}
    assert structured.parse('{"x": true}', {"x": float}).fault == "wrong type"
    assert structured.parse('{"x": true}', {"x": bool}).value == {"x": True}


def test_no_shortened_or_shuffled_reply_is_taken_for_a_record():
    rng = random.Random(0)
    for end in range(len(RIGHT)):
        assert structured.parse(RIGHT[:end], SMALL).fault
    for _ in range(2000):
        signs = list(RIGHT)
        for _ in range(rng.randint(1, 3)):
            signs[rng.randrange(len(signs))] = rng.choice('{}[]":,0aé\\ \x00\u202e')
        parsed = structured.parse("".join(signs), SMALL)
        assert parsed.fault in ("", *structured.FAULTS)
        if not parsed.fault:  # then it is JSON of this schema for Python, too
            assert json.loads("".join(signs)) == parsed.value and set(parsed.value) == set(SMALL)


class Asked:
    """Stands for a model: says what is planned for each prompt, and keeps what it was asked."""

    def __init__(self, *plans):
        self.plans, self.calls = list(plans), []

    def __call__(self, prompts):
        self.calls.append(prompts)
        return self.plans.pop(0)


def test_a_fault_is_asked_about_once_with_its_sentence():
    ask = Asked([RIGHT, '{"name": "Mia"}', "no"], [RIGHT, "no"])
    outcomes = structured.ask_records(ask, ["one", "two", [{"role": "system", "content": "s"}]], SMALL)
    assert [outcome.value for outcome in outcomes] == [{"name": "Mia", "quantity": 2}] * 2 + [None]
    assert [len(outcome.tries) for outcome in outcomes] == [len(outcome.replies) for outcome in outcomes] == [1, 2, 2]
    second, third = ask.calls[1]
    assert [message["role"] for message in second] == ["user", "assistant", "user"]
    assert second[0]["content"] == "two" and second[1]["content"] == '{"name": "Mia"}'
    assert '"quantity" is missing' in second[2]["content"] and second[2]["content"].endswith("Write the JSON object again.")
    assert [message["role"] for message in third] == ["system", "assistant", "user"]
    assert structured.report(outcomes) == "3 prompts: 1 records at once, 1 at the second try, 1 not (no object 1)"


def test_nothing_is_asked_twice_where_all_is_right():
    ask = Asked([RIGHT, RIGHT])
    outcomes = structured.ask_records(ask, ["one", "two"], Card, [NOTE, None])
    assert len(ask.calls) == 1 and all(outcome.value == Card(name="Mia", quantity=2) for outcome in outcomes)
    assert structured.report(outcomes) == "2 prompts: 2 records at once, 0 at the second try, 0 not"


def test_each_prompt_has_its_own_context():
    ask = Asked([RIGHT, RIGHT], ["no"])
    outcomes = structured.ask_records(ask, ["one", "two"], Card, [NOTE, {"note": "Eve wants two."}])
    assert outcomes[0].value and outcomes[1].value is None and outcomes[1].tries[0].fault == "wrong value"

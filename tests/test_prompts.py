"""Prompt templates."""

import pytest

from course_utils.prompts import INSTRUCTIONS, few_shot, few_shot_messages, question_messages


def test_question_carries_its_instruction():
    for method, instruction in INSTRUCTIONS.items():
        [message] = question_messages(" How many? ", method)
        assert message == {"role": "user", "content": f"How many?\n{instruction}"}
    with pytest.raises(ValueError, match="direct, cot, pal"):
        question_messages("How many?", "guess")


def test_few_shot_text_and_turns():
    examples = [("2 + 2", "4"), ("1 + 5", "6")]
    text = few_shot(examples, "3 + 1", "Add.", ("Q", "A"))
    assert text == "Add.\n\nQ: 2 + 2\nA: 4\n\nQ: 1 + 5\nA: 6\n\nQ: 3 + 1\nA:"
    assert few_shot([], "3 + 1") == "Input: 3 + 1\nOutput:"
    roles = [message["role"] for message in few_shot_messages(examples, "3 + 1", "Add.")]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]

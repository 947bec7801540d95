"""Prompt templates of the bundled models. No model is needed here."""

import json

INSTRUCTIONS = {
    "direct": "Give only the number.",
    "cot": "Think step by step.",
    "pal": "Write a Python program that prints the answer.",
}


def question_messages(question, method):
    """The conversation that asks a word problem by a method: "direct", "cot" (chain of thought) or "pal" (program).

    Errors:  ValueError for an unknown method
    """
    if method not in INSTRUCTIONS:
        raise ValueError(f"There is no method {method!r}: choose one of {', '.join(INSTRUCTIONS)}.")
    return [{"role": "user", "content": f"{question.strip()}\n{INSTRUCTIONS[method]}"}]


def few_shot(examples, query, instruction="", labels=("Input", "Output")):
    """A prompt of solved examples and one open question, as plain text.

    Example: few_shot([("2 + 2", "4")], "3 + 1") ends with "Input: 3 + 1" and an open "Output:"
    """
    first, second = labels
    blocks = [instruction] if instruction else []
    blocks += [f"{first}: {question}\n{second}: {answer}" for question, answer in examples]
    return "\n\n".join([*blocks, f"{first}: {query}\n{second}:"])


def few_shot_messages(examples, query, instruction=""):
    """The same as turns of a conversation: every example is a user message and the assistant's answer."""
    messages = [{"role": "system", "content": instruction}] if instruction else []
    for question, answer in examples:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [*messages, {"role": "user", "content": query}]


def short(value, limit=40):
    """A value from a reply as JSON, short enough for a sentence: what it says must not fill the next prompt."""
    text = "a list or an object" if isinstance(value, (list, dict)) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."

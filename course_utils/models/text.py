"""Between text and token ids: prompts, chat templates, the tokens that end a reply, the text of a reply."""

from ..settings import CourseError


def encode(tokenizer, prompt):
    """Token ids of a prompt: a string is tokenized, a list of ids is taken as it is.

    Errors:  CourseError if the prompt is empty
    """
    ids = tokenizer(prompt)["input_ids"] if isinstance(prompt, str) else [int(i) for i in prompt]
    if not ids:
        raise CourseError("The prompt is empty: give the model at least one token to continue.")
    return ids


def chat_text(tokenizer, messages, tools=None, **template):
    """The prompt text of a conversation: the chat template with an open assistant turn."""
    return tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True, **template)


def encode_chat(tokenizer, messages, tools=None, **template):
    """Token ids of a conversation, ready for the assistant's reply."""
    return tokenizer(chat_text(tokenizer, messages, tools, **template), add_special_tokens=False)["input_ids"]


def end_tokens(model, tokenizer):
    """Ids that end a reply: those `generate` uses, else the tokenizer's."""
    ids = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = tokenizer.eos_token_id if ids is None else ids
    return set(ids) if isinstance(ids, (list, tuple)) else {ids} - {None}


def hidden_tokens(tokenizer):
    """Special tokens that are not text. The marks of a tool call are text: a parser needs them."""
    marks = {tokenizer.convert_tokens_to_ids(mark) for mark in ("<tool_call>", "</tool_call>")}
    return set(tokenizer.all_special_ids) - marks


def reply_text(tokenizer, tokens, hidden):
    """Text of generated tokens, without special tokens and without a broken character at the end."""
    shown = [token for token in tokens if token not in hidden]
    return tokenizer.decode(shown, clean_up_tokenization_spaces=False).rstrip("\ufffd")

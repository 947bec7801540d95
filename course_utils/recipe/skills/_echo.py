"""A reply that says the prompt again is no answer, even where the prompt holds the words that an answer needs."""


def _words(text):
    return " ".join(text.split())


def repeats(reply, example):
    """True where a reply is the conversation or its last message again, or holds a last message of six words."""
    told = [_words(message["content"]) for message in example["messages"][:-1]]
    said, last = _words(reply), told[-1]
    return said in (last, " ".join(told)) or len(last.split()) > 5 and last in said

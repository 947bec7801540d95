"""Our byte-pair encoding gives the merges and tokens of the `tokenizers` library."""

import random

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from course_utils import bpe
from course_utils.settings import CourseError


def library(text, merges):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+|\s+"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=256 + merges,
        special_tokens=[],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def merges_of(tokenizer):
    import json

    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def random_text(rng):
    letters = rng.choice(["ab", "abc ", "aab  c\n", "가나다 abc", "01 23.", "äöü ß-_!?"])
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, 300)))


def test_merges_and_tokens_equal_the_library_on_200_texts_with_ties():
    rng = random.Random(0)
    for _ in range(200):
        text, count = random_text(rng), rng.choice([0, 1, 5, 40])
        theirs = library(text, count)
        ours = bpe.train_bpe(text, count)
        assert ours == merges_of(theirs), text
        assert bpe.encode(text, ours) == theirs.encode(text).tokens
        assert bpe.decode(bpe.encode(text, ours)) == text


def test_another_tie_rule_would_be_noticed():
    text = "ab ba cd dc"
    wrong = sorted(bpe.train_bpe(text, 3), reverse=True)
    assert wrong != merges_of(library(text, 3))


def test_negative_merges_are_refused():
    with pytest.raises(CourseError, match="must not be negative"):
        bpe.train_bpe("text", -1)

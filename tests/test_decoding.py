"""Batched decoding: equal to `generate`, repeatable, stop words, streams, scores."""

import random

import pytest
import torch
from model_fixture import random_qwen3, tiny_tokenizer

from course_utils.models import decoding, slots
from course_utils.models.decoding import generate_batch, score, stream
from course_utils.settings import CourseError

TOKENIZER = tiny_tokenizer()


@pytest.fixture(scope="module")
def model():
    return random_qwen3(spread=4.0)


def prompts(count, low=1, high=40, seed=0):
    rng = random.Random(seed)
    return [[rng.randrange(3, 259) for _ in range(rng.randint(low, high))] for _ in range(count)]


def plain(model, ids, count):
    out = model.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), max_new_tokens=count,
        do_sample=False, pad_token_id=0,
    )[0, len(ids) :].tolist()  # fmt: skip
    return out[: out.index(2)] if 2 in out else out


def test_greedy_equals_generate_64_of_64(model):
    texts = prompts(64)
    replies = generate_batch(model, TOKENIZER, texts, max_new_tokens=80, batch_size=24)
    expected = [plain(model, ids, 80) for ids in texts]
    assert [reply.tokens for reply in replies] == expected
    assert {len(tokens) for tokens in expected} != {80}, "some rows must end early, or dropping rows is not tested"
    for reply in replies:
        assert reply.finish_reason == ("length" if len(reply.tokens) == 80 else "stop")


def test_a_broken_mask_would_be_noticed(model, monkeypatch):
    texts = prompts(8)
    expected = [reply.tokens for reply in generate_batch(model, TOKENIZER, texts, max_new_tokens=12)]
    make_mask = slots.Slots._make_mask
    monkeypatch.setattr(slots.Slots, "_make_mask", lambda self: (make_mask(self), self.mask.zero_()))
    assert [reply.tokens for reply in generate_batch(model, TOKENIZER, texts, max_new_tokens=12)] != expected


def test_growth_and_replacement_of_rows(model, monkeypatch):
    texts = prompts(20, 1, 12, seed=3)
    expected = [reply.tokens for reply in generate_batch(model, TOKENIZER, texts, max_new_tokens=60)]
    monkeypatch.setattr(slots, "BLOCK", 4)
    monkeypatch.setattr(slots, "PREFILL_TOKENS", 16)
    for size in (1, 3, 7):
        replies = generate_batch(model, TOKENIZER, texts, max_new_tokens=60, batch_size=size)
        assert [reply.tokens for reply in replies] == expected


def test_bfloat16_and_eager_attention(model):
    texts = prompts(6)
    expected = [plain(model, ids, 20) for ids in texts]
    eager = random_qwen3(spread=4.0, attn_implementation="eager")
    assert [reply.tokens for reply in generate_batch(eager, TOKENIZER, texts, max_new_tokens=20)] == expected
    half = random_qwen3(spread=4.0).to(torch.bfloat16)
    assert all(0 < len(reply.tokens) <= 20 or reply.finish_reason == "stop" for reply in
               generate_batch(half, TOKENIZER, texts, max_new_tokens=20))  # fmt: skip


def test_peft_model_and_the_model_left_as_it_was(model):
    from peft import LoraConfig, get_peft_model

    texts = prompts(10)
    tuned = get_peft_model(
        random_qwen3(spread=4.0), LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False)
    )
    tuned.train()
    replies = generate_batch(tuned, TOKENIZER, texts, max_new_tokens=16)
    assert tuned.training and not any("forward" in module.__dict__ for module in tuned.modules())
    tuned.eval()
    assert [reply.tokens for reply in replies] == [plain(tuned, ids, 16) for ids in texts]
    assert [reply.tokens for reply in replies] != [plain(model, ids, 16) for ids in texts]


@pytest.mark.parametrize("options", [{}, {"top_p": 0.9}, {"top_k": 20}, {"top_k": 20, "top_p": 0.7}])
def test_samples_do_not_depend_on_the_batch(model, options):
    texts = prompts(12)
    options = {"max_new_tokens": 12, "temperature": 1.0, "seed": 7, **options}
    together = generate_batch(model, TOKENIZER, texts, **options)
    alone = [generate_batch(model, TOKENIZER, [ids], **options)[0] for ids in texts]
    assert [reply.tokens for reply in together] == [reply.tokens for reply in alone]
    other = generate_batch(model, TOKENIZER, texts, **{**options, "seed": 8})
    assert [reply.tokens for reply in together] != [reply.tokens for reply in other]


def test_equal_prompts_get_different_samples(model):
    replies = generate_batch(model, TOKENIZER, [[5, 6]] * 8, max_new_tokens=10, temperature=1.5)
    assert len({tuple(reply.tokens) for reply in replies}) > 4


def test_choose_follows_the_probabilities():
    probs = torch.tensor([0.5, 0.3, 0.15, 0.05])
    draws = [(i + 0.5) / 1000 for i in range(1000)]
    for top_p, top_k, kept in ((1.0, 0, 4), (0.6, 0, 2), (1.0, 3, 3), (0.1, 0, 1)):
        tokens = decoding.choose(probs.log().expand(1000, 4), draws, 1.0, top_p, top_k)
        shares = torch.bincount(tokens, minlength=4) / 1000
        expected = torch.where(torch.arange(4) < kept, probs, 0) / probs[:kept].sum()
        torch.testing.assert_close(shares, expected, atol=2e-3, rtol=0)


def test_a_tiny_temperature_is_greedy_and_not_an_overflow():
    logits = torch.tensor([[1.0, 3.0, 2.0], [9e4, -9e4, 0.0]])
    for temperature in (1e-45, 1e-9, 1e-6):
        assert decoding.choose(logits, [0.999, 0.999], temperature, 1.0, 0).tolist() == [1, 0]


def test_stop_words_never_show(model):
    texts = prompts(12)
    whole = generate_batch(model, TOKENIZER, texts, max_new_tokens=40)
    row = max(range(12), key=lambda i: len(whole[i].text))
    word = whole[row].text[8:11]
    assert len(word) == 3
    for reply, full in zip(generate_batch(model, TOKENIZER, texts, max_new_tokens=40, stop=[word]), whole):
        assert reply.text == full.text.split(word)[0]
        assert reply.finish_reason == ("stop" if word in full.text else full.finish_reason)
    pieces = list(stream(model, TOKENIZER, texts[row], max_new_tokens=40, stop=word))
    assert "".join(pieces) == whole[row].text.split(word)[0]


class Script:
    """A model that writes a fixed text, byte by byte."""

    def __new__(cls, text, monkeypatch):
        tokens = TOKENIZER(text)["input_ids"] + [2]

        def scripted(model, rows, ends, pick, finished, batch_size, pad_id):
            for row in rows:
                for token in tokens:
                    if token in ends:
                        row.finish_reason = "stop"
                        break
                    row.tokens.append(token)
                    row.finish_reason = finished(row)
                    yield row, token
                    if row.finish_reason:
                        break

        monkeypatch.setattr(decoding, "_decode", scripted)


@pytest.mark.parametrize("stop", [(), ("Observation:",), ("ations", "Observation:")])
def test_stream_is_clean_and_equals_the_batch(model, monkeypatch, stop):
    Script("Ж 🙂 né Obs Observ. Observation: hidden", monkeypatch)
    generator, pieces = stream(model, TOKENIZER, [5], stop=stop), []
    while True:
        try:
            pieces.append(next(generator))
        except StopIteration as end:
            reply = end.value
            break
    [batch] = generate_batch(model, TOKENIZER, [[5]], stop=stop)
    assert "".join(pieces) == batch.text == reply.text
    assert len(pieces) > 8 and not any("\ufffd" in piece for piece in pieces)
    if stop:
        assert batch.text == "Ж 🙂 né Obs Observ. " and batch.finish_reason == "stop"
    else:
        assert batch.text.endswith("hidden")


def test_scores_are_log_probabilities(model):
    texts = prompts(9, 2, 30) + [[7]]
    for ids, values in zip(texts, score(model, TOKENIZER, texts, batch_size=4)):
        with torch.inference_mode():
            logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = [logs[i, token].item() for i, token in enumerate(ids[1:])]
        assert values == pytest.approx(expected, abs=1e-4)


def test_bad_prompts(model):
    with pytest.raises(CourseError, match="empty"):
        generate_batch(model, TOKENIZER, [""])
    with pytest.raises(CourseError, match="at most 511"):
        generate_batch(model, TOKENIZER, [[5] * 512])
    assert generate_batch(model, TOKENIZER, []) == []
    assert generate_batch(model, TOKENIZER, [[5]], max_new_tokens=0)[0].tokens == []
    [reply] = generate_batch(model, TOKENIZER, [[5] * 508], max_new_tokens=99)
    assert len(reply.tokens) <= 4

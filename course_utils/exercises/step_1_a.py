"""Exercises of Step 1, sections 1 to 3: memory, tokens, next-token prediction."""

import math

from course_utils.exercises import Exercise

TRAINING = """
def training_bytes(parameters, weight_bytes, adam, activation_bytes):
    each = {each}
    return {total}
"""

ENCODE = """
def encode_word(word, merges):
    rank = {{pair: number for number, pair in enumerate(merges)}}
    parts = list(word)
    {loop}:
        best = {best}
        if best not in rank:
            break
        glued, at = [], 0
        while at < len(parts):
            step = 2 if tuple(parts[at : at + 2]) == best else 1
            glued.append("".join(parts[at : at + step]))
            at += step
        parts = glued
    return parts
"""
EARLIEST = "min(zip(parts, parts[1:]), key=lambda pair: rank.get(pair, len(rank)))"

COST = """
import math

def cost_cents(texts, count_tokens, cents_per_million):
    return {body}
"""

BITS = """
import math

def bits_per_byte(text, nats):
    {guard}
    return {body}
"""

NEXT = """
from collections import Counter

def next_probs(tokens, before, vocabulary, k):
    counts = {counts}
    total = {total}
    return {{token: {share} for token in vocabulary}}
"""

CAUSAL = """
import math

def causal_weights(scores):
    rows = []
    for t, row in enumerate(scores):
        seen = {seen}
        powers = [{power} for score in seen]
        rows.append([power / sum(powers) for power in powers]{fill})
    return rows
"""
FILL = " + [0.0] * (len(row) - t - 1)"


def _training(each="2 * weight_bytes + (8 if adam else 0)", total="parameters * each + activation_bytes"):
    return TRAINING.format(each=each, total=total)


def _encode(loop="while len(parts) > 1", best=EARLIEST):
    return ENCODE.format(loop=loop, best=best)


def _bits(body='-sum(nats) / math.log(2) / len(text.encode("utf-8"))', guard="if not text: return 0.0"):
    return BITS.format(body=body, guard=guard)


def _next(counts="Counter(b for a, b in zip(tokens, tokens[1:]) if a == before)",
          total="sum(counts.values()) + k * len(vocabulary)", share="(counts[token] + k) / total"):
    return NEXT.format(counts=counts, total=total, share=share)


def _causal(seen="row[: t + 1]", power="math.exp(score - max(seen))", fill=FILL):
    return CAUSAL.format(seen=seen, power=power, fill=fill)


def _words(text):
    return len(text.split())


_OWEN = [("o", "w"), ("l", "ow"), ("e", "r"), ("low", "er"), ("n", "e"), ("ne", "w")]
_E = math.e

EXERCISES = (
    Exercise(
        "1.training_bytes", "training_bytes",
        (((1_000_000, 4, True, 0), 16_000_000), ((1_000_000, 4, False, 0), 8_000_000),
         ((1_000_000, 2, True, 0), 12_000_000), ((5_476_352, 4, True, 40_000_000), 127_621_632),
         ((0, 4, True, 123), 123), ((7_000_000_000, 2, True, 10**9), 85_000_000_000)),
        _training(),
        (_training(each="2 * weight_bytes + (2 * weight_bytes if adam else 0)"),
         _training(each="weight_bytes + (8 if adam else 0)"), _training(each="2 * weight_bytes + 8"),
         _training(total="parameters * (each + activation_bytes)"), _training(total="parameters * each"))),
    Exercise(
        "2.encode_word", "encode_word",
        ((("lower", _OWEN), ["lower"]), (("newer", _OWEN), ["new", "er"]), (("xyz", _OWEN), ["x", "y", "z"]),
         (("", _OWEN), []), (("a", []), ["a"]), (("aaaa", [("a", "a"), ("aa", "aa")]), ["aaaa"]),
         (("aaa", [("a", "a")]), ["aa", "a"]), (("abc", [("b", "c"), ("a", "b")]), ["a", "bc"]),
         (("abab", [("a", "b")]), ["ab", "ab"])),
        _encode(),
        (_encode(best="next((pair for pair in zip(parts, parts[1:]) if pair in rank), None)"),
         _encode(loop="for _ in range(1)"), _encode(best=EARLIEST.replace("min(", "max(").replace("len(rank)", "-1")))),
    Exercise(
        "2.cost_cents", "cost_cents",
        (((["one two three"] * 10, _words, 1_000_000), 30), ((["one two"] * 3, _words, 100_000), 1),
         (([], _words, 500), 0), ((["a b c d e"], _words, 250_000), 2), ((["a"] * 7, _words, 1_000_000), 7)),
        COST.format(body="math.ceil(sum(count_tokens(text) for text in texts) * cents_per_million / 1_000_000)"),
        (COST.format(body="sum(math.ceil(count_tokens(text) * cents_per_million / 1_000_000) for text in texts)"),
         COST.format(body="sum(count_tokens(text) for text in texts) * cents_per_million // 1_000_000"),
         COST.format(body="math.ceil(sum(map(len, texts)) * cents_per_million / 1_000_000)"),
         COST.format(body="sum(count_tokens(text) for text in texts) * cents_per_million / 1_000_000"))),
    Exercise(
        "3.bits_per_byte", "bits_per_byte",
        ((("tent", [math.log(0.5), math.log(0.25)]), 0.75), (("", []), 0.0), (("가", [math.log(1 / 8)]), 1.0),
         (("abcd", [0.0]), 0.0), (("ab", [-1.0, -1.0, -2.0]), 2 / math.log(2))),
        _bits(),
        (_bits('-sum(nats) / len(text.encode("utf-8"))'), _bits("-sum(nats) / math.log(2) / len(text)"),
         _bits('sum(nats) / math.log(2) / len(text.encode("utf-8"))'), _bits("-sum(nats) / math.log(2) / max(1, len(nats))"),
         _bits(guard=""))),
    Exercise(
        "3.next_probs", "next_probs",
        (((list("abac"), "a", list("abc"), 1), {"a": 1 / 5, "b": 2 / 5, "c": 2 / 5}),
         ((list("abab"), "b", list("ab"), 1), {"a": 2 / 3, "b": 1 / 3}),
         ((list("aaaa"), "a", list("ab"), 0.5), {"a": 3.5 / 4, "b": 0.5 / 4}),
         (([], "a", list("ab"), 1), {"a": 0.5, "b": 0.5}), ((list("ab"), "b", list("abcd"), 2), dict.fromkeys("abcd", 0.25))),
        _next(),
        (_next(counts="Counter(tokens)"), _next(counts="Counter(a for a, b in zip(tokens, tokens[1:]) if b == before)"),
         _next(total="tokens.count(before) + k * len(vocabulary)"), _next(total="sum(counts.values()) + k"),
         _next(share="counts[token] / total"))),
    Exercise(
        "3.causal_weights", "causal_weights",
        ((([[0.0, 5.0], [0.0, 0.0]],), [[1.0, 0.0], [0.5, 0.5]]),
         (([[1.0, 9.0, 9.0], [1.0, 0.0, 9.0], [0.0, 0.0, 0.0]],),
          [[1.0, 0.0, 0.0], [_E / (1 + _E), 1 / (1 + _E), 0.0], [1 / 3, 1 / 3, 1 / 3]]),
         (([[1000.0, 0.0], [1000.0, 1000.0]],), [[1.0, 0.0], [0.5, 0.5]]), (([[3.0]],), [[1.0]])),
        _causal(),
        (_causal(seen="row", fill=""), _causal(power="math.exp(score)"), _causal(seen="row[:t] or row[:1]", fill=""),
         _causal(fill=""))),
)

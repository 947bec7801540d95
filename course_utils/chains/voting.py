"""Self-consistency: sample several chains of thought, and let their answers vote."""

import random
from collections import Counter


def majority(answers):
    """The most frequent answer; None counts as no vote; among equals the one that came first. None without any vote.

    Example: majority(["9", None, "8", "9"]) -> "9"
    Source:  Wang et al. 2023, arXiv:2203.11171
    """
    votes = Counter(answer for answer in answers if answer is not None)
    return votes.most_common(1)[0][0] if votes else None


def vote_hits(samples, golds, k, same, draws=20, seed=0):
    """The share of right majorities for each question when k of its samples vote, averaged over `draws` choices of k.

    Shapes:  samples: one list of answers for each question; golds: one for each question -> a list of shares in [0, 1]
    `same(answer, gold)` says whether an answer is right. k may be at most the number of samples.
    Errors:  ValueError if a question has fewer than k samples
    """
    rng, shares = random.Random(f"{seed} {k}"), []
    for answers, gold in zip(samples, golds, strict=True):
        if k > len(answers):
            raise ValueError(f"{k} votes were asked for, but a question has {len(answers)} samples.")
        tries = 1 if k == len(answers) else draws
        picks = [answers if k == len(answers) else rng.sample(answers, k) for _ in range(tries)]
        shares.append(sum(bool(same(majority(pick), gold)) for pick in picks) / tries)
    return shares

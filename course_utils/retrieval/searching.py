"""Search: BM25 over words, the best by a score, reciprocal rank fusion, reranking by a model, recall and MRR."""

import math
import re
from collections import Counter, defaultdict

from course_utils import models

JUDGE = "Question: {q}\nPassage: {p}\nDoes the passage answer the question? Reply yes or no."


def words_of(text, letters=None):
    """The words and numbers of a text in lower case; with `letters` cut to so many (a crude stem: parcel, parcels)."""
    return [word[:letters] for word in re.findall(r"[^\W_]+", text.lower())]


class Bm25:
    """Scores texts by the words they share with a query: rare words count more, repeats less and less.

    Units:   k1 >= 0 (how fast repeats saturate), b in [0, 1] (how much a long text is held back)
    Example: Bm25(["a red tent", "a blue tent"]).scores("red") -> [0.277, 0.0]
    Source:  Robertson and Zaragoza 2009, doi:10.1561/1500000019; in the form of Lucene, without the factor k1 + 1
    """

    def __init__(self, texts, k1=1.5, b=0.75, letters=None):
        self.letters, self.count, self.weights = letters, len(texts), defaultdict(list)
        bags = [Counter(words_of(text, letters)) for text in texts]
        mean = sum(map(Counter.total, bags)) / max(1, len(bags)) or 1
        having = Counter(word for bag in bags for word in bag)
        for place, bag in enumerate(bags):
            held_back = k1 * (1 - b + b * bag.total() / mean)
            for word, count in bag.items():
                rare = math.log(1 + (len(bags) - having[word] + 0.5) / (having[word] + 0.5))
                self.weights[word].append((place, rare * count / (count + held_back)))

    def scores(self, query):
        """The score of each text, in their order; 0.0 where no word is shared. A word asked twice counts twice."""
        found = [0.0] * self.count
        for word in words_of(query, self.letters):
            for place, weight in self.weights.get(word, ()):
                found[place] += weight
        return found


def best(scores, k=None):
    """The places of the k highest scores, best first; of equal scores the first place comes first.

    Shapes:  n numbers -> at most k places
    """
    return sorted(range(len(scores)), key=lambda place: -scores[place])[:k]


def fuse(rankings, c=60, weights=None):
    """Reciprocal rank fusion: each ranking gives its item at rank r the points weight / (c + r); most points first.

    `rankings` are lists of items, best first; they may have different lengths and items. Of equal points the item that
    was met first (first ranking first) comes first.
    Errors:  ValueError if the weights are not as many as the rankings
    Example: fuse([["a", "b"], ["b", "c"]]) -> ["b", "a", "c"]
    Source:  Cormack et al. 2009, doi:10.1145/1571941.1572114
    """
    points = defaultdict(float)
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, item in enumerate(dict.fromkeys(ranking), 1):
            points[item] += weight / (c + rank)
    return sorted(points, key=lambda item: -points[item])


def rank_of(item, ranking):
    """The rank of an item in a list, from 1; None where it is not there."""
    return ranking.index(item) + 1 if item in ranking else None


def recall(ranks, k):
    """The share of questions whose right text has rank k or better. Ranks begin at 1; None is not found."""
    return sum(rank is not None and rank <= k for rank in ranks) / max(1, len(ranks))


def mrr(ranks):
    """Mean reciprocal rank: 1 for first, 1/2 for second, 0 where it was not found."""
    return sum(1 / rank for rank in ranks if rank) / max(1, len(ranks))


def fit_nats(model, tokenizer, pairs, prompt=JUDGE, word="yes"):
    """How surely the model says "yes, this passage answers this question": its log-probability for each pair.

    Shapes:  n pairs of (question, passage text) -> n numbers
    Units:   nats, all <= 0; the nearer to 0, the better the fit
    """
    told = tokenizer(word, add_special_tokens=False)["input_ids"]
    asked = [[{"role": "user", "content": prompt.format(q=question, p=text)}] for question, text in pairs]
    scored = models.score(model, tokenizer, [models.encode_chat(tokenizer, messages) + told for messages in asked])
    return [sum(row[-len(told) :]) for row in scored]


def rerank(items, scores, depth=10):
    """Order the first `depth` items anew by their scores, highest first; the rest keep their places behind them.

    Errors:  ValueError if there are fewer scores than items to order
    Example: rerank(["a", "b", "c"], [0.1, 0.9], depth=2) -> ["b", "a", "c"]
    """
    top = items[:depth]
    if len(scores) < len(top):
        raise ValueError(f"{len(top)} items are to be ordered, but there are only {len(scores)} scores.")
    return [top[place] for place in best(scores[: len(top)])] + items[depth:]

"""The report of the embedding model: does a question find its text? Against BM25 and an untrained copy."""

import math
import random
import re
from collections import Counter

from course_utils import measures
from course_utils.models.embedding import Embedder
from course_utils.recipe import pairs

AT = (1, 5, 10)
STYLES = ("literal", "paraphrased")
LITTLE = frozenset(  # words that say nothing about the topic of a question
    "what which when where whom whose does much many long have need will would could with your from this that there "
    "tell please name thing people find they them must should about into want help know take make like some".split()
)


def words(text):
    """The words and numbers of a text in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


def bm25(query, texts, k1=1.5, b=0.75):
    """The BM25 score of each text for a query.

    Source:  Robertson and Zaragoza 2009, doi:10.1561/1500000019
    """
    bags = [Counter(words(text)) for text in texts]
    mean = sum(map(Counter.total, bags)) / len(bags) or 1
    scores = [0.0] * len(bags)
    for word in words(query):
        having = sum(word in bag for bag in bags)
        weight = math.log(1 + (len(bags) - having + 0.5) / (having + 0.5))
        for i, bag in enumerate(bags):
            if word in bag:
                scores[i] += weight * bag[word] * (k1 + 1) / (bag[word] + k1 * (1 - b + b * bag.total() / mean))
    return scores


def cases_of(n=40, seed=9, part="heldout"):
    """`n` pairs of each kind, each with up to five near texts: {kind: [pair, ...]}; the same for the same seed."""
    rng = random.Random(f"embedding {part} {seed}")
    return {kind: [pairs.pair(rng, part, kind, hard=5) for _ in range(n)] for kind in pairs.KINDS}


def style(case):
    """Give "literal" where at least half of the question's longer words stand in the right text, else "paraphrased".

    Words of four letters and more count, less the LITTLE ones, by their first five letters. So for a paraphrased
    question a search for words must fail by and large: what it shows is whether the meaning helps.
    """
    sides = (case["query"], case["texts"][0][0])
    asked, told = ({w[:5] for w in words(side) if len(w) > 3 and w not in LITTLE} for side in sides)
    return STYLES[2 * len(asked & told) < max(1, len(asked))]


def ranks(cases, score):
    """The rank of the right text of each case among the texts of all cases, from 1.

    `score(queries, texts)` gives rows of scores. Other texts that tell the topic are left out; half of those with
    the same score as the right one are counted as better.
    """
    texts = [text for case in cases for text in case["texts"]]
    starts, found = [0], []
    for case in cases:
        starts.append(starts[-1] + len(case["texts"]))
    for case, start, row in zip(cases, starts, score([case["query"] for case in cases], [text for text, _ in texts])):
        others = [value for value, (_, topics) in zip(row, texts) if case["topic"] not in topics]
        right = row[start]
        found.append(1 + sum(value > right for value in others) + sum(value == right for value in others) / 2)
    return found


def scorers(**embedders):
    """{"BM25": score, name: score of an embedder, ...}, each for ranks()."""
    found = {"BM25": lambda queries, texts: [bm25(query, texts) for query in queries]}
    for name, embedder in embedders.items():
        found[name] = lambda queries, texts, its=embedder: its.encode(queries) @ its.encode(texts).T
    return found


def _tables(ranked, sizes):
    """{measure: (values, what chance gives)} from the ranks and the numbers of texts to rank."""
    table = {f"recall@{k}": ([rank <= k for rank in ranked], [min(1, k / size) for size in sizes]) for k in AT}
    return table | {"MRR": ([1 / rank for rank in ranked], [sum(1 / r for r in range(1, n + 1)) / n for n in sizes])}


def evaluate(cases, scored, report=print):
    """Recall at 1, 5 and 10 and MRR of each scorer, on literal and on paraphrased questions, redrawn by topic.

    Returns ([{"skill", "part", "value", "low", "high", "n", "floor"}], {scorer: [(case, rank)]}); the floor is chance.
    """
    rows, size = [], {kind: sum(len(case["texts"]) for case in its) for kind, its in cases.items()}
    found = {name: [] for name in scored}
    for name, score in scored.items():
        for its in cases.values():
            found[name] += zip(its, ranks(its, score))
    for wanted in STYLES:
        for name, both in found.items():
            chosen = [(case, rank) for case, rank in both if style(case) == wanted]
            if not chosen:
                continue
            sizes, groups = [size[case["kind"]] for case, _ in chosen], [case["topic"] for case, _ in chosen]
            for what, (values, chance) in _tables([rank for _, rank in chosen], sizes).items():
                measured = measures.mean(f"{name} {wanted} {what}", values, groups=groups)
                row = {key: round(getattr(measured, key), 4) for key in ("value", "low", "high")}
                floor = round(sum(chance) / len(chance), 4)
                rows.append({"skill": measured.name, "part": "heldout", **row, "n": measured.n, "floor": floor})
                report(f"{measured} floor {floor:.3f}")
    return rows, found


def compare(embedder, untrained, n=40, seed=9, report=print):
    """The table of an embedder, BM25 and an untrained encoder on held-out questions; reports each kind as well."""
    cases = cases_of(n, seed)
    control = Embedder(untrained, embedder.tokenizer)
    rows, found = evaluate(cases, scorers(embed=embedder, untrained=control), report)
    for kind, its in cases.items():
        ranked = {name: [rank for case, rank in both if case["kind"] == kind] for name, both in found.items()}
        shares = " ".join(f"{name} {sum(rank <= 1 for rank in of) / len(of):.2f}" for name, of in ranked.items())
        literal = sum(style(case) == "literal" for case in its) / len(its)
        report(f"recall@1 {kind:<16} literal {literal:.2f} {shares}")
    for wanted in STYLES:
        matched = [(mine, other) for mine, other in zip(found["embed"], found["BM25"]) if style(mine[0]) == wanted]
        if matched:
            gains = [1 / mine[1] - 1 / other[1] for mine, other in matched]
            groups = [mine[0]["topic"] for mine, _ in matched]
            report(str(measures.mean(f"MRR {wanted}, embed - BM25", gains, groups=groups)))
    return rows

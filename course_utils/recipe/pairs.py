"""Pairs of a question and the text that answers it, with texts that nearly do, for the sentence-embedding model."""

from course_utils.recipe import pair_rules, pair_things
from course_utils.recipe.people import upper_first

KINDS = {  # name: (what draws a pair, share of the training pairs)
    "shop_rule": (pair_rules.shop_rule, 0.09),
    "shop_situation": (pair_rules.shop_situation, 0.13),
    "house_rule": (pair_rules.house_rule, 0.07),
    "house_situation": (pair_rules.house_situation, 0.16),
    "price": (pair_rules.price, 0.06),
    "same_fact": (pair_rules.same_fact, 0.05),
    "same_question": (pair_rules.same_question, 0.06),
    "lore": (pair_things.lore, 0.10),
    "entry": (pair_things.entry, 0.07),
    "product": (pair_things.product, 0.03),
    "need": (pair_things.need, 0.06),
    "memory": (pair_things.memory, 0.05),
    "article": (pair_things.article, 0.04),
    "advice": (pair_things.advice, 0.02),
    "use": (pair_things.use, 0.01),
}


def pair(rng, split="train", kind=None, hard=2):
    """One pair: {"kind", "query", "topic", "texts"}; `texts` is [(text, topics told)], the right one first.

    Up to `hard` near texts follow the right one. A text answers a query if it tells the query's topic: that is how a
    batch knows which texts are no negatives.
    """
    kind = kind or rng.choices(tuple(KINDS), [share for _, share in KINDS.values()])[0]
    topic, query, texts = KINDS[kind][0](rng, split, hard)
    return {"kind": kind, "query": upper_first(query), "topic": topic, "texts": texts}

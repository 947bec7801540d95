"""Scores of replies. No model is needed here."""

import math
import re
from collections import Counter
from fractions import Fraction

NUMBER = re.compile(
    r"(?<![\w.])-?\$?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<![\w.])-?\$?\.\d+|(?<=\w)\d+(?:\.\d+)?"
)


def final_number(text):
    """The last number of a reply as a float, or None. Reads 1,200 and $3.50 and -7 and 43. and 20 %.

    A percent sign is ignored: "20%" is 20. Infinite and absurdly long numbers are None.
    Example: final_number("The answer is $1,043.50.") -> 1043.5
    """
    exact = _exact(text)
    return None if exact is None else float(exact)


def _exact(value):
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return Fraction(value) if abs(value) < 10**300 else None
    found = NUMBER.findall(str(value).replace("\u2212", "-"))
    if not found:
        return None
    digits = re.sub(r"[$,\s]", "", found[-1])
    return Fraction(digits) if len(digits) <= 300 else None


def same_number(first, second, tolerance=1e-6):
    """Whether two values are the same number: 18, 18.0 and "18" are. Text counts as its last number.

    Units:   `tolerance` is relative to the larger value (absolute below 1)
    """
    one, two = _exact(first), _exact(second)
    if one is None or two is None:
        return False
    return abs(one - two) <= Fraction(tolerance) * max(1, abs(one), abs(two))


def normalize(text):
    """Lower case, no punctuation at the ends, single spaces."""
    return " ".join(str(text).lower().split()).strip(" .,!?:;\"'")


def exact_match(reply, gold):
    """1.0 if the reply equals the gold text (letter case, spaces and punctuation at the ends aside), else 0.0."""
    return float(normalize(reply) == normalize(gold))


def stands_in(part, text):
    """Whether a short text stands in another one as a whole: "7 days" does not stand in "17 days".

    Letter case, line breaks and signs at the ends do not count. An empty part stands nowhere.
    """
    part, text = normalize(part), normalize(text)
    return bool(part) and bool(re.search(rf"(?<!\w)(?<!\d[.,:]){re.escape(part)}(?!\w|[.,:]\d)", text))


def distinct_n(texts, n=2):
    """How varied texts are: different n-grams of words divided by all n-grams; 0.0 where there is none.

    Units:   a share in [0, 1]; it falls as texts grow longer, so compare texts of equal length
    Source:  Li et al. 2016, arXiv:1510.03055
    """
    grams = [tuple(words[i : i + n]) for words in (text.split() for text in texts) for i in range(len(words) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def entropy_nats(probs):
    """Entropy of a probability distribution (a list that sums to 1). Units: nats."""
    return -sum(p * math.log(p) for p in probs if p > 0) + 0.0


def entropy_bits(probs):
    """Entropy of a probability distribution. Units: bits (nats divided by ln 2)."""
    return entropy_nats(probs) / math.log(2)


def entropy_of(items):
    """Entropy of a list of items by their counts. Units: bits."""
    counts = Counter(items)
    return entropy_bits([count / len(items) for count in counts.values()]) if items else 0.0

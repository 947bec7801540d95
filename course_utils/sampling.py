"""From logits to one token: temperature, top-k, top-p, repetition penalty, each as in its paper.

Every function takes a torch tensor or nested lists, with the vocabulary on the last axis (..., V).
"""

import torch

from course_utils.settings import CourseError


def _tensor(values):
    return values if isinstance(values, torch.Tensor) else torch.tensor(values, dtype=torch.float32)


def softmax(logits, temperature=1.0):
    """Turn logits into probabilities; a temperature below 1 sharpens them, above 1 flattens them.

    Shapes:  logits (..., V) -> (..., V), rows sum to 1
    Errors:  CourseError if the temperature is not above 0 (0 is a limit: take the largest logit instead)
    """
    if not temperature > 0:
        raise CourseError(
            f"A temperature must be above 0, not {temperature}: for greedy decoding take the largest logit."
        )
    return torch.softmax(_tensor(logits) / temperature, dim=-1)


def _share(probs):
    return probs / probs.sum(-1, keepdim=True)


def top_k(probs, k):
    """Keep the k most probable tokens (and those that tie with the k-th).

    Shapes:  probs (..., V) -> (..., V), rows sum to 1
    Errors:  CourseError if k is below 1
    Source:  Fan et al. 2018, arXiv:1805.04833
    """
    if k < 1:
        raise CourseError(f"top_k must be at least 1, not {k}: use 1 for the most probable token only.")
    probs = _tensor(probs)
    least = probs.topk(min(k, probs.shape[-1])).values[..., -1:]
    return _share(probs.masked_fill(probs < least, 0.0))


def top_p(probs, p):
    """Keep the fewest tokens whose probabilities add up to at least p.

    Shapes:  probs (..., V) -> (..., V), rows sum to 1
    Units:   probabilities in [0, 1]; p in (0, 1]
    Errors:  CourseError if p is outside (0, 1]
    Example: top_p([0.5, 0.3, 0.2], 0.6) -> [0.625, 0.375, 0.0]
    Source:  Holtzman et al. 2020, arXiv:1904.09751
    """
    if not 0 < p <= 1:
        raise CourseError(f"top_p must lie above 0 and at most 1, not {p}: 0.9 is a common choice.")
    probs = _tensor(probs)
    # From the smallest up: a token goes while all up to it add up to at most 1 - p. Ties: the later index stays.
    values, order = probs.sort(dim=-1, stable=True)
    gone = values.cumsum(-1) <= 1 - p
    gone[..., -1] = False
    return _share(probs.masked_fill(torch.zeros_like(gone).scatter(-1, order, gone), 0.0))


def repetition_penalty(logits, seen_ids, penalty):
    """Make tokens that already stand in the text less probable: divide positive logits, multiply negative ones.

    Shapes:  logits (V,), seen_ids any list of token ids -> (V,)
    Errors:  CourseError if the penalty is not above 0
    Source:  Keskar et al. 2019, arXiv:1909.05858
    """
    if not penalty > 0:
        raise CourseError(f"A repetition penalty must be above 0, not {penalty}: 1.0 changes nothing.")
    logits = _tensor(logits).clone()
    seen = torch.tensor(sorted({int(i) for i in seen_ids}), dtype=torch.long, device=logits.device)
    chosen = logits[seen]
    logits[seen] = torch.where(chosen > 0, chosen / penalty, chosen * penalty)
    return logits


def draw(probs, numbers):
    """Pick one token for each row by where a random number in [0, 1) falls on the row's running total.

    Shapes:  probs (B, V), numbers (B,) -> (B,)
    """
    total = _tensor(probs).double().cumsum(-1)
    point = torch.as_tensor(numbers, dtype=torch.float64, device=total.device)[:, None] * total[:, -1:]
    return torch.searchsorted(total, point, right=True).clamp_(max=total.shape[-1] - 1)[:, 0]

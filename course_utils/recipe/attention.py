"""Causal attention for training on a CPU, registered in transformers under the name "plain"."""

import torch
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "plain"


def plain_attention(module, query_BHTD, key_BGTD, value_BGTD, mask, scaling, **_):
    """Causal attention as two matrix products: on a CPU, with short rows, faster than the fused kernel."""
    B, H, T, D = query_BHTD.shape
    G = key_BGTD.shape[1]  # H / G query heads share one key head
    query = (query_BHTD * scaling).view(B, G, H // G, T, D).reshape(B * G, H // G * T, D)
    scores = torch.bmm(query, key_BGTD.reshape(B * G, T, D).transpose(1, 2)).view(B, G, H // G, T, T).float()
    later_TT = torch.ones(T, T, dtype=torch.bool, device=scores.device).triu(1)
    weights = scores.masked_fill(later_TT, float("-inf")).softmax(-1).to(value_BGTD.dtype)
    mixed = torch.bmm(weights.view(B * G, H // G * T, T), value_BGTD.reshape(B * G, T, D))
    return mixed.view(B, H, T, D).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, plain_attention)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)  # it is causal by itself; padding stands on the right

"""Causal attention for training, registered in transformers under the name "plain": rows may hold several documents."""

import torch
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "plain"


def plain_attention(module, query_BHTD, key_BGTD, value_BGTD, mask, scaling, position_ids=None, **_):
    """Causal attention as two matrix products: on a CPU, with short rows, faster than the fused kernel.

    `position_ids` (B, T) begin at 0 in each document of a row; a token sees only those of its own document.
    """
    B, H, T, D = query_BHTD.shape
    G = key_BGTD.shape[1]  # H / G query heads share one key head
    query = (query_BHTD * scaling).view(B, G, H // G, T, D).reshape(B * G, H // G * T, D)
    scores = torch.bmm(query, key_BGTD.reshape(B * G, T, D).transpose(1, 2)).view(B, G, H // G, T, T).float()
    place_T = torch.arange(T, device=scores.device)
    starts_BT = place_T - position_ids  # where the document of each token begins
    hidden_BTT = (starts_BT[:, :, None] != starts_BT[:, None, :]) | (place_T[None, :] > place_T[:, None])
    weights = scores.masked_fill(hidden_BTT[:, None, None], float("-inf")).softmax(-1).to(value_BGTD.dtype)
    mixed = torch.bmm(weights.view(B * G, H // G * T, T), value_BGTD.reshape(B * G, T, D))
    return mixed.view(B, H, T, D).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, plain_attention)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)  # it is causal by itself

"""Faster matrix products on a CPU: weights in the block order of oneDNN, for the time of one call."""

from contextlib import contextmanager

import torch
from torch import nn


def _pack(module, rows):
    weight = torch.ops.mkldnn._reorder_linear_weight(module.weight.detach(), rows)
    bias = module.bias
    product = torch.ops.mkldnn._linear_pointwise

    def forward(x):
        return product(x, weight, bias, "none", [], "")

    return forward


@contextmanager
def packed_linears(model, rows):
    """Let plain float32 linear layers on the CPU use packed weights inside the block; the model is unchanged after.

    A product of 64 rows runs about twice as fast as torch's default on some CPUs. Sums are added in another order,
    so results agree to rounding. Where oneDNN is absent, or for few `rows`, nothing happens.
    """
    changed = []
    if rows >= 8 and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        for module in model.modules():
            plain = type(module) is nn.Linear and "forward" not in module.__dict__
            if plain and module.weight.device.type == "cpu" and module.weight.dtype == torch.float32:
                module.forward = _pack(module, rows)
                changed.append(module)
    try:
        yield len(changed)
    finally:
        for module in changed:
            module.__dict__.pop("forward", None)

"""The key-value cache of the batch decoder: rows of different lengths that share one block of memory."""

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, CacheLayerMixin

BLOCK = 64
PREFILL_TOKENS = 8192


class SlotLayer(CacheLayerMixin):
    """Keys and values of one layer in memory set aside beforehand; new tokens are written in place.

    Shapes:  keys, values (B, heads, room, head size); only the first `length` columns are filled
    """

    def __init__(self):
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states, value_states=None):
        raise RuntimeError("SlotLayer is filled by Slots.add before the first step.")

    def update(self, key_states, value_states, *args, **kwargs):
        end = self.length + key_states.shape[-2]
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_mask_sizes(self, query_length):
        return self.length + (query_length if isinstance(query_length, int) else query_length.shape[0]), 0

    def get_seq_length(self, *args):
        return self.length

    def get_max_length(self):
        return -1

    def get_max_cache_shape(self):
        return -1


class Slots:
    """A batch of running rows. Row r fills the columns from `starts[r]` to `length`; the columns before are masked.

    A finished row gives its place to a new prompt, which is written so that it ends at the current column.
    """

    def __init__(self, model, pad_id):
        self.model, self.pad_id = model, pad_id
        self.device = model.get_input_embeddings().weight.device
        self.flash = str(getattr(model.config, "_attn_implementation", "")).startswith("flash")
        self.cache = Cache(layers=[])
        self.starts: list[int] = []
        self.mask = None

    @property
    def length(self):
        return self.cache.layers[0].length if self.cache.layers else 0

    def prefill(self, prompts):
        """Read prompts with plain causal attention. Returns (last logits (n, V), keys and values of each layer)."""
        sizes = [len(prompt) for prompt in prompts]
        ids = torch.full((len(prompts), max(sizes)), self.pad_id, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt)
        keep, where = torch.unique(torch.tensor(sizes) - 1, return_inverse=True)
        cache = DynamicCache()
        out = self.model(
            input_ids=ids.to(self.device), past_key_values=cache, use_cache=True, logits_to_keep=keep.to(self.device)
        )
        logits = out.logits[torch.arange(len(prompts), device=self.device), where.to(self.device)]
        return logits, [(layer.keys, layer.values) for layer in cache.layers]

    def add(self, prompts, places):
        """Read `prompts` and put them into the rows `places`. Returns the last logits (n, V).

        The prompts must be sorted from long to short, and none may be longer than the longest running row.
        """
        logits, first = [], 0
        while first < len(prompts):
            count = max(1, PREFILL_TOKENS // len(prompts[first]))
            group, rows = prompts[first : first + count], places[first : first + count]
            part, layers = self.prefill(group)
            if not self.cache.layers:
                self._allocate(layers, len(prompts), len(group[0]))
            for slot, (keys, values) in zip(self.cache.layers, layers):
                for index, (row, prompt) in enumerate(zip(rows, group)):
                    columns = slice(slot.length - len(prompt), slot.length)
                    slot.keys[row, :, columns] = keys[index, :, : len(prompt)]
                    slot.values[row, :, columns] = values[index, :, : len(prompt)]
            for row, prompt in zip(rows, group):
                self.starts[row] = self.length - len(prompt)
            logits.append(part)
            first += count
        self._make_mask()
        return torch.cat(logits)

    def step(self, tokens):
        """Feed one token to every row. Shapes: tokens (B,) -> logits (B, V)"""
        if self.length == self.cache.layers[0].keys.shape[2]:
            self._grow()
        positions = torch.tensor([[self.length - start] for start in self.starts], device=self.device)
        mask = self.mask[..., : self.length + 1]
        out = self.model(
            input_ids=tokens[:, None],
            attention_mask=mask.reshape(len(self.starts), -1) if self.flash else mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1]

    def keep(self, rows):
        """Drop every row that is not in `rows`."""
        index = torch.tensor(rows, device=self.device)
        for layer in self.cache.layers:
            layer.keys, layer.values = layer.keys[index], layer.values[index]
        self.starts = [self.starts[row] for row in rows]
        self._make_mask()

    def _allocate(self, layers, rows, width):
        for keys, values in layers:
            layer = SlotLayer()
            layer.keys = keys.new_zeros(rows, keys.shape[1], width + BLOCK, keys.shape[3])
            layer.values = values.new_zeros(rows, values.shape[1], width + BLOCK, values.shape[3])
            layer.length, layer.is_initialized = width, True
            self.cache.layers.append(layer)
        self.starts = [0] * rows

    def _grow(self):
        """Make room for BLOCK more columns; the columns that no row needs any more are left behind."""
        dead = min(self.starts)
        for layer in self.cache.layers:
            for name in ("keys", "values"):
                old = getattr(layer, name)[:, :, dead : layer.length]
                new = old.new_zeros(*old.shape[:2], old.shape[2] + BLOCK, old.shape[3])
                new[:, :, : old.shape[2]] = old
                setattr(layer, name, new)
            layer.length -= dead
        self.starts = [start - dead for start in self.starts]
        self._make_mask()

    def _make_mask(self):
        room = self.cache.layers[0].keys.shape[2]
        dead = torch.arange(room)[None] < torch.tensor(self.starts)[:, None]
        if self.flash:
            self.mask = (~dead).long().to(self.device)
            return
        dtype = self.cache.layers[0].keys.dtype
        mask = torch.zeros(dead.shape, dtype=dtype).masked_fill_(dead, torch.finfo(dtype).min)
        self.mask = mask[:, None, None].to(self.device)

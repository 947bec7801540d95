"""Sentence embeddings: texts in, unit vectors out; the nearer two vectors, the nearer the meanings."""

import numpy

from .. import settings
from ..settings import CourseError
from . import loading
from .files import verify_folder

LIMIT = 512  # tokens of a text that count
BATCH_TOKENS = 2_048  # in one batch, padding included: on a CPU small batches waste less


def mean_pool(hidden_BTC, mask_BT):
    """Mean of the token vectors whose mask is 1, scaled to length 1.

    Shapes:  hidden (B, T, C), mask (B, T) of 0 and 1 -> (B, C), rows of length 1
    """
    mask_BT1 = mask_BT.unsqueeze(-1).float()
    mean_BC = (hidden_BTC.float() * mask_BT1).sum(1) / mask_BT1.sum(1)
    return mean_BC / mean_BC.norm(dim=-1, keepdim=True).clamp(min=1e-12)


def embed_ids(model, ids, batch_tokens=BATCH_TOKENS):
    """Unit vectors of token id lists, in their order; lists of like length share a batch.

    Shapes:  n lists of at least one id -> (n, C)
    """
    import torch

    order, start, found = sorted(range(len(ids)), key=lambda i: -len(ids[i])), 0, []
    while start < len(order):
        longest = len(ids[order[start]])
        rows = [ids[i] for i in order[start : start + max(1, batch_tokens // longest)]]
        ids_BT = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        mask_BT = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        ids_BT, mask_BT = ids_BT.to(model.device), mask_BT.to(model.device)
        hidden_BTC = model(input_ids=ids_BT, attention_mask=mask_BT).last_hidden_state
        found.append(mean_pool(hidden_BTC, mask_BT))
        start += len(rows)
    place = torch.empty(len(order), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(found)[place.to(model.device)]


class Embedder:
    """Turns texts into vectors. `model` and `tokenizer` are plain transformers objects."""

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer, self.size = model.eval(), tokenizer, model.config.hidden_size

    def ids(self, text):
        """Token ids of a text: the first 512; an empty text is one end token."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        ids = self.tokenizer(text, add_special_tokens=False, truncation=True, max_length=LIMIT)["input_ids"]
        return ids or [self.tokenizer.eos_token_id]

    def encode(self, texts):
        """Unit vectors of a list of texts. Of a longer text only the first 512 tokens count.

        Shapes:  n texts -> float32 array (n, d), rows of length 1; equal texts give equal rows
        Errors:  CourseError if `texts` is not a list of texts
        Example: encode(["a", "b"]) @ encode(["a"]).T -> cosines, shape (2, 1)
        """
        import torch

        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise CourseError("An embedding needs a list of texts: give encode() a list of str, also for one text.")
        unique = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        if not unique:
            return numpy.zeros((0, self.size), numpy.float32)
        with torch.no_grad():
            vectors = embed_ids(self.model, [self.ids(text) for text in unique]).cpu().numpy()
        return vectors[[unique[text] for text in texts]]


def load_embedder(profile=None, folder=None):
    """Load the embedding model of a profile as an Embedder, on the CPU in float32, after every file was checked.

    profile: as in load(); a profile without an embedding model of its own uses the bundled one
    folder:  a model folder to load instead, such as one the recipe has just made
    Errors:  CourseError if a file is missing, altered or half-downloaded
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    if folder is None:
        table = loading.registry()
        entry = table.get(settings.profile_name(profile), {}).get("embed") or table["bundled"]["embed"]
        folder = settings.MODELS / entry["folder"]
        settings.verify_assets(folder, settings.MANIFEST)
    verify_folder(folder)
    loading.quiet()
    options = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, **options)
    except Exception as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise CourseError(f"The embedding model cannot be loaded ({type(error).__name__}: {first}).") from error
    return Embedder(model, tokenizer)

"""Tiny random models for the tests: Qwen3 with a byte-level tokenizer and the chat template of the course."""

import functools

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

TEMPLATE = (
    "{% if tools %}<|im_start|>system\nTools:\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n"
    "{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@functools.cache
def tiny_tokenizer():
    """Bytes and special tokens, no merges."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: number for number, token in enumerate(SPECIAL + letters)}
    raw = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    raw.add_tokens([AddedToken(mark, special=False) for mark in ("<tool_call>", "</tool_call>")])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def random_qwen3(vocab=261, hidden=32, layers=2, seed=0, spread=1.0, context=512, eos=None, **options):
    """A Qwen3 of random weights in eval mode; a larger `spread` makes its choices clear-cut."""
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=options.pop("intermediate", hidden * 2),
        num_hidden_layers=layers,
        num_attention_heads=options.pop("heads", 4),
        num_key_value_heads=options.pop("kv_heads", 2),
        head_dim=options.pop("head_dim", hidden // 4),
        max_position_embeddings=context,
        tie_word_embeddings=True,
        initializer_range=0.02 * spread,
        pad_token_id=0,
        eos_token_id=2 if eos is None else eos,
        bos_token_id=None,
        **options,
    )
    return Qwen3ForCausalLM(config).eval()

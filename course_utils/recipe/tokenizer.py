"""The tokenizer of the bundled models: byte-level BPE, every digit a token of its own, ChatML template."""

import hashlib
import random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from course_utils.recipe import mix

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>")
# Letters with one leading space, single digits, runs of signs, runs of white space.
PIECES = r" ?\p{L}+(?:'\p{L}+)?|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"
TEMPLATE = """\
{%- if tools %}{{- '<|im_start|>system\\n' }}
{%- if messages[0]['role'] == 'system' %}{{- messages[0]['content'] + '\\n\\n' }}{%- endif %}
{{- 'Tools, one a line:\\n' }}{%- for tool in tools %}{{- tool | tojson + '\\n' }}{%- endfor %}
{{- 'To use one, answer\\n<tool_call>\\n{"name": ..., "arguments": {...}}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}
{%- if message['role'] == 'assistant' %}{{- '<|im_start|>assistant\\n' }}{% generation %}{{- message['content'] or '' }}
{%- for call in message['tool_calls'] or [] %}{%- set f = call['function'] if call['function'] is defined else call %}
{{- '<tool_call>\\n{"name": ' + (f['name'] | tojson) + ', "arguments": ' }}
{{- f['arguments'] if f['arguments'] is string else (f['arguments'] | tojson) }}{{- '}\\n</tool_call>' }}{%- endfor %}
{{- '<|im_end|>' }}{% endgeneration %}{{- '\\n' }}
{%- elif message['role'] != 'system' or not loop.first %}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""


def train_tokenizer(vocabulary=4096, documents=24_000, seed=1):
    """Learn the merges from a fresh sample of the training text. Same seed, same tokenizer."""
    rng = random.Random(seed)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator((mix.plain_text(rng) for _ in range(documents)), trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        bos_token=None,
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
        padding_side="left",
        additional_special_tokens=["<|im_start|>"],
    )
    wrapped.chat_template = TEMPLATE
    return wrapped


def tokenizer_hash(tokenizer):
    """A sha256 over vocabulary and merges, to show that two runs gave the same tokenizer."""
    return hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode("utf-8")).hexdigest()

"""The recipe that makes the bundled models: text generators, tokenizer, training, skill report, model cards."""

"""One module for each skill: generate(rng, split) makes an example, score(reply, example) grades a reply."""

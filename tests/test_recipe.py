"""The recipe: schemas without a fault, repeatable text and tokenizer, no test text in it, training that survives kills."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from course_utils.recipe import building, contamination, mix, problems, schemas, split, training
from course_utils.settings import DATA, ROOT, CourseError

TRAIN = """
import sys, torch
torch.set_num_threads(1)
from course_utils.recipe import batches, building, mix, training
mix.SHARES = {"drill": 1.0}
made = building.make_tokenizer(sys.argv[1], vocabulary=300)
model = training.new_model("tiny", len(made))
def shards(stage, seed, tokenizer, first, batch_tokens):
    for index in range(first, 10**6):
        yield index, batches.shard(stage, seed, index, tokenizer, 512)
curve = training.train(model, made, "base", sys.argv[1] + "/run", 200_000, save_every_s=0.2, compile_model=False, shards=shards)
print("finished", sum(p.double().abs().sum().item() for p in model.parameters()))
"""


def test_every_schema_comes_out_and_its_program_gives_its_answer():
    every = problems.schemas("all") + problems.schemas("all", long=True)
    faults = [fault for fault in map(schemas.check, every) if fault]
    assert faults == []
    assert len({schema["id"] for schema in every}) == len(every) >= 1400
    assert {len(schema["steps"]) for schema in problems.schemas("all", long=True)} == {3, 4, 5, 6, 7, 8}
    assert len({schema["type"] for schema in problems.schemas("all")}) >= 40


def test_a_broken_schema_is_noticed():
    good = json.loads(json.dumps(problems.schemas("all")[0]))
    for key, value in {
        "answer": "nobody",
        "steps": [["r", "a - b - a", ["{calc}"]]],
        "question": ["How many {nothing}?"],
        "numbers": {"a": [5, 4]},
    }.items():
        assert schemas.check(good | {key: value}), key


def test_ids_are_unique_and_held_out_schemas_never_reach_training():
    ids = [schema["id"] for schema in problems.schemas("all")]
    assert len(set(ids)) == len(ids)
    train, aside = ({schema["id"] for schema in problems.schemas(part)} for part in ("train", "heldout"))
    assert not train & aside and len(aside) >= 30
    rng = random.Random(0)
    drawn = {mix.example(rng, "train", "pal")["problem"]["id"] for _ in range(300)}
    assert not drawn & aside and {name for name in drawn if not name.startswith("story ")} <= train


def test_long_problems_enter_at_their_shard_and_not_before(monkeypatch):
    monkeypatch.setattr(mix, "SHARES", {"cot": 1.0})
    asides = {schema["id"] for schema in problems.schemas("heldout", long=True)}
    assert asides and not asides & {schema["id"] for schema in problems.schemas("train", long=True)}
    drawn, draw = [], problems.draw
    monkeypatch.setattr(problems, "draw", lambda *given, **named: drawn.append(draw(*given, **named)) or drawn[-1])
    shares = []
    for index in (mix.LONG_FROM - 1, mix.LONG_FROM):
        drawn.clear()
        mix.shard("instruct", 1, index, Letters(), tokens=60_000)
        long = {schema["id"] for schema in problems.schemas("train", long=True)}
        shares.append(sum(problem["id"] in long for problem in drawn) / len(drawn))
    assert shares[0] == 0 and shares[1] > 0.2


def plain_share_of_loss(documents):
    """What share of the loss falls on plain text: on documents in which every token counts."""
    plain = sum(sum(weights) for _, weights in documents if all(weights))
    return plain / sum(sum(weights) for _, weights in documents)


def test_plain_text_takes_a_small_share_of_the_instruct_loss(monkeypatch):
    documents = mix.shard("instruct", 1, 0, Letters(), tokens=300_000)
    assert 0.02 < plain_share_of_loss(documents) < 0.2
    drawn = mix.base_ids
    monkeypatch.setattr(mix, "base_ids", lambda *given, **_: drawn(*given))  # each of its tokens weighs 1
    assert plain_share_of_loss(mix.shard("instruct", 1, 0, Letters(), tokens=300_000)) > 0.3


def test_same_seed_same_text_and_another_seed_another():
    one, two = (mix.shard("base", 1, 3, Letters(), tokens=3000) for _ in range(2))
    assert one == two != mix.shard("base", 2, 3, Letters(), tokens=3000)


class Letters:
    """Stands in for a tokenizer: one token for each letter."""

    pad_token_id = 0

    def encode(self, text, add_special_tokens=False):
        return [ord(letter) for letter in text]


def test_the_contamination_check_finds_a_planted_question_with_other_numbers():
    rng = random.Random(5)
    texts = list(contamination.training_text(300))
    leaked = problems.draw(rng)["question"]
    other = " ".join("987" if word.isdigit() else word for word in leaked.split())
    assert contamination.matches([other], [*texts, leaked]) == [other]
    assert (
        contamination.matches(["Nobody has ever written this sentence about a purple submarine before."], texts) == []
    )


def test_no_measured_question_of_the_notebooks_stands_in_training_text():
    files = sorted(DATA.glob("step?/*.jsonl"))
    assert {file.parent.name for file in files} >= {"step1", "step2"}, "run `python -m course_utils.recipe.data_sets`"
    texts = set(map(contamination.masked, contamination.training_text(6000)))
    rng = random.Random(11)
    texts |= {contamination.masked(mix.example(rng, "train", "staff")["messages"][-2]["content"]) for _ in range(6000)}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for key in ("question", "request") if not row.get("known") else ():  # known patterns are drawn on purpose
                text = row.get(key)
                assert text is None or contamination.masked(text) not in texts, (file.name, text)


def test_labels_of_solved_examples_count_like_replies():
    rng = random.Random(7)
    found = [example for example in (mix.example(rng, "train", "classify") for _ in range(60)) if example["shots"] > 1]
    for example in found:
        prompt, gold = (message["content"] for message in example["messages"])
        labels = [text for text, counts in example["parts"] if counts]
        assert "".join(text for text, _ in example["parts"]) == prompt and len(labels) == example["shots"]
        ids, weights = mix.chat_ids(rng, Letters(), chosen=example)
        counted = "".join(chr(number) for number, weight in zip(ids, weights) if weight == max(weights))
        assert counted == "".join(labels) + gold + "<|im_end|>"
        assert "".join(map(chr, ids)) == f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n{gold}<|im_end|>\n"


def test_short_questions_share_a_conversation():
    rng = random.Random(2)
    turns = [len(found["messages"]) for found in (mix.conversation(rng) for _ in range(900)) if found["skill"] == "drill"]
    assert max(turns) > 8 and min(turns) == 2


def operations_answered_directly(rng, draws=300):
    """How many operations the directly answered problems of conversations have."""
    found = (mix.conversation(rng, long=1.0) for _ in range(draws))
    return [len(one["problem"]["steps"]) for one in found if one["skill"] == "direct"]


def test_most_problems_that_are_answered_directly_have_one_operation(monkeypatch):
    counts = operations_answered_directly(random.Random(3))
    assert 0.7 < counts.count(1) / len(counts) < 1 and max(counts) < 6
    monkeypatch.setattr(mix, "DIRECT_LONG", 1.0)
    counts = operations_answered_directly(random.Random(3))
    assert counts.count(1) / len(counts) < 0.6


def direct_share_of_loss(draws=300):
    """What share of the loss of conversations falls on problems answered directly."""
    rng, weights = random.Random(4), {True: 0.0, False: 0.0}
    for _ in range(draws):
        chosen = mix.conversation(rng)
        weights[chosen["skill"] == "direct"] += sum(mix.chat_ids(rng, Letters(), chosen=chosen)[1])
    return weights[True] / sum(weights.values())


def test_bare_numbers_are_not_drowned_by_chains(monkeypatch):
    share = direct_share_of_loss()
    monkeypatch.setattr(mix, "EMPHASIS", {})
    assert direct_share_of_loss() < share / 1.5 < 0.2


def test_attention_and_loss_of_the_training_equal_the_stock_ones():
    model = training.new_model("tiny", 300)
    ids_BT = training.torch.randint(1, 300, (3, 17))
    weights_BT = training.torch.ones(3, 17)
    with training.torch.no_grad():
        stock = model(input_ids=ids_BT, labels=ids_BT).loss
        model.set_attn_implementation("plain")
        ours = training.loss_nats(model, model.model, ids_BT, weights_BT)
    assert abs(stock - ours) < 1e-5


def _start(folder):
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(folder)], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_training_killed_at_ten_random_moments_ends_as_if_never_killed(tmp_path):
    reference = _start(tmp_path / "whole").communicate(timeout=120)[0]
    rng, folder, resumed = random.Random(3), tmp_path / "killed", 0
    for _ in range(10):
        process = _start(folder)
        deadline = time.time() + 60
        before = max((folder / "run").glob("step-*.pt"), default=None)
        while time.time() < deadline and process.poll() is None:
            found = sorted((folder / "run").glob("step-*.pt"))
            if found and found[-1] != before:
                break
            time.sleep(0.05)
        time.sleep(rng.random() * 0.5)
        process.send_signal(signal.SIGKILL)
        resumed += "resumed at step" in process.communicate()[0]
    final = _start(folder).communicate(timeout=120)[0]
    assert resumed >= 5 and "resumed at step" in final
    assert final.splitlines()[-1] == reference.splitlines()[-1]
    again = _start(folder).communicate(timeout=120)[0]  # a finished run is not trained further
    assert again.splitlines()[-1] == reference.splitlines()[-1]
    assert not [path for path in (folder / "run").glob("step-*.pt") if training.torch.load(path)["tokens"] <= 0]


def test_a_work_folder_keeps_its_preset_and_seed(tmp_path):
    building.claim_work(tmp_path, preset="tiny", seed=1)
    building.claim_work(tmp_path, preset="tiny", seed=1)
    with pytest.raises(CourseError, match="was begun with preset tiny, seed 1"):
        building.claim_work(tmp_path, preset="small", seed=1)


def test_a_torn_checkpoint_is_passed_over(tmp_path):
    training.save_checkpoint(tmp_path, 1, {"step": 1})
    training.save_checkpoint(tmp_path, 2, {"step": 2})
    whole = (tmp_path / "step-0000002.pt").read_bytes()
    (tmp_path / "step-0000002.pt").write_bytes(whole[: len(whole) // 2])
    assert training.last_checkpoint(tmp_path)["step"] == 1


def test_held_out_wordings_are_never_drawn_for_training():
    rng, items = random.Random(0), tuple(f"wording {number}" for number in range(100))
    drawn = {split.pick(rng, items, "train") for _ in range(2000)}
    assert not any(map(split.held_out, drawn)) and all(
        split.held_out(split.pick(rng, items, "heldout")) for _ in range(50)
    )

"""Every generator: repeatable, complete text, wordings set aside, and a score that only a right reply gets."""

import functools
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter

import pytest
from model_fixture import tiny_tokenizer
from transformers import PreTrainedTokenizerFast

from course_utils.metrics import final_number, same_number
from course_utils.prompts import INSTRUCTIONS
from course_utils.recipe import lookups, mix, people, problems, split, tokenizer, world
from course_utils.recipe.skills import _encyclopedia, _problem, _tool_cases, cite, passage, staff, tools
from course_utils.sandbox import runner
from course_utils.settings import ROOT

SKILLS = list(mix.SHARES)
PARTS = ("train", "heldout")
# Where the wordings of each skill's instructions stand in recipe/data: file, keys; * is every key.
ASKED = {
    "pal": ["problem_wordings/pal"],
    "cot": ["problem_wordings/cot"],
    "direct": ["problem_wordings/direct"],
    "drill": ["problem_wordings/drill"],
    "classify": [f"classify/{key}" for key in "meaningful sentiment topic examples".split()]
    + [f"messages/{key}" for key in "layouts topic_layouts sentiment_layouts".split()],
    "extract": ["extract/ask", "extract_mails/more"],
    "passage": ["passage/ask", "passage/ask_idk", "passage/system", "notes/frames", "notes/frames_idk"],
    "cite": ["cite/ask"],
    "poem": ["poem/frames", "poem/forms"],
    "refuse": ["refuse/frames", "refuse/before"],
    "chat": [f"chat/{key}" for key in "recall_frames whoami ask_hours ask_price shop_systems rules".split()],
    "rewrite": ["rewrite/styles"],
    "word_facts": ["words/asks"],
    "staff": ["staff/roles", "staff/cases/*/0"],
    "tools": ["tools/systems"],
    "sql": ["sql/systems", "sql/kinds/*/asks"],
    "react": ["react/intro", "react/act_intro", "react/actions", "react/labels", "react/chain"],
    "game": ["game/propose", "game/judge", "game/solve", "game/chain"],
    "rank": ["rank/best", "rank/judge"],
    "summary": [f"summary/{key}" for key in "ask ask_one ask_two update history system".split()],
    "density": ["density/sparse", "density/densify", "density/given", "density/again", "density/compress"],
    "outline": ["outline/outline", "outline/expand", "outline/full", "outline/again"],
    "revise": ["revise/critique", "revise/revise", "revise/prefer", "revise/again"],
    "buoyancy": ["buoyancy/sink"],
    "repair": ["repair/ask"],
    "tables": ["tables/intro", "tables/kinds/*/ask"],
}
# Lists so short (three to eight wordings) that the hash sets none aside: held-out draws ask with known wordings there.
# The user's requests to tools are known wordings too; what is set aside there are the tools (_tool_cases.choose).
# Letters to staff are drawn over all cases together, so that held-out draws give only wordings set aside (staff._asks).
NONE_ASIDE = {"sql": 20, "staff": 107, "summary": 1}
OPEN = re.compile(r"\{[A-Za-z_]\w*\}|\bNone\b(?! of)|\[[^\]\n]*\|[^\]\n]*\]|<[^<>\n]*\|[^<>\n]*>|[\x01\x02]")


@functools.lru_cache(maxsize=None)
def draws(name, part, n=150):
    rng = random.Random(f"test {name} {part}")
    return [mix.example(rng, part, name) for _ in range(n)]


def cases(name):
    """Some draws of both parts; few of the programs, each of which is run."""
    few = 15 if name == "pal" else 150
    return [example for part in PARTS for example in draws(name, part)[:few]]


def score(name, reply, example):
    found = mix.skill(name).score(reply, example)
    assert 0.0 <= found <= 1.0
    return found


@pytest.mark.parametrize("name", SKILLS)
def test_the_right_reply_scores_1(name):
    for example in cases(name):
        right = score(name, example["messages"][-1]["content"], example)
        if name == "staff":  # four replies in ten are rude on purpose: the score asks for politeness
            assert right == float(example["gold"] == "polite")
        else:
            assert right == 1.0, example["messages"][-2:]


def _wrong(name, example, rng):
    """A reply that must not count: nonsense, but for the two skills that any civil text satisfies."""
    if name == "refuse":
        return "It is a nice thing." if example["gold"] else "Sorry, I do not talk about that."
    if name == "staff":
        return staff.pair(rng)["rejected"][0]["content"]
    return "zzz"


@pytest.mark.parametrize("name", SKILLS)
def test_an_empty_a_wrong_and_a_repeated_reply_score_0(name):
    rng = random.Random(3)
    for example in cases(name):
        told = [message["content"] for message in example["messages"][:-1]]
        for reply in ("", " \n", _wrong(name, example, rng), told[-1], "\n".join(told), "\n\n".join(told)):
            assert score(name, reply, example) == 0.0, (reply, example["gold"])


@pytest.mark.parametrize("name", [name for name in SKILLS if name not in ("staff", "refuse", "pal", "buoyancy")])
def test_the_right_reply_to_another_question_rarely_scores(name):
    total, count, examples = 0.0, 0, draws(name, "heldout")
    for one, other in zip(examples, examples[1:]):
        reply = other["messages"][-1]["content"]
        if reply != one["messages"][-1]["content"]:
            total, count = total + score(name, reply, one), count + 1
    assert count > 50 and total / count < 0.2


@pytest.mark.parametrize("name", SKILLS)
def test_the_same_seed_gives_the_same_example(name):
    one, two, other = ([mix.example(random.Random(seed + n), "train", name) for n in range(20)] for seed in (1, 1, 500))
    assert one == two != other


def test_the_text_does_not_depend_on_how_python_hashes_words():
    program = (
        "import hashlib, random; from course_utils.recipe import mix\n"
        "rng = random.Random(1)\n"
        "made = [mix.example(rng, part, name) for name in mix.SHARES for part in ('train', 'heldout') * 12]\n"
        "text = repr([(one['messages'], one.get('plain')) for one in made])\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=dict(os.environ, PYTHONPATH=str(ROOT), PYTHONHASHSEED=seed),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1 and len(found.pop()) > 60


def faults(messages):
    """What is wrong with the order of the roles."""
    roles = [message["role"] for message in messages]
    roles = roles[1:] if roles[0] == "system" else roles
    after = {"user": {"assistant"}, "assistant": {"user", "tool"}, "tool": {"tool", "assistant"}}
    wrong = [pair for pair in zip(roles, roles[1:]) if pair[1] not in after.get(pair[0], ())]
    wrong += [] if roles[0] == "user" and roles[-1] == "assistant" else [(roles[0], roles[-1])]
    return wrong + [message for message in messages if not message["content"].strip()]


@pytest.mark.parametrize("name", SKILLS)
def test_roles_alternate_and_nothing_is_left_open(name):
    for example in [*draws(name, "train"), *draws(name, "heldout")]:
        assert faults(example["messages"]) == []
        for text in [*(message["content"] for message in example["messages"]), example.get("plain") or ""]:
            assert not OPEN.search(text), OPEN.search(text)
            assert "<|im_" not in text


def test_planted_faults_of_roles_and_open_places_are_found():
    said = [{"role": role, "content": "Hello."} for role in ("system", "user", "assistant")]
    assert faults(said) == [] and faults(said[1:]) == []
    empty = said[2] | {"content": ""}
    for wrong in (said[:2], [*said[:2], *said[1:]], [said[0], said[2]], [*said, said[2]], [said[1], empty]):
        assert faults(wrong)
    for text in ("Dear {n},", "It costs None.", "a [red|blue] hat", "<Say|Tell me> it.", "label \x01yes\x02"):
        assert OPEN.search(text)
    assert not OPEN.search('None of them fits. {"a": {}} [1] {"name": "x"}')


def lists_of(node, keys):
    """The lists of wordings below the keys of a data file."""
    if isinstance(node, tuple) and not keys and isinstance(node[0], str):
        return [node]
    if not keys or keys[0] == "*":
        inner = node.values() if isinstance(node, dict) else node
    else:
        inner = [node[int(keys[0])] if isinstance(node, tuple) else node[keys[0]]]
    return [found for item in inner for found in lists_of(item, keys[1:])]


@functools.lru_cache(maxsize=None)
def wordings(name):
    """(wording, its fixed parts, patterns, is any of its list set aside) of a skill's instructions.

    A wording begins a sentence. What is put into its slots stands on one line by the first pattern, not by the second.
    """
    rows = []
    for path in ASKED[name]:
        file, *keys = path.split("/")
        for texts in lists_of(split.load(file), keys):
            aside = any(map(split.held_out, texts))
            for text in texts:
                fixed = re.split(r"\{[^{}]*\}", text.lower())
                start = r"(?:\A|(?<=\n)|(?<=[.?!:;>] ))" if fixed[0] else ""
                patterns = [re.compile(start + slot.join(map(re.escape, fixed))) for slot in (r"[^\n]+", r"[\s\S]+")]
                if sum(map(len, fixed)) >= 8 and text not in INSTRUCTIONS.values():
                    rows.append((text, fixed, patterns, aside))
    return rows


def used(name, examples):
    """{(wording, is its list split)}: of the wordings that fit an example, those with the most fixed letters."""
    found = Counter()
    for example in examples:
        told = "\n".join(m["content"] for m in example["messages"][:-1] if m["role"] != "assistant").lower()
        rows = [row for row in wordings(name) if all(part in told for part in row[1])]
        fits = [row for row in rows if row[2][0].search(told)] or [row for row in rows if row[2][1].search(told)]
        sizes = [sum(map(len, row[1])) for row in fits]
        found.update((row[0], row[3]) for row, size in zip(fits, sizes) if size == max(sizes))
    return found


def crossings(train, heldout):
    """Wordings of the wrong part among those used, of lists that have wordings set aside."""
    wrong = [text for text, aside in train if aside and split.held_out(text)]
    return wrong + [text for text, aside in heldout if aside and not split.held_out(text)]


@pytest.mark.parametrize("name", SKILLS)
def test_instructions_of_held_out_draws_never_stand_in_training_draws(name):
    examples = {part: draws(name, part, 250) for part in PARTS}
    train, heldout = (used(name, examples[part]) for part in PARTS)
    # INSTRUCTIONS, with which the notebooks ask word problems, stand in both parts on purpose.
    asked = [example["messages"][-2]["content"] for example in examples["heldout"]]
    own = sum(any(text in content for text in INSTRUCTIONS.values()) for content in asked)
    assert heldout.total() + own > 125  # the instructions are recognised at all
    assert crossings(train, heldout) == []
    # Planted: held-out draws that are training draws in truth, and the other way round.
    assert len(crossings(train, train)) > 5 and crossings(heldout, heldout)


def test_which_lists_of_instructions_have_nothing_set_aside():
    found = {}
    for name in SKILLS:
        paths = [path.split("/") for path in ASKED[name]]
        lists = [texts for file, *keys in paths for texts in lists_of(split.load(file), keys)]
        bare = [texts for texts in lists if not any(map(split.held_out, texts))]
        assert all(len(texts) <= 8 for texts in bare)
        if bare:
            found[name] = len(bare)
    assert found == NONE_ASIDE


# What single skills promise beyond that.


@functools.lru_cache(maxsize=1)
def chat_tokenizer():
    """The course's chat template on a tokenizer of letters; only text is rendered with it."""
    made = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer().backend_tokenizer)
    made.chat_template = tokenizer.TEMPLATE
    return made


def rendered(example, messages=None):
    """The text of a conversation with tools as the chat template writes it."""
    messages = messages or example["messages"][1:]
    system = [{"role": "system", "content": example["system"]}] if example["system"] else []
    return chat_tokenizer().apply_chat_template(system + messages, tools=example["tools"], tokenize=False)


def trained_on(messages):
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)


def _as_calls(message):
    """An assistant's message with its calls as data, as LangChain gives them to the template."""
    calls = [json.loads(found) for found in _tool_cases.CALL.findall(message["content"])]
    if message["role"] != "assistant" or not calls:
        return message
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": one} for one in calls]}


def test_conversations_with_tools_are_what_the_chat_template_renders():
    examples = draws("tools", "train")[:80] + draws("tools", "heldout")[:80]
    for example in examples:
        text = trained_on(example["messages"])
        assert rendered(example) == text
        assert rendered(example, list(map(_as_calls, example["messages"][1:]))) == text
    assert any(example["system"] for example in examples) and any(not example["system"] for example in examples)
    assert {m["role"] for e in examples for m in e["messages"]} == {"system", "user", "assistant", "tool"}
    longer = examples[0] | {"tools": examples[0]["tools"] * 2}  # planted: another list of tools
    assert rendered(longer) != trained_on(examples[0]["messages"])


@pytest.mark.parametrize("name", [name for name in SKILLS if name != "tools"])
def test_conversations_without_tools_are_what_the_chat_template_renders(name):
    for example in draws(name, "train")[:40]:
        found = chat_tokenizer().apply_chat_template(example["messages"], tokenize=False)
        assert found == trained_on(example["messages"])


def test_small_talk_beside_tools_needs_a_fitting_reply():
    free = [example for example in draws("tools", "heldout", 300) if example["gold"].get("contains") == []]
    found = [example for example in free if example["messages"][-2]["role"] == "user"]
    assert len(found) > 5
    for example in found:
        assert tools.score("I can sing.", example) == 0.0


def test_cited_passages_hold_the_answer_and_other_citations_score_0():
    unknown = 0
    for example in draws("cite", "train", 300) + draws("cite", "heldout", 300):
        gold = example["gold"]
        if gold == passage.UNKNOWN:
            unknown += 1
            assert cite.score("A drawer [1]", example) == 0.0
            continue
        answer, number = re.fullmatch(r"(.+) \[(\d+)\]", gold, re.DOTALL).groups()
        numbered = re.split(r"^\[(\d+)\] ", example["plain"].rpartition("Q: ")[0], flags=re.MULTILINE)[1:]
        texts = dict(zip(numbered[::2], numbered[1::2]))
        assert 1 <= len(texts) <= 5 and list(texts) == [str(n + 1) for n in range(len(texts))]
        assert f" {passage._normal(answer)} " in f" {passage._normal(texts[number])} "
        more = int(number) % 5 + 1
        for wrong in (answer, f"{answer} [{more}]", f"{gold} [{more}]", f"[{number}]", passage.UNKNOWN):
            assert cite.score(wrong, example) == 0.0, (wrong, gold)
        assert cite.score(f"It is {answer.lower()}. [{number}]", example) == 1.0
    assert 0.25 < unknown / 600 < 0.5


def test_a_copied_passage_is_no_short_answer():
    example = {"gold": "48 hours", "messages": [{"content": "How long?"}, {"content": "48 hours"}]}
    assert passage.score("We write back within 48 hours. Thank you.", example) == 1.0
    assert passage.score("48 hours. " + "We have many other rules as well. " * 3, example) == 0.0
    assert passage.score("148 hours", example) == passage.score("48", example) == 0.0


def test_no_name_reads_as_a_rude_word():
    words = iter(["Shitake", "Klandara"])
    assert split.decent(lambda: next(words)) == "Klandara"  # planted: the first word is rude
    rng = random.Random(5)
    makers = (
        lambda: world.invent(rng),
        lambda: world.town(rng),
        lambda: people.made_up(rng),
        lambda: problems.invent_word(rng),
        lambda: _encyclopedia.coin(rng, "train"),
    )
    assert not [word for make in makers for word in (make() for _ in range(3000)) if split.RUDE.search(word.lower())]


def layout_of(page):
    """The keys of a page of the layout "key -> value": {key: list of its values}; ValueError for another line."""
    told = {}
    for line in re.split(r"\n+", page):
        key, mark, value = line.partition(" -> ")
        if not mark:
            raise ValueError(line)
        told.setdefault(key, []).append(value)
    return told


def sound(page):
    """True if every key has one value and all keys come equally often, twice to four times."""
    told = layout_of(page)
    return all(len(set(values)) == 1 for values in told.values()) and {*map(len, told.values())} in ({2}, {3}, {4})


def test_pages_to_look_back_in_tell_each_pair_again(monkeypatch):
    assert lookups.page(random.Random(4)) == lookups.page(random.Random(4)) != lookups.page(random.Random(5))
    rng = random.Random(6)
    assert all("{" not in (page := lookups.page(rng)) and page.count("\n") >= 3 for _ in range(200))
    monkeypatch.setattr(lookups, "LAYOUTS", ("{key} -> {value}",))
    pages = [lookups.page(rng) for _ in range(200)]
    assert all(map(sound, pages))
    assert min(len(layout_of(page)) for page in pages) <= 4 and max(len(layout_of(page)) for page in pages) >= 10
    assert any(len({value[0] for value in layout_of(page).values()}) == 2 for page in pages)  # few labels
    head, _, tail = pages[0].rpartition(" -> ")
    assert not sound(f"{head} -> other{tail}")  # planted: one pair told in two ways


def copied(problem):
    """Whether each decimal of the program stands in the question, and the sandbox prints the answer."""
    numbers = {*re.findall(r"\d+\.\d+", problem["question"])}
    told = {*re.findall(r"\d+\.\d+", problem["program"])} <= numbers
    return told and same_number(final_number(runner.run(problem["program"]).output), problem["answer"])


def test_long_decimals_are_copied_and_their_program_gives_the_answer():
    rng, long = random.Random(8), []
    for _ in range(600):
        problem = problems.draw(rng)
        changed = _problem.with_long_decimals(random.Random(problem["question"]), problem)
        assert changed == _problem.with_long_decimals(random.Random(problem["question"]), problem)
        if changed is problem:
            continue
        assert "$" not in changed["question"] and not re.search(r"[*/%]", changed["program"])
        long.append(changed)
    assert len(long) >= 5 and all(map(copied, long))
    assert max(len(number) for problem in long for number in re.findall(r"\.\d+", problem["question"])) > 10
    planted = long[0] | {"program": re.sub(r"\d+\.\d+", "1.5", long[0]["program"], count=1)}
    assert not copied(planted)


def test_programs_are_trained_on_numbers_of_five_to_seven_digits_and_chains_are_not():
    def share(form):
        rng = random.Random(12)
        asked = [_problem.generate(rng, "train", form)["messages"][0]["content"] for _ in range(300)]
        return sum(bool(re.search(r"(?<![\d.])\d{5,7}(?!\d)", text)) for text in asked) / len(asked)

    assert share("pal") > 0.12
    assert share("cot") < 0.05
    rng = random.Random(13)
    for problem in [_problem.with_large_numbers(rng) for _ in range(15)]:
        assert same_number(final_number(runner.run(problem["program"]).output), problem["answer"])

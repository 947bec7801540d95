"""ShopBot: the learned router on wordings set aside, and what each step takes, answers and hands on (with a fake model)."""

import collections
import random
import re

import numpy as np
import pytest

from course_utils import measures, shopbench, shopbot
from course_utils.models import Reply
from course_utils.recipe.contamination import masked
from course_utils.recipe.data_sets import routing_requests
from course_utils.settings import DATA
from course_utils.shopbench import Outcome
from course_utils.shopbot import handbook, replies, routing, talk, tools

ROWS = measures.rows("shopbot", "requests")
PARTS = {part: [row for row in ROWS if row["split"] == part] for part in ("train", "dev", "test")}


# The data


def test_rows_have_a_kind_and_a_part_and_stand_once():
    counts = collections.Counter((row["kind"], row["split"]) for row in ROWS)
    assert set(counts) == {(kind, part) for kind in routing.KINDS for part in PARTS} and min(counts.values()) >= 20
    assert len({row["text"] for row in ROWS}) == len(ROWS) > 2500
    assert (DATA / "shopbot/requests.jsonl").stat().st_size < 400_000
    assert [row["text"] for row in ROWS if re.search(r"{\w+}", row["text"])] == []


def test_no_wording_stands_in_two_parts():
    parts = collections.defaultdict(set)
    for row in ROWS:
        parts[masked(row["text"])].add(row["split"])
    assert [text for text, found in parts.items() if len(found) > 1] == []


def test_frames_are_many_and_different():
    frames = routing_requests.split.load("router_requests")["frames"]
    least = {"order": 150, "return": 150, "manner": 120, "fact": 120, "sum": 120, "plain": 80}
    assert {kind: len(set(frames[kind])) >= count for kind, count in least.items()} == dict.fromkeys(least, True)
    everything = [masked(frame) for kind in frames for frame in frames[kind]]
    assert len(set(everything)) > 0.995 * len(everything)


def test_the_generator_writes_the_committed_file_again():
    [(name, text)] = routing_requests.routing_requests().items()
    assert (DATA / name).read_text(encoding="utf-8") == text


def test_no_row_is_a_request_of_shopbench_with_other_numbers():
    texts = {masked(row["text"]) for row in ROWS}
    asked = [message["content"] for row in shopbench.requests() for message in row["messages"] if message["role"] == "user"]
    planted = re.sub(r"\d+", "7", asked[0]).upper()
    assert texts & set(map(masked, asked)) == set() and masked(planted) in set(map(masked, asked))


# The router


def shares(learned=None):
    """(right kinds, right ways) on the test part; "plain" and "manner" are one way."""
    found = routing.kind_of([row["text"] for row in PARTS["test"]], learned)
    pairs = [(kind, row["kind"]) for kind, row in zip(found, PARTS["test"], strict=True)]
    ways = [one == other or {one, other} == set(routing.NO_TOOL) for one, other in pairs]
    return measures.share("kind", [one == other for one, other in pairs]), measures.share("way", ways)


def good(kind, way):
    """Whether a router is far above the most frequent kind, and its interval of right ways above 0.85."""
    most = collections.Counter(row["kind"] for row in PARTS["test"]).most_common(1)[0][1] / len(PARTS["test"])
    return kind.low > 0.75 > 2 * most and round(way.low, 2) >= 0.85


def test_the_router_is_right_on_frames_set_aside():
    kind, way = shares()
    assert good(kind, way)
    n, *told = re.search(r"n = (\d+)\): the right kind ([\d.]+) .*?the right way\s+([\d.]+) ", routing.__doc__, re.S).groups()
    assert int(n) == kind.n and [float(value) for value in told] == pytest.approx([kind.value, way.value], abs=0.015)


def test_a_router_that_learned_shuffled_kinds_is_not():
    rows = PARTS["dev"]
    kinds = [row["kind"] for row in rows]
    random.Random(1).shuffle(kinds)
    kind, way = shares(routing.fit([row["text"] for row in rows], kinds))
    assert not good(kind, way) and kind.high < 0.5


def test_kinds_do_not_hang_on_the_digits_and_none_of_nothing():
    texts = ["How much are 3 hats at 22 euros each?", "Where is my parcel 4412?", "I want to return my boots."]
    assert routing.kind_of(texts) == routing.kind_of([re.sub(r"\d", "8", text) for text in texts]) == ["sum", "order", "return"]
    assert routing.kind_of([]) == [] and routing.kind_of([""])[0] in routing.KINDS


@pytest.mark.parametrize(
    ("probs", "kind"),
    [
        ({"plain": 0.3, "manner": 0.2, "fact": 0.4, "sum": 0.1}, "plain"),
        ({"plain": 0.1, "manner": 0.2, "fact": 0.4, "sum": 0.3}, "fact"),
        ({"plain": 0.1, "manner": 0.5, "fact": 0.1, "sum": 0.3}, "manner"),
    ],
)
def test_plain_and_manner_stand_together_against_a_tool(probs, kind):
    assert routing._decide(probs) == kind


# The steps: a request's kind stands before its colon, so nothing here hangs on the router


def ask(text, *earlier, **fields):
    """A request; `earlier` are the messages before it, the customer's and the bot's in turn."""
    messages = [{"role": ("user", "assistant")[place % 2], "content": said} for place, said in enumerate([*earlier, text])]
    return {"id": text, "customer": 7, "messages": messages} | fields


@pytest.fixture
def bot(monkeypatch):
    """Give a step's bot whose steps before it answer "step N" (all but the step itself and those named)."""
    monkeypatch.setattr(shopbot, "kind_of", lambda texts: [text.partition(":")[0] for text in texts])

    def at(step, *real):
        for number in range(1, step):
            if number not in real:
                told = Outcome(f"step {number}")
                told_all = lambda model, tokenizer, requests, told=told: [told] * len(requests)  # noqa: E731
                monkeypatch.setitem(shopbot.STEPS, number, told_all)
        return shopbot.ShopBot(step, None, None)

    return at


def texts_of(outcomes):
    return [outcome.text for outcome in outcomes]


def test_every_kind_goes_to_the_step_that_has_a_tool_for_it(bot, monkeypatch):
    asked = [ask(f"{kind}: x") for kind in routing.KINDS]
    taken = collections.defaultdict(set)

    def take(step, answers):
        def answer(model, tokenizer, requests):
            taken[step] |= {request["kind"] for request in requests if request["kind"] in answers}
            return [Outcome(str(step)) if request["kind"] in answers else None for request in requests]

        return answer

    tools_of = {1: set(routing.KINDS), 2: {"sum"}, 3: {"fact"}, 4: set(), 5: {"sum", "order"}}
    for step in tools_of:
        monkeypatch.setitem(shopbot.STEPS, step, take(step, tools_of[step]))
    seen = {step: texts_of(shopbot.ShopBot(step, None, None).answer(asked)) for step in tools_of}
    assert seen == {  # plain, sum, fact, order, return, manner
        1: ["1", "1", "1", "1", "1", "1"],
        2: ["1", "2", "1", "1", "1", "1"],
        3: ["1", "2", "3", "1", "1", "1"],
        4: ["1", "2", "3", "1", "1", "1"],
        5: ["1", "5", "3", "5", "1", "1"],
    }


def test_step_1_needs_no_router(monkeypatch):
    monkeypatch.setattr(shopbot, "kind_of", lambda texts: pytest.fail("no router is needed"))
    monkeypatch.setattr(replies, "chat_batch", lambda model, tokenizer, chats, **options: [Reply(" Hello. ", [], "stop") for _ in chats])
    assert texts_of(shopbot.ShopBot(1, None, None).answer([ask("a"), ask("b")])) == ["Hello.", "Hello."]


@pytest.mark.parametrize("step", sorted(shopbot.STEPS))
def test_no_requests_no_outcomes(bot, monkeypatch, step):
    monkeypatch.setattr(replies, "chat_batch", lambda model, tokenizer, chats, **options: [])
    assert bot(step).answer([]) == []


def test_step_2_votes_on_sums_and_hands_on_the_rest(bot, monkeypatch):
    seen = []

    def reply_all(model, tokenizer, conversations, **options):
        seen.append((len(conversations), options["temperature"]))
        answers = ["The answer is 7.", "It is 9.", "The answer is 7.", "7", "8"] + ["I cannot tell."] * replies.VOTES
        return [Reply(text, [], "stop") for text in answers]

    monkeypatch.setattr(replies, "chat_batch", reply_all)
    outcomes = bot(2).answer([ask("manner: x"), ask("sum: 3 + 4"), ask("order: y"), ask("sum: no chain has a number")])
    assert texts_of(outcomes) == ["step 1", "The answer is 7.0.", "step 1", "step 1"] and seen == [(2 * replies.VOTES, 0.7)]


def test_step_3_checks_each_citation_and_hands_on_what_it_cannot_answer_in_a_talk(bot, monkeypatch):
    said = {"fact: How": "45 days [2]", "fact: Whe": "46 days [2]", "fact: And": "I don't know."}
    passages = ["Boots come back within 20 days.", "Goods may come back within 45 days."]
    monkeypatch.setattr(handbook, "search_handbook", lambda questions: [passages] * len(questions))
    reply = lambda prompt: said[prompt.rpartition("Question: ")[2][:9]]  # noqa: E731
    monkeypatch.setattr(handbook, "Asker", lambda *_, **options: lambda prompts: list(map(reply, prompts)))
    asked = [
        ask("fact: How long may goods come back?"),
        ask("fact: When do parcels leave?"),
        ask("fact: And for boots?", "Hello.", "Hi."),
        ask("sum: 2 + 2"),
    ]
    assert texts_of(bot(3).answer(asked)) == ["45 days", "I don't know.", "step 2", "step 2"]


def words(messages):
    """A stand-in for tokens: words, and two for each message."""
    return sum(len(message["content"].split()) + 2 for message in messages)


def axis(texts):
    """The number at the end of a text as an angle."""
    angles = [float(text.rstrip("?").split()[-1]) / 10 for text in texts]
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles])


def test_a_prompt_of_step_4_has_the_nearest_and_the_newest_turns_in_their_order():
    turns = [(f"said {number}", f"reply {number}") for number in range(12)]  # 8 words a turn

    def places(recent, looked_up, question="about 3"):
        *kept, last = talk.remembered(turns, question, words, axis, recent, looked_up)
        assert last == {"role": "user", "content": question} and [one["role"] for one in kept[:2]] in ([], ["user", "assistant"])
        return [int(one["content"].split()[-1]) for one in kept[::2]]

    assert places(96, 2) == list(range(12)) and places(999, 0) == list(range(12))
    assert places(16, 2) == [3, 4, 10, 11] and places(23, 1) == [3, 10, 11]
    assert places(1, 2) == [3, 4] and places(16, 0) == [10, 11] and places(1, 99) == list(range(12))
    assert places(16, 2, "about " + "very " * 50 + "3") == [3, 4, 10, 11]  # a long question takes nothing from the budget
    assert talk.remembered([], "about 3", words, axis) == [{"role": "user", "content": "about 3"}]


def test_all_texts_of_step_4_are_embedded_together_and_no_turn_stands_twice(monkeypatch):
    monkeypatch.setattr(talk, "encode_chat", lambda tokenizer, messages: range(words(messages)))
    asked, calls = shopbench.requests("talk")[:3], []
    prompts = talk.memory_prompts(asked, None, lambda texts: calls.append(texts) or np.eye(len(texts)), 20, 1)
    assert len(calls) == 1 and len(calls[0]) == len(set(calls[0]))
    for request, prompt in zip(asked, prompts, strict=True):
        places = [request["messages"].index(message) for message in prompt]
        assert prompt[-1] == request["messages"][-1] and places == sorted(set(places)) and len(prompt) % 2
        assert 1 < len(prompt) < len(request["messages"])


def test_step_4_answers_inside_a_talk_and_hands_on_what_nobody_told(bot, monkeypatch):
    told = iter(("It is Rosmund.", "I do not know. You did not tell me your name.", "  "))
    reply_all = lambda model, tokenizer, chats, **options: [Reply(next(told), [], "stop") for _ in chats]  # noqa: E731
    seen = []
    monkeypatch.setattr(talk, "memory_prompts", lambda requests, *_: [seen.append(r["id"]) or r["messages"] for r in requests])
    monkeypatch.setattr(talk, "embedder", lambda: type("Embedder", (), {"encode": None}))
    monkeypatch.setattr(talk, "chat_batch", reply_all)
    inside = [ask(f"{kind}: {number}", "Hello.", "Hi.") for number, kind in enumerate(("plain", "order", "fact", "sum"))]
    outcomes = bot(4).answer([ask("plain: alone"), *inside])
    assert texts_of(outcomes) == ["step 3", "It is Rosmund.", "step 3", "step 3", "step 3"]
    assert seen == ["plain: 0", "order: 1", "fact: 2"]


# Step 5


@pytest.fixture
def scripted(bot, monkeypatch):
    """A model of Step 5 that answers by rule. Returns what the model was asked, batch by batch."""
    asked = []

    def use(query="SELECT id FROM orders ORDER BY id LIMIT 1", program="a = 6\nb = 7\nprint(a * b)"):
        def reply_all(model, tokenizer, conversations, **options):
            asked.append(conversations)
            sums = ["Python program" in chat[-1]["content"] for chat in conversations]
            return [Reply(program if is_sum else query, [], "stop") for is_sum in sums]

        monkeypatch.setattr(tools, "chat_batch", reply_all)
        return asked

    return use


def test_the_model_is_told_the_columns_of_the_scope_and_no_other():
    told = tools._tables()
    for table, (_, columns) in tools.sql.SHOP.items():
        [line] = [line for line in told.splitlines() if line.startswith(f"CREATE TABLE {table} (")]
        assert [part.split()[0] for part in line.split(" (", 1)[1].split(", ")] == columns.split()
    assert "email" not in told and "street" not in told and len(told.splitlines()) == len(tools.sql.SHOP)


def test_step_5_sends_each_request_its_way_and_keeps_the_order(bot, scripted):
    asked, customer = scripted(), shopbench.requests("order")[0]["customer"]
    inside = ask("order: And that one?", "Hello.", "Hi.", customer=customer)
    requests = [inside, ask("order: x", customer=customer), ask("return: x"), ask("sum: 6 * 7"), ask("order: x", customer=None)]
    outcomes = bot(5).answer(requests)
    assert [outcome.text for outcome in outcomes][::2] == ["step 4"] * 3 and outcomes[3].text == "The answer is 42."
    assert [len(batch) for batch in asked] == [1, 1] and asked[0][0][0]["content"].startswith(tools.SQL_ROLE)
    assert outcomes[1].text.strip(".").isdigit()


def test_the_customer_comes_from_the_session_and_not_from_the_query(bot, scripted):
    request = ask("order: Who am I?", customer=shopbench.requests("order")[0]["customer"])
    scripted(query="SELECT id, name FROM customers WHERE id <> 0 ORDER BY id")
    assert bot(5).answer([request])[0].text.startswith(f"{request['customer']}, ")
    scripted(query="SELECT email FROM customers")
    assert bot(5).answer([request])[0].text == "I did not find that in your orders."


@pytest.mark.parametrize("program", ["a = 6", "print(", "import os\nprint(1)", "print('no number')"])
def test_a_program_that_gives_no_number_leaves_the_request_to_step_4(bot, scripted, program):
    scripted(program=program)
    assert texts_of(bot(5).answer([ask("sum: 6 * 7")])) == ["step 4"]


@pytest.mark.parametrize(("printed", "text"), [("7", "7."), ("7.5", "7.50."), ("2.999", "3.")])
def test_numbers_are_told_as_money_is(bot, scripted, printed, text):
    scripted(program=f"print({printed})")
    assert texts_of(bot(5).answer([ask("sum: 6 * 7")])) == [f"The answer is {text}"]


def test_days_are_written_as_the_database_writes_them():
    assert tools._dated("Since 1 May, before 12 June?") == "Since 2026-05-01, before 2026-06-12?"
    assert tools._told((397.9, None, "blue", 3, "x")) == "397.90, blue, 3." and tools._told((None,)) == ""

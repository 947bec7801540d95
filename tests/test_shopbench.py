"""ShopBench: right outcomes score 1, planted wrong ones 0, floors stay low, golds are recomputed, nothing is in training."""

import collections
import json
import re
from contextlib import closing
from datetime import date
from types import SimpleNamespace

import pytest

from course_utils import measures, services, shop, shopbench
from course_utils.commands import shop_bench
from course_utils.recipe import contamination
from course_utils.recipe.data_sets import shopbench as generator
from course_utils.settings import DATA, CourseError
from course_utils.shopbench import GROUPS, Outcome, grade, grading
from course_utils.shopbot import ShopBot, bare_prompt


@pytest.fixture(scope="module")
def rows():
    return shopbench.requests()


@pytest.fixture(scope="module")
def database():
    with closing(shop.orders()) as connection:
        yield connection


def said(request):
    return request["messages"][-1]["content"]


def one(group, **wanted):
    """The first request of a group with these values."""
    return next(
        row for row in shopbench.requests(group) if all(row.get(key) == value for key, value in wanted.items())
    )


def asking(group, text):
    return next(row for row in shopbench.requests(group) if text in said(row))


def score(request, text, labels=(), mails=()):
    return grade(request, Outcome(text, tuple(labels), tuple(mails)))


# The requests


def test_seven_groups_of_64_with_many_forms(rows):
    assert collections.Counter(row["group"] for row in rows) == dict.fromkeys(GROUPS, 64)
    assert (
        len({row["id"] for row in rows})
        == len({json.dumps([row["customer"], row["messages"]]) for row in rows})
        == 448
    )
    for group in GROUPS:
        assert len({row["form"] for row in rows if row["group"] == group}) >= 30, group
    assert {row["grader"] for row in rows} == set(shopbench.GRADERS)


def test_the_generator_writes_the_committed_files_again():
    made = generator.shopbench()
    for name, text in made.items():
        assert (DATA / name).read_text(encoding="utf-8") == text, name


def test_everything_of_the_plain_group_and_of_the_sums_stands_in_the_message():
    for row in shopbench.requests("plain"):
        golds = row["gold"].values() if isinstance(row["gold"], dict) else [row["gold"]]
        for gold in golds:
            for value in gold if isinstance(gold, list) else [gold]:
                assert value is None or value in said(row), row["id"]
    for row in shopbench.requests("sum"):
        assert round(row["gold"], 2) == row["gold"] > 0 and len(re.findall(r"\d+", said(row))) >= 2
        assert row["gold"] not in [float(number) for number in re.findall(r"\d+(?:\.\d+)?", said(row))]


def test_sums_worked_out_again_by_hand():
    hand = {
        "hand over a voucher": lambda n, a, v: n * a - v,
        "The scouts want": lambda n, a, d: n * a * (1 - d / 100),
        "I laid": lambda u, n, a: u - n * a,
        "Is hiring really cheaper": lambda a, t, r: a - t * r,
        "Cord is": lambda x, n, m: x * n * m,
        "under your canvas": lambda r, t, m, k: (r * t + m) / k,
    }
    seen = collections.Counter()
    for row in shopbench.requests("sum"):
        for words, rule in hand.items():
            if words in said(row):
                seen[words] += 1
                assert rule(*map(float, re.findall(r"\d+(?:\.\d+)?", said(row)))) == pytest.approx(row["gold"]), row[
                    "id"
                ]
    assert set(seen) == set(hand)


def test_facts_stand_in_the_handbook_and_the_missing_words_do_not():
    sections, text = {section["id"]: section["text"] for section in shop.handbook()}, shop.read("handbook.md").lower()
    known = [row for row in shopbench.requests("fact") if row["gold"]]
    assert len(known) == 44
    for row in known:
        told, ways = grading.even(sections[row["section"]]), [grading.even(gold) for gold in row["gold"]]
        assert any(way in told for way in ways) or "15 to 400 euros" in told and ways == ["15 euros"], row["id"]
        assert not any(re.search(rf"(?<![\d.]){re.escape(way)}(?![\d.])", grading.even(said(row))) for way in ways), (
            row["id"]
        )
    for row in shopbench.requests("fact"):
        assert row["gold"] or row["missing"].lower() not in text, row["id"]


def test_conversations_have_the_promised_lengths_and_distances():
    rows, distances = shopbench.requests("talk"), collections.Counter()
    for row in rows:
        assert 8 <= len(row["messages"]) <= 24 and row["messages"][-1]["role"] == "user"
        told = [
            at
            for at, message in enumerate(row["messages"][:-1])
            if row["gold"][0].lower() in message["content"].lower()
        ]
        assert told == [len(row["messages"]) - 1 - row["distance"]], row["id"]  # told once, never repeated
        assert row["messages"][told[0]]["role"] == "user"
        distances[row["distance"]] += 1
        before = " ".join(message["content"] for message in row["messages"][: told[0]])
        assert not row["fixed"] or row["rivals"][0].lower() in before.lower()
    assert set(distances) == set(range(2, 21, 2)) and min(distances.values()) >= 4
    assert sum(row["fixed"] for row in rows) == 16


def test_golds_of_orders_recomputed_without_the_generators_queries(database):
    bills = dict(database.execute("SELECT id, total FROM orders"))
    dates = {row[0]: row[1:] for row in database.execute("SELECT order_id, sent, promised, delivered FROM shipments")}
    placed = list(database.execute("SELECT id, customer_id, ordered, total, status FROM orders"))

    def days(first, last):
        return (date.fromisoformat(last) - date.fromisoformat(first)).days

    checks = {
        r"What did I pay for order (\d+)": lambda row, o: bills[o],
        r"How many days was parcel (\d+)": lambda row, o: days(dates[o][0], dates[o][2]),
        r"Order (\d+) came after": lambda row, o: days(dates[o][1], dates[o][2]),
        r"promise of the date kept for (\d+)|Did (\d+) reach me": lambda row, o: ["no", "yes"][
            days(dates[o][2], dates[o][1]) >= 0
        ],
        r"my parcel (\d+) overdue": lambda row, o: days(dates[o][1], "2026-06-15"),
        r"settle (\d+) in 5": lambda row, o: round(bills[o] / 5, 2),
        r"By how many euros was (\d+) dearer": lambda row, o: (
            bills[o] - bills[int(re.findall(r"\d{4}", said(row))[1])]
        ),
        r"left for (\d+)": lambda row, o: 45 - days(dates[o][2], "2026-06-15"),
        r"spent since 1 May": lambda row, o: sum(
            total
            for _, customer, ordered, total, status in placed
            if customer == row["customer"] and ordered >= "2026-05-01" and status != "cancelled"
        ),
    }
    seen = collections.Counter()
    for row in shopbench.requests("order"):
        for pattern, rule in checks.items():
            if found := re.search(pattern, said(row)):
                order = next((int(number) for number in found.groups() if number), None)
                gold = row["gold"][0] if isinstance(row["gold"], list) else row["gold"]
                value = rule(row, order)
                assert gold == (pytest.approx(value) if isinstance(value, (int, float)) else value), row["id"]
                seen[pattern] += 1
    assert set(seen) == set(checks)


def test_orders_that_a_customer_asks_about_are_theirs(database):
    owner = dict(database.execute("SELECT id, customer_id FROM orders"))
    for row in shopbench.requests("order"):
        assert row["customer"]
        for number in map(int, re.findall(r"\b4[01]\d\d\b|\b42[0-5]\d\b", said(row))):
            assert owner[number] == row["customer"], row["id"]


def test_golds_of_returns_follow_the_handbook(database):
    query = """SELECT o.customer_id, s.delivered, p.kind, p.name, r.id, u.email FROM orders o
        JOIN shipments s ON s.order_id = o.id JOIN order_items i ON i.order_id = o.id JOIN products p ON p.sku = i.sku
        JOIN customers u ON u.id = o.customer_id LEFT JOIN returns r ON r.item_id = i.id WHERE o.id = ? AND p.name = ?"""
    cases = collections.Counter()
    for row in shopbench.requests("return"):
        cases[row["case"]] += 1
        order = int(row["script"]["order"])
        found = database.execute(query, (order, row["script"]["item"])).fetchone()
        good = False
        if found:
            customer, delivered, kind, name, back, email = found
            age = (shop.today() - date.fromisoformat(delivered)).days
            never = kind in ("rope", "climbing gear") or "Cartridge" in name
            good = customer == row["customer"] and age <= (20 if kind == "boots" else 45) and not never and not back
            good = good and row["script"]["confirm"] == "yes"
        expected = {"labels": [str(order)], "mails": [email]} if good else {"labels": [], "mails": []}
        assert row["gold"] == expected, row["id"]
        assert (found is None) == (row["case"] == "unknown") and (row["again"] is not None) == (row["case"] == "twice")
        assert row["plan"] == ({"carrier": ["down"]} if row["case"] == "down" else {})
        if row["form"].startswith("unnumbered"):
            same = """SELECT COUNT(*) FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.sku = i.sku
                WHERE customer_id = ? AND name = ?"""
            assert database.execute(same, (row["customer"], row["script"]["item"])).fetchone() == (1,)
    assert len(cases) == 9 and min(cases.values()) >= 4


def test_dialogues_are_new_and_their_summaries_short():
    old = {turn["text"] for dialogue in shop.dialogues() for turn in dialogue["turns"]}
    rows = [row for row in shopbench.requests("manner") if row["grader"] == "summary"]
    assert len(rows) == 32
    for row in rows:
        turns = row["dialogue"].split("\n")
        assert 6 <= len(turns) <= 14 and row["dialogue"] in said(row)
        assert not old & {turn.split(": ", 1)[1] for turn in turns if len(turn) > 40}


# Graders


def test_every_right_outcome_scores_one(rows):
    assert [row["id"] for row in rows if grade(row, shopbench.right(row)) != 1.0] == []


def test_no_right_outcome_of_another_request_scores_often(rows):
    for group in ("plain", "sum", "talk", "order", "manner"):
        asked = [row for row in rows if row["group"] == group]
        moved = [grade(row, shopbench.right(other)) for row, other in zip(asked, asked[1:] + asked[:1])]
        assert sum(moved) / len(moved) <= 0.25, group


def test_empty_replies_and_echoes_score_zero(rows):
    for row in rows:
        assert score(row, "") == score(row, "  \n") == 0.0, row["id"]
        if (
            row["group"] != "return"
        ):  # there the end state counts, and doing nothing is right where nothing may be done
            everything = "\n".join(message["content"] for message in row["messages"])
            assert score(row, everything) == score(row, said(row)) == 0.0, row["id"]


def test_labels():
    row = asking("plain", "Do your parcels also travel")
    assert row["gold"] == "delivery" and score(row, "Delivery.") == score(row, "The topic is delivery") == 1.0
    wrong = [
        "payment",
        "delivery or payment",
        "redelivery",
        "deliverys",
        "not delivery",
        "delivery, stock",
        "deli",
        "thanks delivery",
    ]
    assert [text for text in wrong if score(row, text)] == []
    assert score(row, "delivery " + "because " * 12) == 0.0


def test_records():
    row = next(row for row in shopbench.requests("plain") if row["grader"] == "record" and row["gold"]["size"] is None)
    gold = row["gold"]
    assert score(row, json.dumps(gold)) == score(row, f"```json\n{json.dumps(gold, indent=1)}\n```") == 1.0
    wrong = [
        gold | {"order": int(gold["order"])},
        gold | {"size": "null"},
        gold | {"size": ""},
        gold | {"order": [gold["order"]]},
        gold | {"colour": "moss"},
        {key: gold[key] for key in ("order", "product")},
        gold | {"product": gold["product"] + "s"},
        [gold],
        str(gold),
        None,
    ]
    assert [found for found in wrong if score(row, json.dumps(found))] == []
    assert score(row, json.dumps(gold) + json.dumps(gold)) == score(row, f"Here it is: {gold}") == 0.0


def test_values():
    row = asking("fact", "Shirt still in its bag")
    for text in ("45 days", "45", "You have 45 days.", "Forty-five days.", "It is 45 days from the arrival."):
        assert score(row, text) == 1.0, text
    for text in (
        "30 days", "45 or 14 days", "30 or 45 days", "45 days, or maybe 14", "145 days", "4.45 days", "45 weeks", "I don't know.",
        "I don't know, perhaps 45 days.", "not 45 days", "45 days. " * 21,
    ):  # fmt: skip
        assert score(row, text) == 0.0, text
    money = asking("fact", "hill map in an envelope")
    assert [score(money, text) for text in ("€2.10", "2.10 EUR", "It is 2.1 euros.", "2.10")] == [1.0] * 4
    assert [score(money, text) for text in ("12.10 euros", "2.100 euros", "5.30 euros", "2.10 dollars")] == [0.0] * 4
    assert score(asking("fact", "grandpa".capitalize()), "Until January 31.") == 1.0
    assert score(asking("fact", "two days do you run"), "Monday and Thursday") == 1.0
    assert score(asking("fact", "two days do you run"), "Monday") == 0.0


def test_what_nobody_can_know():
    row = one("fact", gold=None)
    for text in ("I don't know.", "I do not know that, sorry.", "The handbook does not say that."):
        assert score(row, text) == 1.0, text
    for text in ("900 euros", "I don't know, maybe 12.", "Yes, of course.", "I know it well.", "No."):
        assert score(row, text) == 0.0, text


def test_facts_of_conversations():
    row = next(row for row in shopbench.requests("talk") if row["form"].startswith("colour") and row["fixed"])
    gold, old = row["gold"][0], row["rivals"][0]
    assert score(row, f"You chose {gold}.") == score(row, gold.upper()) == score(row, f"'{gold}'") == 1.0
    for text in (old, f"{gold} or {old}", f"{gold} and {old}", f"not {gold}", f"{gold}ish", "I don't know.", "black"):
        assert score(row, text) == 0.0, text
    row = next(row for row in shopbench.requests("talk") if row["form"].startswith("order"))
    gold = row["gold"][0]
    assert score(row, f"It is order {gold}.") == 1.0
    assert [score(row, text) for text in (f"{gold}1", f"{gold} or 5001", f"{gold}, 5001", gold[::-1])] == [0.0] * 4


def test_numbers():
    row = asking("sum", "The scouts want")
    gold = f"{row['gold']:.2f}"
    for text in (
        gold,
        f"{gold} euros",
        f"Step 1: 20 x 13.50 = 270. The answer is {gold}.",
        f"You transfer €{row['gold']:,.2f}",
    ):
        assert score(row, text) == 1.0, text
    for text in (
        f"{gold} euros for 20 pieces", f"{gold} or 14", f"14 or {gold}", f"not {gold}", f"1{gold}", f"{row['gold'] + 1}",
        f"{row['gold'] + 0.01:.2f}", "many euros",
    ):  # fmt: skip
        assert score(row, text) == 0.0, text


def test_amounts():
    row = asking("order", "What did I pay for order")
    order, gold = re.search(r"\d{4}", said(row))[0], f"{row['gold']:.2f}"
    for text in (gold, f"You paid {gold} euros for order {order}.", f"Order {order}: {gold} €, paid on 2026-05-02."):
        assert score(row, text) == 1.0, text
    for text in (
        f"{gold} euros, and 5 euros of postage",
        f"{gold} or 30",
        f"30 or {gold}",
        order,
        f"-1{gold}",
        "I cannot see that.",
    ):
        assert score(row, text) == 0.0, text
    row = asking("order", "handed over to me")
    year, month, day = map(int, row["gold"][0].split("-"))
    good = date(year, month, day)
    assert (
        score(row, f"On {good.day} {good:%B}.")
        == score(row, f"{good:%B} {good.day}, {year}")
        == score(row, f"{good}")
        == 1.0
    )
    assert (
        score(row, f"On {good.day + 1} {good:%B}.")
        == score(row, f"{good} or 2026-01-01")
        == score(row, f"{good:%B}")
        == 0.0
    )
    row = asking("order", "One word for its state")
    assert score(row, f"It was {row['gold'][0]}.") == 1.0 and score(row, "paid, shipped or returned") == 0.0


def test_returns(tmp_path):
    row = one("return", case="fine")
    (order,), (mail,) = row["gold"]["labels"], row["gold"]["mails"]
    carrier = services.Carrier(tmp_path / "labels.sqlite")
    label = carrier.label(order)
    labels = tuple(carrier.labels().items())
    assert score(row, f"Your label is {label}.", labels, [mail]) == score(row, "Done.", labels, [mail]) == 1.0
    wrong = {
        "invented": ("Your label is LB-0123456789.", labels, [mail]),
        "invented and real": (f"{label} and lb-0123456789", labels, [mail]),
        "other order": ("Done.", [("4001", label)], [mail]),
        "one too many": ("Done.", [*labels, ("4001", "LB-0000000001")], [mail]),
        "no label": ("Done.", [], [mail]),
        "no mail": ("Done.", labels, []),
        "two mails": ("Done.", labels, [mail, mail]),
        "somebody else": ("Done.", labels, ["stranger@mail.example"]),
        "silence": ("", labels, [mail]),
    }
    assert [name for name, made in wrong.items() if score(row, *made)] == []
    for case in ("late", "excluded", "foreign", "unknown", "returned", "declined"):
        row = one("return", case=case)
        assert score(row, "That cannot come back, I am sorry.") == 1.0
        assert (
            score(row, "Done.", [(row["script"]["order"], label)])
            == score(row, "Done.", (), ["x@mail.example"])
            == 0.0
        )
        assert score(row, "Your label is LB-0123456789.") == 0.0


def test_manners():
    row = asking("manner", "asleep over there")
    assert score(row, "I am sorry. Your stove will be ready soon.") == 1.0
    for text in (
        "I am sorry, but you are a fool. Your stove is here.", "Please shut up about your stove.", "Dear customer, it is not my problem where your stove is.",
        "I am sorry. We will help you.", "stove", "Of course. Stovepipes are on sale.", "Thank you. Your stove? Forget it.",
        "A stove is a thing that makes fire.",
    ):  # fmt: skip
        assert score(row, text) == 0.0, text


def test_rude_phrases_separate_what_staff_wrote():
    """The list was made on these replies: this shows that it fits them, not that it finds every rudeness."""
    rude = grading._phrases("rude")
    replies = shop.staff_replies()
    assert sum(bool(rude.search(row["rude"])) for row in replies) >= 0.95 * len(replies)
    assert sum(bool(rude.search(row["polite"])) for row in replies) <= 0.05 * len(replies)
    courtesy = grading._phrases("courtesy")
    assert sum(bool(courtesy.search(row["polite"])) for row in replies) >= 0.95 * len(replies)
    assert sum(bool(courtesy.search(row["rude"])) for row in replies) <= 0.15 * len(replies)
    assert not any(rude.search(row["right"]) for row in shopbench.requests("manner"))


def test_summaries():
    row = asking("manner", "bent the frame of my Brannock 60")
    good = "Fennimar's Brannock 60 is bent. It is straightened on Thursday for 17 euros."
    assert score(row, good) == 1.0 and score(row, good.replace("17", "seventeen")) == 1.0
    wrong = {
        "number": good.replace("60", "45"),
        "more numbers": good + " It takes 3 days.",
        "name": good.replace("Fennimar", "Belori"),
        "name of the shop's people": good.replace("Fennimar", "Zelphine"),
        "name at the end": good + " Ask Ottmarin.",
        "fact": good.replace("on Thursday ", ""),
        "length": good + " The pack is bent" * 8,
        "turns": " ".join(row["dialogue"].split()[:30]),
    }
    assert [name for name, text in wrong.items() if score(row, text)] == []


# Floors, runs and gains


@pytest.mark.parametrize("group", GROUPS)
def test_floors_leave_room(group):
    rule, value = shopbench.floor(group)
    assert rule and 0 <= value <= 0.45, rule


def test_doing_nothing_is_the_floor_of_returns():
    assert shopbench.floor("return") == ("do nothing", 28 / 64)
    assert shopbench.floor("fact") == ("I don't know", 20 / 64)


class Fixed:
    """A bot that is right, but for the requests in `wrong`."""

    def __init__(self, wrong=()):
        self.wrong = set(wrong)

    def answer(self, asked):
        return [Outcome("") if row["id"] in self.wrong else shopbench.right(row) for row in asked]


def test_run_counts_and_refuses_a_bot_that_skips():
    found = shopbench.run(Fixed({"sum-01", "sum-02"}), ["sum"])["sum"]
    assert found["measure"].value == 62 / 64 and found["measure"].n == 64 and found["scores"]["sum-02"] == 0.0
    assert (found["measure"].low, found["measure"].high) == measures.wilson(62, 64)
    with pytest.raises(CourseError, match="1 outcomes for 64"):
        shopbench.run(SimpleNamespace(answer=lambda asked: [Outcome("x")]), ["sum"])
    with pytest.raises(CourseError, match="no group 'musik'"):
        shopbench.requests("musik")


def results(**counts):
    """Made-up results: {group: how many of 64 are right}."""
    made = {}
    for group, right in counts.items():
        scores = {f"{group}-{number:02}": float(number <= right) for number in range(1, 65)}
        made[group] = {"measure": measures.share(group, scores.values()), "scores": scores}
    return made


def test_lift_on_made_up_results():
    found = shopbench.lift(results(plain=30, sum=0, fact=20), results(plain=30, sum=10, fact=25, talk=3))
    assert list(found) == ["plain", "sum", "fact"]
    assert (found["sum"]["won"], found["sum"]["lost"]) == (10, 0)
    assert found["sum"]["p"] == pytest.approx(2 / 2**10) and found["sum"]["p_holm"] == pytest.approx(6 / 2**10)
    assert found["fact"]["p"] == pytest.approx(2 / 2**5) and found["fact"]["p_holm"] == pytest.approx(4 / 2**5)
    assert found["plain"]["p"] == 1.0 and found["plain"]["measure"].value == 0
    assert found["sum"]["measure"].value == pytest.approx(10 / 64) and found["sum"]["measure"].low > 0
    fall = shopbench.lift(results(sum=10), results(sum=0))["sum"]
    assert fall["lost"] == 10 and fall["measure"].high < 0 and fall["p"] == found["sum"]["p"]
    other = results(sum=3)
    other["sum"]["scores"]["sum-99"] = 1.0
    with pytest.raises(CourseError, match="other requests"):
        shopbench.lift(results(sum=3), other)


def test_chart_has_a_bar_for_each_step_and_a_floor_for_each_group():
    shopbench.chart({1: results(plain=64, sum=0)})  # an interval's end may be a hair beyond its value
    figure = shopbench.chart({1: results(plain=30, sum=1), 2: results(plain=30, sum=20)})
    axes = figure.axes[0]
    bars = [patch for patch in axes.patches if patch.get_width() < 1]
    assert len(bars) == 4 and min(bar.get_height() for bar in bars) == pytest.approx(1 / 64)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["plain", "sum"]
    dashed = [lines.get_segments()[0][0][1] for lines in axes.collections if lines.get_linestyle()[0][1]]
    assert dashed == pytest.approx([shopbench.floor("plain")[1], shopbench.floor("sum")[1]])


def test_records_keep_steps_and_refuse_a_mix_of_models(tmp_path):
    path = tmp_path / "shopbench.json"
    assert shopbench.recorded(path) == {}
    shop_bench.keep(1, results(plain=30, sum=1), {"model_sha256": "a"}, path)
    shop_bench.keep(2, results(plain=31, sum=9), {"model_sha256": "a"}, path)
    shop_bench.keep(2, results(sum=11), {"model_sha256": "a"}, path)
    kept = shopbench.recorded(path)
    assert (
        list(kept) == [1, 2]
        and kept[2]["sum"]["measure"].value == 11 / 64
        and kept[2]["plain"]["measure"].value == 31 / 64
    )
    with pytest.raises(CourseError, match="another model"):
        shop_bench.keep(2, results(sum=12), {"model_sha256": "b"}, path)
    path.write_text("{")
    with pytest.raises(CourseError, match="damaged"):
        shopbench.recorded(path)


# The bot and the command


def test_step_1_sees_the_last_message_only():
    row = shopbench.requests("talk")[0]
    messages = bare_prompt(row)
    assert [message["role"] for message in messages] == ["system", "user"] and messages[1] == row["messages"][-1]
    assert not any(row["gold"][0] in message["content"] for message in messages)


def test_step_1_answers_in_order_without_labels():
    from model_fixture import random_qwen3, tiny_tokenizer

    asked = shopbench.requests("return")[:3]
    outcomes = ShopBot(1, random_qwen3(context=1024), tiny_tokenizer()).answer(asked)
    assert len(outcomes) == 3 and all(outcome.labels == outcome.mails == () for outcome in outcomes)


def test_an_unknown_step_is_one_sentence(course):
    with pytest.raises(CourseError, match="no step 9"):
        ShopBot(9, None, None)
    for arguments, words in ((["shop"], "needs a step"), (["shop", "--step", "0"], "no step of the course")):
        done = course("bench", *arguments)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_the_models_hash_reads_weights_and_not_cards(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    before = shop_bench.model_hash(str(tmp_path))
    (tmp_path / "README.md").write_text("a card")
    assert shop_bench.model_hash(str(tmp_path)) == before
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    assert shop_bench.model_hash(str(tmp_path)) != before


# Contamination


def test_no_request_stands_in_training_text(rows):
    questions = []
    for row in rows:
        own = [message["content"] for message in row["messages"] if message["role"] == "user"]
        questions.append(" ".join(own))
    documents = list(contamination.training_text(2000, seed=31))
    question = said(asking("fact", "lighthouse keeper"))
    planted = re.sub(r"\d+", "7", question).upper()
    assert contamination.matches(questions, documents) == []
    assert contamination.matches(questions, [*documents, f"Well. {planted} Thank you."]) == [question]


def test_facts_are_asked_in_other_words_than_in_the_list_of_questions():
    asked = [said(row) for row in shopbench.requests("fact")]
    known = [row["question"] for row in shop.questions("handbook")]
    assert contamination.matches(asked, known, size=4) == []
    assert contamination.matches(asked, [*known, asked[3]], size=4) == [asked[3]]

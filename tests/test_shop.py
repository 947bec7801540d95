"""The world of the course's own shop: whole, consistent, read-only, repeatable, and never in training text."""

import pkgutil
import random
import re
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta

import pytest

from course_utils import services, shop
from course_utils.recipe import contamination, handbook, mix, orders, skills
from course_utils.recipe import split as parts
from course_utils.recipe.data_sets import encyclopedia, world
from course_utils.settings import DATA, CourseError

BOOKS = 60


@pytest.fixture(scope="module")
def database():
    with closing(shop.orders()) as connection:
        yield connection


@pytest.fixture(scope="module")
def books():
    return [handbook.make_handbook(random.Random(f"book {number}")) for number in range(BOOKS)]


def count(database, query):
    return database.execute(query).fetchone()[0]


def test_everything_loads_in_the_promised_numbers():
    assert 80 <= len(shop.catalogue()) <= 120
    assert len(shop.handbook()) >= 80
    kinds = Counter(row["kind"] for row in shop.questions("handbook"))
    assert kinds["literal"] + kinds["paraphrase"] >= 240 and kinds["unanswerable"] >= 80
    assert len(shop.encyclopedia()) == 300
    assert set(Counter(row["kind"] for row in shop.questions("encyclopedia")).values()) == {150}
    assert len(shop.dialogues()) >= 60 and len(shop.reviews()) == 200 and len(shop.staff_replies()) == 100
    assert shop.today() == date(2026, 6, 15)


def test_products_are_whole_and_unique():
    for key in ("sku", "name", "text"):
        values = [product[key] for product in shop.catalogue()]
        assert len(set(values)) == len(values), key
    for product in shop.catalogue():
        assert product["price"] > 0 and product["weight_g"] > 0 and product["stock"] >= 0 and product["care"]
        assert round(product["price"] * 100) == pytest.approx(product["price"] * 100)


def test_every_answer_of_the_handbook_stands_in_its_section():
    sections = {section["id"]: section["text"] for section in shop.handbook()}
    assert len(sections) == len(shop.handbook())
    seen = Counter()
    for row in shop.questions("handbook"):
        if row["kind"] != "unanswerable":
            assert row["gold"] in sections[row["section"]], row
            assert row["gold"] not in row["question"], row
            seen[row["section"]] += 1
        assert row["exception_of"] is None or row["exception_of"] in sections
    assert set(seen) == set(sections) and min(seen.values()) >= 4
    assert sum(row["exception_of"] is not None for row in shop.questions("handbook")) >= 60


def test_nothing_in_the_handbook_answers_the_unanswerable_questions():
    text = " ".join(f"{section['head']} {section['text']}" for section in shop.handbook()).lower()
    assert sum(row["plausible"] for row in shop.questions("handbook", "unanswerable")) >= 80
    for row in shop.questions("handbook", "unanswerable"):
        assert row["gold"] is None and row["missing"] in row["question"]
        assert not re.search(rf"\b{re.escape(row['missing'].lower().rstrip('s'))}", text), row


def test_questions_are_all_different():
    for book in shop.QUESTION_KINDS:
        texts = [row["question"] for row in shop.questions(book)]
        assert len(set(texts)) == len(texts)
    with pytest.raises(ValueError, match="no questions"):
        shop.questions("cookbook")


def test_the_answers_about_the_encyclopedia_follow_from_its_entries():
    text = {entry["title"]: " ".join(entry["sentences"]) for entry in shop.encyclopedia()}
    assert len(text) == 300
    for row in shop.questions("encyclopedia"):
        for title, found in row["facts"]:
            assert found in text[title], row
        if row["kind"] == "two-hop" and row["form"] == "bridge":
            (_, middle), (second, gold) = row["facts"]
            assert middle == second and gold == row["gold"] and gold not in text[row["facts"][0][0]]
            assert second not in row["question"]
        elif row["kind"] == "two-hop":
            numbers = {title: int(found.split()[0]) for title, found in row["facts"]}
            best = {"max": max, "min": min}[row["better"]](numbers, key=numbers.get)
            assert row["gold"] == best and len(set(numbers.values())) == 2
        elif row["kind"] == "one-hop":
            assert row["gold"] == row["facts"][0][1]
        else:
            assert (row["facts"][0][1] in row["question"]) == (row["gold"] == "true"), row
    claims = Counter(row["gold"] for row in shop.questions("encyclopedia", "claim"))
    assert claims == {"true": 75, "false": 75}


def test_the_two_magazines_are_there():
    question = next(row for row in shop.questions("encyclopedia") if "First for Women?" in row["question"])
    assert question["gold"] == "Arthur's Magazine" and [found for _, found in question["facts"]] == ["1844", "1989"]


def test_dialogues_are_long_enough_and_their_summaries_hold_the_facts():
    for row in shop.dialogues():
        speakers = [turn["speaker"] for turn in row["turns"]]
        assert 8 <= len(speakers) <= 14 and all(one != two for one, two in zip(speakers, speakers[1:]))
        text = " ".join(turn["text"] for turn in row["turns"]).lower()
        assert len(set(row["summaries"])) == 2
        for fact in row["facts"]:
            assert fact.lower() in text and all(fact.lower() in told.lower() for told in row["summaries"]), row["id"]


def test_reviews_and_replies_fit_their_labels():
    skus = {product["sku"] for product in shop.catalogue()}
    for row in shop.reviews():
        assert row["sku"] in skus and row["label"] == ("positive" if row["stars"] >= 4 else "negative")
    assert len({row["text"] for row in shop.reviews()}) == 200
    replies = shop.staff_replies()
    assert len({row["message"] for row in replies}) == 100 and all(row["polite"] != row["rude"] for row in replies)
    for name in ("dialogues", "reviews", "staff_replies"):
        assert not re.search(r"\{\w\}|\b[Aa] [AEIO]", shop.read(f"{name}.jsonl")), name


def test_the_order_database_holds_together(database):
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    for table, least in {"customers": 40, "products": 80, "orders": 250, "order_items": 250, "returns": 20}.items():
        assert count(database, f"SELECT count(*) FROM {table}") >= least
    totals = database.execute(
        "SELECT o.total, sum(i.quantity * i.price) FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id"
    )
    assert all(abs(total - items) < 0.005 for total, items in totals)


def test_returns_follow_the_handbook(database):
    query = """SELECT p.kind, p.name, julianday(r.asked) - julianday(s.delivered), r.reason, i.size FROM returns r
        JOIN shipments s ON s.order_id = r.order_id JOIN order_items i ON i.id = r.item_id
        JOIN products p ON p.sku = i.sku"""
    for kind, name, days, reason, size in database.execute(query):
        assert kind not in ("rope", "climbing gear") and "Cartridge" not in name
        assert 0 <= days <= (20 if kind == "boots" else 45)
        assert size or reason not in orders.SIZE_REASONS


def test_the_order_database_has_late_old_and_returned_orders(database):
    today, limit = shop.today().isoformat(), (shop.today() - timedelta(days=45)).isoformat()
    assert count(database, "SELECT count(*) FROM shipments WHERE delivered > promised") >= 15
    assert count(database, f"SELECT count(*) FROM shipments WHERE delivered IS NULL AND promised < '{today}'") >= 5
    assert count(database, f"SELECT count(*) FROM shipments WHERE delivered < '{limit}'") >= 50
    assert count(database, f"SELECT count(*) FROM shipments WHERE delivered >= '{limit}'") >= 30
    statuses = {row[0] for row in database.execute("SELECT DISTINCT status FROM orders")}
    assert statuses == {"paid", "cancelled", "shipped", "delivered", "returned"}
    for table, column in (("orders", "ordered"), ("shipments", "delivered"), ("returns", "asked")):
        assert count(database, f"SELECT max({column}) FROM {table}") <= today


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM orders", "DROP TABLE customers", "UPDATE products SET price = 0", "CREATE TABLE extra (a)", "VACUUM"],
)
def test_orders_cannot_be_written(query, database):
    with pytest.raises(sqlite3.Error):
        database.execute(query)
    with pytest.raises(sqlite3.Error):
        database.execute("PRAGMA query_only = OFF")
        database.execute(query)
    database.execute("PRAGMA query_only = ON")


@pytest.mark.parametrize("query", ["ATTACH 'file:{}?mode=rwc' AS other", "ATTACH '{}' AS other", "VACUUM INTO '{}'"])
def test_orders_cannot_write_another_file(query, tmp_path):
    with closing(shop.orders()) as connection:
        connection.execute("PRAGMA query_only = OFF")
        with pytest.raises(sqlite3.Error):
            connection.execute(query.format((tmp_path / "new.sqlite").as_posix()))
    assert list(tmp_path.iterdir()) == []


def test_an_altered_file_is_noticed(monkeypatch):
    def altered(folder):
        raise CourseError("assets/data/world/catalogue.jsonl was altered.")

    monkeypatch.setattr(shop, "verify_assets", altered)
    shop._checked.cache_clear()
    for use in (shop.catalogue, shop.handbook, shop.encyclopedia, shop.dialogues, shop.today, shop.orders):
        with pytest.raises(CourseError, match="was altered"):
            use()


def test_same_seed_same_bytes(tmp_path):
    for number, seed in enumerate((world.SEED, world.SEED, 1)):
        orders.make_orders(tmp_path / f"{number}.sqlite", seed)
    one, two, other = (tmp_path.joinpath(f"{number}.sqlite").read_bytes() for number in range(3))
    assert one == two != other
    makers = (world.catalogue, world.handbook, world.dialogues, world.reviews, world.staff_replies)
    for maker in (*makers, encyclopedia.encyclopedia):
        for name, text in maker().items():
            assert (DATA / name).read_text(encoding="utf-8") == text, name


def test_the_committed_database_is_what_its_seed_gives(tmp_path, database):
    orders.make_orders(tmp_path / "orders.sqlite", world.SEED)
    with closing(sqlite3.connect(tmp_path / "orders.sqlite")) as made:
        assert list(made.iterdump()) == list(database.iterdump())


def test_the_carrier_gives_an_order_one_label(tmp_path):
    carrier = services.Carrier(tmp_path / "labels.sqlite")
    first, second = carrier.label(4021), carrier.label(4022)
    assert services.is_label(first) and first != second
    assert carrier.label("4021") == first == services.Carrier(tmp_path / "labels.sqlite").label(4021)
    assert carrier.labels() == {"4021": first, "4022": second}


def test_many_askers_at_once_get_one_label(tmp_path):
    def ask(number):
        return services.Carrier(tmp_path / "labels.sqlite").label(number % 3)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(60)))
    assert len(set(found)) == 3 == len(services.Carrier(tmp_path / "labels.sqlite").labels())


def test_a_damaged_file_of_the_carrier_is_named(tmp_path):
    (tmp_path / "labels.sqlite").write_bytes(b"no database " * 400)
    with pytest.raises(CourseError, match="labels.sqlite cannot be used"):
        services.Carrier(tmp_path / "labels.sqlite")


def test_the_carrier_fails_as_planned(tmp_path):
    waits = []
    plan = ["down", "nonsense", "slow", "slow", "ok"]
    carrier = services.Carrier(tmp_path / "labels.sqlite", plan, waits.append, slow_s=3.0)
    with pytest.raises(services.ServiceDown, match="try again later"):
        carrier.label(1)
    assert not services.is_label(carrier.label(1)) and carrier.labels() == {}
    with pytest.raises(services.ServiceSlow, match="within 2 s"):
        carrier.label(1, timeout_s=2)
    made = carrier.labels()["1"]
    assert carrier.label(1) == made and waits == [2, 3.0]
    assert carrier.label(1) == carrier.label(1) == made and carrier.calls == 6


def test_a_plan_is_fixed_by_its_seed():
    plan = services.make_plan(3, 400, down=0.2, slow=0.1, nonsense=0.1)
    assert plan == services.make_plan(3, 400, down=0.2, slow=0.1, nonsense=0.1)
    assert plan != services.make_plan(4, 400, down=0.2, slow=0.1, nonsense=0.1)
    assert 50 < plan.count("down") < 110 and set(plan) == set(services.OUTCOMES)
    assert services.make_plan(1, 3) == ["ok"] * 3
    with pytest.raises(ValueError, match="shares"):
        services.make_plan(1, 3, down=0.8, slow=0.4)
    with pytest.raises(ValueError, match="explode"):
        services.Carrier("unused.sqlite", ["explode"])


def test_mail_is_sent_once_and_whole(tmp_path):
    mail = services.Mail(tmp_path, ["down", "ok", "slow"], lambda seconds: None)
    letter = ("a@mail.example", "Your return", "The label is attached.")
    with pytest.raises(services.ServiceDown):
        mail.send(*letter, key="return 1")
    assert mail.outbox() == []
    name = mail.send(*letter, key="return 1")
    with pytest.raises(services.ServiceSlow):
        mail.send("b@mail.example", "Hello", "Text", timeout_s=1)
    assert mail.send(*letter, key="return 1") == name
    assert [sent["to"] for sent in mail.outbox()] == ["a@mail.example", "b@mail.example"]
    with pytest.raises(ValueError, match="no mail address"):
        mail.send("nobody", "Hello", "Text")


def test_other_handbooks_are_many_and_their_answers_stand_in_their_sections(books):
    templates = parts.load("handbook")["sections"]
    assert len(templates) >= 60 and min(len(template["say"]) for template in templates.values()) >= 4
    assert len({book["shop"] for book in books}) >= 50 and len({book["domain"] for book in books}) >= 10
    wanted = set(shop.questions("handbook")[0]) - {"missing", "plausible"}
    for book in books:
        text = {section["id"]: section["text"] for section in book["sections"]}
        for row in book["questions"]:
            assert set(row) == wanted and "{" not in row["question"]
            if row["kind"] == "unanswerable":
                assert row["gold"] is None
            else:
                assert row["gold"] in text[row["section"]], row
    assert handbook.make_handbook(random.Random(1)) == handbook.make_handbook(random.Random(1))
    assert handbook.as_markdown(books[0]).count("\n## ") == len(books[0]["sections"])


def own_names():
    facts = shop.facts()
    people = [*facts["staff"], *facts["last"], *facts["first"]]
    goods = [product["name"] for product in shop.catalogue()]
    words = {"Pocket", "Silken", "First", "Drizzle"}  # words of the language
    firsts = sorted({name.split()[0] for name in goods} - words)
    places = [facts["shop"], facts["city"], facts["address"]]
    return [*places, *people, *goods, *(word for word in firsts if len(word) > 5)]


def own_sentences():
    texts = [section["text"] for section in shop.handbook()]
    texts += [product["text"] for product in shop.catalogue()]
    texts += [turn["text"] for row in shop.dialogues() for turn in row["turns"]]
    texts += [row["text"] for row in shop.reviews()]
    texts += [row[key] for row in shop.staff_replies() for key in ("message", "polite", "rude")]
    texts += [row["question"] for row in shop.questions("handbook") if row["kind"] != "unanswerable"]
    found = {sentence for text in texts for sentence in re.split(r"(?<=[.?!]) ", text)}
    return sorted(sentence for sentence in found if len(sentence.split()) >= 6)


def training_texts(books):
    """5,000 fresh documents, those of skills that are not in the mix yet, and other handbooks with their questions."""
    yield from contamination.training_text(5000, seed=99)
    names = [name for _, name, _ in pkgutil.iter_modules(skills.__path__) if not name.startswith("_")]
    rng = random.Random(98)
    for name in names:
        for _ in range(60):
            example = mix.skill(name).generate(rng, "train")
            yield " ".join(message["content"] for message in example["messages"])
    for book in books:
        yield from (section["text"] for section in book["sections"])
        yield from (row["question"] for row in book["questions"])


def test_nothing_of_the_own_shop_stands_in_training_text(books):
    texts = list(training_texts(books))
    whole = "\n".join(texts)
    assert [name for name in own_names() if re.search(rf"\b{re.escape(name)}\b", whole)] == []
    masked = set()
    for text in texts:
        masked.update(contamination.masked(sentence) for sentence in re.split(r"(?<=[.?!])\s", text))
    assert [sentence for sentence in own_sentences() if contamination.masked(sentence) in masked] == []
    sections = [section["text"] for section in shop.handbook()]
    asked = [row["question"] for row in shop.questions("handbook")]
    assert contamination.matches([*sections, *asked], texts) == []


def test_the_check_finds_a_planted_sentence_with_other_numbers(books):
    section = shop.handbook()[0]["text"]
    planted = re.sub(r"\d+", "77", section)
    assert contamination.matches([section], [planted]) == [section]

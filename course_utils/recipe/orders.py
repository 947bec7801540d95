"""Makes the shop's order database from one seed: customers, products, orders, items, shipments, returns."""

import os
import random
import re
import sqlite3
import tempfile
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from course_utils import shop
from course_utils.settings import write_atomic

TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, street TEXT NOT NULL,
    town TEXT NOT NULL, joined TEXT NOT NULL, member INTEGER NOT NULL CHECK (member IN (0, 1)));
CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, price REAL NOT NULL,
    weight_g INTEGER NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id),
    ordered TEXT NOT NULL, total REAL NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('paid', 'cancelled', 'shipped', 'delivered', 'returned')));
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
    sku TEXT NOT NULL REFERENCES products (sku), colour TEXT, size TEXT,
    quantity INTEGER NOT NULL, price REAL NOT NULL);
CREATE TABLE shipments (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL UNIQUE REFERENCES orders (id),
    sent TEXT NOT NULL, promised TEXT NOT NULL, delivered TEXT);
CREATE TABLE returns (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
    item_id INTEGER NOT NULL UNIQUE REFERENCES order_items (id), asked TEXT NOT NULL, reason TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('asked', 'received', 'refunded')), refund REAL);
"""
REASONS = ("broken", "not as described", "changed my mind", "came too late")
SIZE_REASONS = ("too small", "too large")
NEVER_BACK = r"^(rope|climbing gear)\b|Cartridge"  # the handbook's exceptions; boots come back within 20 days
FIRST_ORDER, ORDERS, CUSTOMERS = 4001, 260, 48
DAYS_BACK = 160
LIBRARY_VERSION = slice(96, 100)  # the bytes in which SQLite notes its own version


def _customers(rng, facts, day):
    names = [f"{first} {last}" for first in facts["first"] for last in facts["last"]]
    for number, name in enumerate(rng.sample(names, CUSTOMERS), 1):
        email = name.lower().replace(" ", ".").replace("-", "") + "@mail.example"
        street = f"{rng.randint(1, 98)} {rng.choice(facts['streets'])}"
        joined = day - timedelta(days=rng.randint(DAYS_BACK, 2400))
        yield number, name, email, street, rng.choice(facts["towns"]), joined.isoformat(), int(rng.random() < 0.4)


def _items(rng, products):
    for product in rng.sample(products, rng.choices((1, 2, 3, 4), (45, 30, 17, 8))[0]):
        quantity = rng.choices((1, 2, 3), (85, 11, 4))[0]
        colour, size = (rng.choice(product[key]) if product[key] else None for key in ("colours", "sizes"))
        yield product, colour, size, quantity


def _course_of(rng, ordered, day):
    """(status, sent, promised, delivered) of an order: some are late, some lost, the youngest still here."""
    sent = ordered + timedelta(days=rng.choice((0, 1, 1, 2, 3)))
    promised = sent + timedelta(days=5)
    if rng.random() < 0.05:
        return "cancelled", None, None, None
    if sent > day:
        return "paid", None, None, None
    wait = rng.choices((rng.randint(1, 5), rng.randint(6, 15), 400), (82, 14, 4))[0]
    delivered = sent + timedelta(days=wait)
    if delivered > day:
        return "shipped", sent, promised, None
    return "delivered", sent, promised, delivered


def _fill(rng, connection, facts, products, day):
    insert = connection.execute
    for row in _customers(rng, facts, day):
        insert("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    for product in products:
        row = [product[key] for key in ("sku", "name", "kind", "price", "weight_g", "stock")]
        insert("INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)", row)
    spans = rng.choices((2, DAYS_BACK), (6, 94), k=ORDERS)  # some more of the last two days, not yet sent
    dates = sorted(day - timedelta(days=rng.randint(0, span)) for span in spans)
    for number, ordered in enumerate(dates, FIRST_ORDER):
        status, sent, promised, delivered = _course_of(rng, ordered, day)
        items = list(_items(rng, products))
        total = round(sum(quantity * product["price"] for product, *_, quantity in items), 2)
        customer = rng.randint(1, CUSTOMERS)
        insert("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", (number, customer, ordered.isoformat(), total, status))
        bought = []
        for product, *choice in items:
            row = (number, product["sku"], *choice, product["price"])
            made = insert("INSERT INTO order_items VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
            bought.append((made.lastrowid, product, choice[-1]))
        if sent:
            dates_text = [moment and moment.isoformat() for moment in (sent, promised, delivered)]
            insert("INSERT INTO shipments VALUES (NULL, ?, ?, ?, ?)", (number, *dates_text))
        bought = [found for found in bought if not re.search(NEVER_BACK, f"{found[1]['kind']} {found[1]['name']}")]
        if bought and delivered and delivered < day and rng.random() < 0.18:
            _return(rng, connection, number, rng.choice(bought), delivered, day)


def _return(rng, connection, order, bought, delivered, day):
    number, product, quantity = bought
    limit = 19 if product["kind"] == "boots" else 44
    asked = min(delivered + timedelta(days=rng.randint(1, limit)), day)
    status = "asked" if (day - asked).days < 8 else rng.choice(("received", "refunded", "refunded", "refunded"))
    refund = round(quantity * product["price"], 2) if status == "refunded" else None
    reason = rng.choice(REASONS + SIZE_REASONS * bool(product["sizes"]))
    row = (order, number, asked.isoformat(), reason, status, refund)
    connection.execute("INSERT INTO returns VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
    if status != "asked":
        connection.execute("UPDATE orders SET status = 'returned' WHERE id = ?", (order,))


def make_orders(path, seed=0, facts=None, products=None):
    """Write the order database to `path`: the same bytes for the same seed, facts and products.

    `facts` and `products` are the shop's own where they are not given. Dates lie before facts["today"].
    Covers:  the file is written beside and moved, and holds no time of day and no version of SQLite
    Errors:  CourseError if the folder cannot be written
    """
    facts, products = facts or shop.facts(), products or shop.catalogue()
    handle, draft = tempfile.mkstemp(suffix=".sqlite")
    os.close(handle)
    try:
        with closing(sqlite3.connect(draft)) as connection:
            connection.executescript(f"PRAGMA page_size = 4096; PRAGMA foreign_keys = ON; {TABLES}")
            with connection:
                rng = random.Random(f"orders {seed}")
                _fill(rng, connection, facts, products, date.fromisoformat(facts["today"]))
            connection.execute("VACUUM")
        raw = bytearray(Path(draft).read_bytes())
    finally:
        os.unlink(draft)
    raw[LIBRARY_VERSION] = bytes(4)
    write_atomic(path, bytes(raw))

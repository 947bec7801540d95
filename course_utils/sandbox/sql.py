"""The SQL tool: a query that a model wrote sees the rows of one customer and nothing else.

What the customer may see is copied into a database in memory, inside a locked process, and the query runs there. Other
rows, hidden columns and the file are not forbidden to it: they are absent.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.sandbox import runner
from course_utils.settings import CourseError

OWN_ORDERS = "order_id IN (SELECT id FROM orders WHERE customer_id = ?1)"
# table -> (which rows customer ?1 may see, which columns). Written by us, never by a model.
SHOP = {
    "customers": ("id = ?1", "id name town joined member"),
    "products": ("?1 = ?1", "sku name kind price weight_g stock"),
    "orders": ("customer_id = ?1", "id customer_id ordered total status"),
    "order_items": (OWN_ORDERS, "id order_id sku colour size quantity price"),
    "shipments": (OWN_ORDERS, "id order_id sent promised delivered"),
    "returns": (OWN_ORDERS, "id order_id item_id asked reason status refund"),
}
ROW_LIMIT = 20_000  # rows of one table that are copied


@dataclass(frozen=True)
class Answer:
    """Rows for one query, or why there are none; `truncated` where rows or cells were cut.

    status: ok, rejected (not allowed), error (SQLite does not understand it), timeout, memory, output_limit or crash
    """

    status: str
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    truncated: bool = False
    error: str = ""


def _rows(connection, table, where, columns, customer_id):
    """One table as {"columns": [[name, type]], "rows"}: the listed columns of the customer's rows."""
    types = {name: kind for _, name, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")')}
    names = ", ".join(f'"{name}"' for name in columns)
    query = f'SELECT {names} FROM "{table}" WHERE {where} LIMIT {ROW_LIMIT + 1}'
    rows = connection.execute(query, (customer_id,)).fetchall()
    if len(rows) > ROW_LIMIT:
        raise CourseError(f"The table {table} has more than {ROW_LIMIT} rows for this customer: ask about less.")
    cells = [["<binary>" if isinstance(value, bytes) else value for value in row] for row in rows]
    return {"columns": [[name, types[name]] for name in columns], "rows": cells}


def visible(source, customer_id, scope=SHOP):
    """What one customer may see: {table: {"columns", "rows"}}. `source` is the path of an SQLite file or a connection.

    Covers:  a file is opened for reading only; the number of the customer is a parameter, never text of the query
    Errors:  CourseError if the file is missing, is no such database, or a table is too long
    """
    if type(customer_id) is not int:
        raise ValueError("The number of the customer is a whole number that the session knows, not the model.")
    try:
        if isinstance(source, sqlite3.Connection):
            return {name: _rows(source, name, rows, cols.split(), customer_id) for name, (rows, cols) in scope.items()}
        with closing(sqlite3.connect(f"{Path(source).resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return visible(connection, customer_id, scope)
    except (sqlite3.Error, KeyError) as error:
        raise CourseError(
            f"The order database cannot be read ({error}): restore it with `git checkout assets`."
        ) from error


def ask(source, query, customer_id, scope=SHOP, timeout_s=1.0, max_rows=50, memory_mb=256):
    """Answer one SELECT that a model wrote, from the customer's own rows. Returns an Answer.

    `source` is the path of an SQLite file or an open connection (shop.orders()); `customer_id` comes from the
    session, never from the model.
    Covers:         other customers, columns outside `scope`, other tables and every way to write: none of it is there;
                    PRAGMA, ATTACH, recursion, SQLite's own tables and functions outside the list; endless and huge
                    queries (the process is killed); faults of SQLite, by the locks of runner.run
    Does not cover: what the texts of the rows say: they are data, and whoever puts them into a prompt or a page must
                    treat them so
    Units:          timeout_s seconds for the query, start not included; memory_mb MiB
    Errors:         CourseError if the database cannot be read; ValueError if customer_id is no int
    Example:        ask(connection, "SELECT count(*) FROM orders", 7).rows -> [[6]]
    """
    tables = visible(source, customer_id, scope)
    if not isinstance(query, str) or len(query) > runner.SOURCE_LIMIT:
        return Answer("rejected", error=f"a query is a text of at most {runner.SOURCE_LIMIT} characters.")
    order = {"sql": query, "tables": tables, "max_rows": max_rows, "memory_mb": memory_mb, "system": True}
    replies, fault, _ = runner.exchange(order, timeout_s)
    status, error = runner.verdict(replies, fault, timeout_s)
    found = {name: replies[name] for name in ("columns", "rows", "truncated") if name in replies}
    return Answer(status, error=error, **found)

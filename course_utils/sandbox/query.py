"""The SQL engine inside the locked process: some rows in memory, one SELECT, limits on everything."""

import math
import sqlite3

from course_utils.sandbox.language import ALLOWED

# SQLite's own limits, far below its defaults: a query that a person would write needs no more.
LIMITS = {
    "LENGTH": 100_000, "SQL_LENGTH": 4_000, "COLUMN": 64, "EXPR_DEPTH": 50, "COMPOUND_SELECT": 6, "FUNCTION_ARG": 8,
    "LIKE_PATTERN_LENGTH": 50,
}  # fmt: skip
CELL = 200  # letters of one cell
ANSWER_SIZE = 20_000  # letters of the whole answer
EXPLAINED = [["addr", "opcode", "p1"], ["id", "parent", "notused"]]  # SQLite asks nobody before it explains a query


def _database(tables):
    """An SQLite database in memory with {table: {"columns": [[name, type]], "rows"}}."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    for name, table in tables.items():
        columns = ", ".join(f'"{column}" {kind}' for column, kind in table["columns"])
        database.execute(f'CREATE TABLE "{name}" ({columns})')
        marks = ", ".join("?" * len(table["columns"]))
        database.executemany(f'INSERT INTO "{name}" VALUES ({marks})', table["rows"])
    return database


def judge(tables):
    """The function that SQLite asks before every step of a query: only reading these tables is allowed."""

    def allowed(action, first, second, *where):
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second.lower() in ALLOWED["sql_functions"]:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and first in tables:
            return sqlite3.SQLITE_OK
        # `WITH t AS (...) SELECT count(*) FROM t` reads no column of t. The tables of the schema are asked for in the
        # same way; tables that a module makes (pragma_..., json_each) fail earlier, because making one is denied.
        if action == sqlite3.SQLITE_READ and not second and not first.lower().startswith("sqlite_"):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return allowed


def _shut(database, tables):
    database.execute("PRAGMA temp_store = MEMORY")  # a long sorting writes no file
    for name, value in LIMITS.items():
        database.setlimit(getattr(sqlite3, f"SQLITE_LIMIT_{name}"), value)
    database.set_authorizer(judge(tables))


def _cell(value):
    """(one cell as data, whether it was cut)."""
    if isinstance(value, bytes):
        return "<binary>", False
    if isinstance(value, float) and not math.isfinite(value):
        return str(value), False
    if isinstance(value, str) and len(value) > CELL:
        return value[:CELL] + "…", True
    return value, False


def run_query(order):
    """Answer one query. Returns {"status", "error"}, and where all is well "columns", "rows" and "truncated"."""
    database = _database(order["tables"])
    _shut(database, order["tables"])
    rows, size, truncated = [], 0, False
    try:
        cursor = database.execute(order["sql"])
        if cursor.description is None:
            return {"status": "rejected", "error": "write one SELECT that gives rows."}
        columns = [_cell(part[0])[0] for part in cursor.description]
        if columns[:3] in EXPLAINED:
            return {"status": "rejected", "error": "EXPLAIN is not allowed."}
        for row in cursor:
            if len(rows) == order["max_rows"] or size > ANSWER_SIZE:
                truncated = True
                break
            cells = [_cell(value) for value in row]
            truncated |= any(cut for _, cut in cells)
            rows.append([value for value, _ in cells])
            size += sum(len(str(value)) for value in rows[-1])
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:  # ValueError: not valid Unicode
        refused = "authoriz" in str(error) or "prohibited" in str(error)
        return {"status": "rejected" if refused else "error", "error": f"{str(error)[:CELL].rstrip('.')}."}
    return {"status": "ok", "error": "", "columns": columns, "rows": rows, "truncated": truncated}

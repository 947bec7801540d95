"""Step 5 of ShopBot: two tools. Own orders are looked up by SQL, calculations are programs in the sandbox."""

import functools
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from course_utils import shop
from course_utils.metrics import final_number
from course_utils.models import chat_batch
from course_utils.prompts import question_messages
from course_utils.sandbox import runner, sql
from course_utils.shopbench import Outcome
from course_utils.shopbot.routing import alone, answered, said

SQL_TOKENS, PROGRAM_TOKENS = 80, 140
SQL_ROLE = "Answer with one SQL query for SQLite."
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAY = re.compile(rf"\b(\d{{1,2}}) ({MONTHS})\b")


def _dated(text):
    """Days as the database writes them: "1 May" becomes 2026-05-01."""
    names = MONTHS.split("|")
    return DAY.sub(lambda found: f"{shop.today().year}-{names.index(found[2]) + 1:02}-{int(found[1]):02}", text)


def _told(row):
    """A row of the database as a reply."""
    cells = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row if cell is not None]
    return ", ".join(cells[:3]) + "." if cells else ""


@functools.lru_cache(maxsize=1)
def _tables():
    """The tables that the SQL tool shows, as the model is told: only the columns of its scope."""
    lines = []
    with closing(shop.orders()) as connection:
        for table, (_, columns) in sql.SHOP.items():
            rows = connection.execute(f"PRAGMA table_info({table})")
            kinds = {name: kind + " PRIMARY KEY" * key for _, name, kind, _, _, key in rows}
            lines.append(f"CREATE TABLE {table} ({', '.join(f'{name} {kinds[name]}' for name in columns.split())});")
    return "\n".join(lines)


def _by_query(model, tokenizer, requests):
    """Questions about own rows: the model writes SQL, the tool reads this customer's rows. One Outcome for each."""
    role = {"role": "system", "content": f"{SQL_ROLE}\n{_tables()}"}
    chats = [[role, {"role": "user", "content": _dated(said(request))}] for request in requests]
    replies = chat_batch(model, tokenizer, chats, max_new_tokens=SQL_TOKENS)
    found = []
    with closing(shop.orders()) as connection:
        for request, reply in zip(requests, replies):
            answer = sql.ask(connection, reply.text.strip(), request["customer"])
            text = _told(answer.rows[0]) if answer.status == "ok" and answer.rows else ""
            found.append(Outcome(text or "I did not find that in your orders."))
    return found


def _by_program(model, tokenizer, requests):
    """Calculations: the model writes a program, the sandbox runs it. An Outcome for each that gave a number, else None."""
    chats = [question_messages(said(request), "pal") for request in requests]
    replies = chat_batch(model, tokenizer, chats, max_new_tokens=PROGRAM_TOKENS)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda reply: runner.run(reply.text), replies))
    numbers = [final_number(result.output) if result.status == "ok" else None for result in results]
    texts = [number if number is None else f"The answer is {number:.2f}.".replace(".00.", ".") for number in numbers]
    return [None if text is None else Outcome(text) for text in texts]


def use_tools(model, tokenizer, requests):
    """Step 5: questions about own orders of a customer who has logged in, and calculations; neither inside a talk.

    The customer's number comes from the session. A program that gives no number leaves the request to the vote.
    """
    own = [alone(one) and one["kind"] == "order" and one.get("customer") is not None for one in requests]
    sums = [alone(one) and one["kind"] == "sum" for one in requests]
    found = answered(requests, own, lambda mine: _by_query(model, tokenizer, mine))
    calculated = answered(requests, sums, lambda mine: _by_program(model, tokenizer, mine))
    return [first or second for first, second in zip(found, calculated)]

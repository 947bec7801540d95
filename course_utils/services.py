"""Local stand-ins for two services of other companies: a carrier that gives labels, and a mail service.

Both follow a plan of failures that is fixed by a seed, so that every experiment can be repeated.
"""

import hashlib
import json
import random
import re
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path

from course_utils.settings import CourseError, write_atomic

OUTCOMES = ("ok", "down", "slow", "nonsense")
LABEL = re.compile(r"LB-[0-9A-F]{10}")
NONSENSE = ("<html><body>502</body></html>", "", "LB-", "null", "label ready, thank you", "LB-0000 LB-0001")


class ServiceDown(CourseError):
    """The service cannot be reached now; nothing was done."""


class ServiceSlow(CourseError):
    """No answer in time; the service may have done what was asked."""


def make_plan(seed, calls, down=0.0, slow=0.0, nonsense=0.0):
    """What happens at each call: a list of `calls` outcomes, drawn with these shares; the rest is "ok".

    Errors:  ValueError if the shares add up to more than 1
    Example: make_plan(1, 3) -> ["ok", "ok", "ok"]
    """
    shares = (1 - down - slow - nonsense, down, slow, nonsense)
    if min(shares) < -1e-9:
        raise ValueError("The shares of down, slow and nonsense must lie between 0 and 1 and add up to at most 1.")
    return random.Random(f"plan {seed}").choices(OUTCOMES, [max(0.0, share) for share in shares], k=calls)


class _Planned:
    """Counts the calls; after the end of its plan everything is well."""

    def __init__(self, plan, sleep, slow_s):
        unknown = set(plan) - set(OUTCOMES)
        if unknown:
            raise ValueError(f"A plan holds {', '.join(OUTCOMES)}, not {', '.join(sorted(unknown))}.")
        self.plan, self.sleep, self.slow_s, self.calls = list(plan), sleep, slow_s, 0

    def _next(self, name):
        outcome = self.plan[self.calls] if self.calls < len(self.plan) else "ok"
        self.calls += 1
        if outcome == "down":
            raise ServiceDown(f"The {name} cannot be reached: try again later.")
        return outcome

    def _wait(self, name, timeout_s):
        self.sleep(min(self.slow_s, timeout_s))
        if self.slow_s > timeout_s:
            raise ServiceSlow(f"The {name} gave no answer within {timeout_s:g} s: ask again, it may have been done.")


class Carrier(_Planned):
    """Gives return labels and keeps them in one SQLite file, so that an order never has two.

    Covers:  the same order twice, from several processes too; a label made although its answer was slow
    Does not cover: whether the order exists or belongs to the one who asks; that is for the caller to check
    """

    def __init__(self, path, plan=(), sleep=time.sleep, slow_s=3.0):
        super().__init__(plan, sleep, slow_s)
        self.path = Path(path)
        with self._open() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS labels (order_id TEXT PRIMARY KEY, label TEXT NOT NULL)")

    @contextmanager
    def _open(self):
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=5)) as connection, connection:
                yield connection
        except (OSError, sqlite3.Error) as error:
            raise CourseError(f"The carrier's file {self.path} cannot be used ({error}): name another one.") from error

    def label(self, order_id, timeout_s=10.0):
        """The label id of an order, such as "LB-4F0C6E21A9"; the same one whenever it is asked for.

        Errors:  ServiceDown (nothing was made), ServiceSlow (a label may have been made); "nonsense" in the
                 plan returns text that is no label: check it with `is_label`
        """
        outcome, key = self._next("carrier"), str(order_id)
        label = "LB-" + hashlib.sha256(f"label {key}".encode()).hexdigest()[:10].upper()
        if outcome == "nonsense":
            return NONSENSE[self.calls % len(NONSENSE)]
        with self._open() as connection:
            connection.execute("INSERT OR IGNORE INTO labels VALUES (?, ?)", (key, label))
        if outcome == "slow":
            self._wait("carrier", timeout_s)
        return label

    def labels(self):
        """All labels made so far: {order id as text: label id}."""
        with self._open() as connection:
            return dict(connection.execute("SELECT order_id, label FROM labels ORDER BY order_id"))


def is_label(text):
    """Whether a carrier's answer is a label id."""
    return bool(LABEL.fullmatch(str(text)))


class Mail(_Planned):
    """Puts mail into an outbox folder, one JSON file each, written beside and moved; nothing leaves the machine.

    Covers:  the same `key` twice sends once; a mail that was put there although its answer was slow
    """

    def __init__(self, folder, plan=(), sleep=time.sleep, slow_s=3.0):
        super().__init__(plan, sleep, slow_s)
        if "nonsense" in self.plan:
            raise ValueError("The mail service answers nothing, so its plan knows no nonsense.")
        self.folder = Path(folder)

    def send(self, to, subject, text, key=None, timeout_s=10.0):
        """Put one mail into the outbox and return its id; `key` names the reason, such as "return 4021".

        Errors:  ServiceDown (nothing was sent), ServiceSlow (it may have been sent); ValueError for a bad address
        """
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", to):
            raise ValueError(f"{to!r} is no mail address.")
        outcome = self._next("mail service")
        name = hashlib.sha256(json.dumps([key or [to, subject, text]]).encode()).hexdigest()[:12]
        if not (self.folder / f"{name}.json").exists():
            mail = {"id": name, "to": to, "subject": subject, "text": text, "number": len(self.outbox()) + 1}
            write_atomic(self.folder / f"{name}.json", json.dumps(mail, ensure_ascii=False, indent=1) + "\n")
        if outcome == "slow":
            self._wait("mail service", timeout_s)
        return name

    def outbox(self):
        """All mails in the order in which they were sent."""
        mails = [json.loads(path.read_text(encoding="utf-8")) for path in self.folder.glob("*.json")]
        return sorted(mails, key=lambda mail: (mail["number"], mail["id"]))

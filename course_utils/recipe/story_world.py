"""The numbers of one composed story: draws them, follows every holder's amount, notes each computation."""

from fractions import Fraction

from course_utils.recipe import problems

FACTORS = {"double": 2, "triple": 3, "halve": 2, "twice": 2, "half": 2}
EVENTS = ("gain", "lose", "double", "triple", "halve", "packs_gain", "each_lose")


class World:
    """One story's numbers: draws them, follows every holder's amount and notes each computation."""

    def __init__(self, rng, structure, scale=1, low=None, high=None):
        self.rng, self.scale, self.low, self.high = rng, scale, low, high
        self.values, self.steps, self.given, self.beats = {}, [], [], []
        self.top = rng.choice((12, 20, 40, 60, 100, 100, 100, 1000)) if high is None else high
        self.start, self.second, self.events, self.asked = structure
        self.now = {}
        self._tell()

    def number(self, low=2, high=None, count=False):
        """The name of a new number of the text, at most `high`; a count stays whole and small."""
        if count:
            value = Fraction(self.rng.randint(low, high or 12))
        else:
            bottom = Fraction(self.low if self.low is not None else low)
            high = self.top if high is None else min(high, self.top)
            bottom = bottom if bottom < high else Fraction(low)
            value = Fraction(self.rng.randint(int(bottom * self.scale), int(high * self.scale)), self.scale)
        return self.note(value)

    def note(self, value):
        """The name of a number of the text with this value."""
        name = f"n{len(self.given)}"
        self.given.append(name)
        self.values[name] = value
        return name

    def step(self, kind, left, operation, right):
        """Note one computation, check that its result makes sense and return its name."""
        name = f"r{len(self.steps)}"
        a = self.values[left]
        b = Fraction(right) if isinstance(right, int) else self.values[right]
        if operation == "/" and not b:
            raise ValueError("division by nothing")
        value = {"+": a + b, "-": a - b, "*": a * b}[operation] if operation != "/" else a / b
        whole = self.scale == 1 or kind == "groups"
        if value <= 0 or value == 1 or problems.show_number(value) is None or (whole and value.denominator > 1):
            raise ValueError("no sensible result")
        self.values[name] = value
        self.steps.append((name, f"{left} {operation} {right}", kind, left, right))
        return name

    def beat(self, kind, holder, *names):
        """Note one thing to tell: its kind, its holder and its numbers."""
        self.beats.append((kind, holder, names))

    def _tell(self):
        if self.start in ("told", "some"):
            self.now["p"] = self.number()
            self.beat("start" if self.start == "told" else "some", "p", self.now["p"])
        elif self.start == "packs":
            names = self.number(count=True), self.number(high=25 if self.high is None else None)
            self.beat("packs", "p", *names)
            self.now["p"] = self.step("packs", names[0], "*", names[1])
        else:
            names = self.number(), self.number()
            self.beat("parts", "p", *names)
            self.now["p"] = self.step("parts", names[0], "+", names[1])
        if self.second:
            self._second()
        before = []
        for event in self.events:
            before.append(self.now["p"])
            self._event(event)
        if self.asked in ("start", "change"):
            self._backward(before)
        else:
            getattr(self, "_ask_" + self.asked, self._ask_end)()

    def _second(self):
        kind = self.second
        if kind == "told2":
            names = (self.number(),)
            self.now["q"] = names[0]
        elif kind in ("twice", "half"):
            names = ()
            self.now["q"] = self.step(kind, self.now["p"], "*" if kind == "twice" else "/", 2)
        else:
            top = self.values[self.now["p"]] - 2 if kind == "fewer" else None
            names = (self.number(high=top),)
            self.now["q"] = self.step(kind, self.now["p"], "+" if kind == "more" else "-", names[0])
        self.beat(kind, "p", *names)

    def _event(self, event):
        holder = "q" if event.endswith("2") else "p"
        kind = event.rstrip("2?")
        if kind in FACTORS:
            self.beat(event, holder)
            self.now[holder] = self.step(kind, self.now[holder], "/" if kind == "halve" else "*", FACTORS[kind])
            return
        amount = self.values[self.now[holder]]
        down = kind in ("lose", "each_lose", "transfer")
        if kind in ("packs_gain", "each_lose"):
            count = self.number(count=True)
            top = (amount - 2) / self.values[count] if down else (25 if self.high is None else None)
            names = count, self.number(high=top)
            change = self.step(kind + "_all", names[0], "*", names[1])
        else:
            names = (self.number(high=amount - 2 if down else None),)
            change = names[0]
        self.beat(event, holder, *names)
        self.now[holder] = self.step("lose" if down else "gain", self.now[holder], "-" if down else "+", change)
        if kind == "transfer":
            other = "p" if holder == "q" else "q"
            self.now[other] = self.step("gain", self.now[other], "+", change)

    def _ask_end(self):
        self.answer = self.now["q" if self.asked == "end2" else "p"]
        self.beat("end", "q" if self.asked == "end2" else "p")

    def _ask_total(self):
        self.answer = self.step("total", self.now["p"], "+", self.now["q"])
        self.beat("total", "p")

    def _ask_diff(self):
        first, last = sorted("pq", key=lambda who: -self.values[self.now[who]])
        self.answer = self.step("diff", self.now[first], "-", self.now[last])
        self.beat("diff", first)

    def _ask_need(self):
        have = self.now["p"]
        extra = self.number()
        self.given.remove(extra)
        goal = self.note(self.values[have] + self.values.pop(extra))
        self.answer = self.step("need", goal, "-", have)
        self.beat("need", "p", goal)

    def _ask_share(self):
        amount = self.values[self.now["p"]] * self.scale
        parts = [k for k in range(2, 13) if amount % k == 0 and amount / k >= 2]
        if not parts:
            raise ValueError("nothing to share")
        number = self.note(Fraction(self.rng.choice(parts)))
        if self.asked == "groups":
            size = self.values[self.now["p"]] / self.values[number]
            if self.high is None and size <= 60 and self.rng.random() < 0.6:
                self.values[number], size = size, self.values[number]
        if self.values[number] == 1:
            raise ValueError("groups of one")
        self.answer = self.step(self.asked, self.now["p"], "/", number)
        self.beat(self.asked, "p", number)

    _ask_groups = _ask_share

    def _ask_value(self):
        cents = self.rng.choice((1, 1, 2, 4)) if self.high is None else 1
        price = self.note(Fraction(self.rng.randint(2 * cents, 20 * cents), cents))
        self.scale = max(self.scale, cents)
        self.answer = self.step("value", self.now["p"], "*", price)
        self.beat("value", "p", price)

    def _backward(self, before):
        """Tell the end instead of the start (or of a change) and compute from there."""
        told = self.now["p"]
        values = dict(self.values)
        self.steps = []
        hidden = self.beats[0][2][0] if self.asked == "start" else None
        at = 0 if self.asked == "start" else [event[-1] for event in self.events].index("?")
        events = [beat for beat in self.beats if beat[0].rstrip("?") in EVENTS]
        self.values = {name: values[name] for name in self.given}
        end = self.note(values[told])
        self.beat("told", "p", end)
        now = self._undo(events[at + (hidden is None) :], end)
        if hidden:
            self.answer = now
        else:
            have = self._redo(events[:at])
            hidden = events[at][2][0]
            pair = (now, have) if events[at][0] == "gain?" else (have, now)
            self.answer = self.step("change", pair[0], "-", pair[1])
        self.given.remove(hidden)
        del self.values[hidden]
        self.beat(self.asked, "p")

    def _redo(self, events):
        now = self.beats[0][2][0]
        for kind, _, names in events:
            now = self.step(kind, now, "+" if kind == "gain" else "-", names[0])
        return now

    def _undo(self, events, now):
        for kind, _, names in reversed(events):
            if kind in FACTORS:
                now = self.step("un" + kind, now, "*" if kind == "halve" else "/", FACTORS[kind])
                continue
            change = names[0]
            if kind in ("packs_gain", "each_lose"):
                change = self.step(kind + "_all", names[0], "*", names[1])
            gained = kind in ("gain", "packs_gain")
            now = self.step("ungain" if gained else "unlose", now, "-" if gained else "+", change)
        return now

    def prune(self):
        """Drop the computations that the answer does not need; True where it needs every number of the text."""
        needed, kept, told = {self.answer}, [], {step[0] for step in self.steps if step[2] in ("twice", "half")}
        for step in reversed(self.steps):
            if step[0] in needed:
                kept.append(step)
                needed.update(step[3:])
        self.steps = kept[::-1]
        return needed.issuperset(self.given) and needed.issuperset(told)

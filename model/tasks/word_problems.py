"""Stories with numbers in one to four steps: chains, equal groups, comparing, paying, sharing."""

from __future__ import annotations

import random

from tasks.checking import last_number_is
from tasks.columns import short_steps
from tasks.phrasing import capital, check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import CONTAINERS, NAMES, THINGS

FAMILY = "word_problems"

# {n} a person, {f} a friend, {k} a number, {t} things, {g} containers, {c} one container
FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "start": ("{n} has {k} {t}.", "{n} starts with {k} {t}.", "There are {k} {t} in {n}'s room.", "{n} owns {k} {t}.", "{n} had {k} {t}."),
        "gain": ("{n} gets {k} more.", "{n} finds {k} more.", "Then {f} gives {n} {k} more.", "{n} buys {k} more {t}.", "Then {k} more are added."),
        "lose": ("{n} gives {k} to {f}.", "{n} loses {k}.", "{f} takes {k} of them.", "Then {n} gives away {k} {t}.", "{k} of them get lost."),
        "times": ("Then the number grows to {k} times as many.", "{n} then gets enough to have {k} times as many."),
        "share": ("{n} packs all of them into {k} equal piles and keeps one pile.", "All of them are shared equally among {k} friends, and {n} is one of the friends."),
        "left": ("How many {t} does {n} have now?", "How many {t} does {n} have in the end?", "How many are there now?", "How many {t} are left with {n}?"),
        "groups": ("{n} has {j} {g} with {k} {t} in each.", "There are {j} {g}. Each {c} holds {k} {t}, and all of them belong to {n}.", "{n} fills {j} {g} with {k} {t} each."),
        "more": ("{n} has {j} {t}. {f} has {k} more than {n}.", "{f} has {k} more {t} than {n}, and {n} has {j}."),
        "fewer": ("{n} has {j} {t}. {f} has {k} fewer than {n}.", "{f} has {k} fewer {t} than {n}, and {n} has {j}."),
        "as_many": ("{n} has {j} {t}. {f} has {k} times as many.", "{f} has {k} times as many {t} as {n}, and {n} has {j}."),
        "other": ("How many {t} does {f} have?", "How many does {f} have?"),
        "both": ("How many {t} do they have together?", "How many {t} do {n} and {f} have in all?", "What is their total?"),
        "buy": ("{n} buys {j} {t} for {k} dollars each.", "One {s} costs {k} dollars, and {n} buys {j}.", "{n} gets {j} {t}. Each costs {k} dollars."),
        "extra": ("A bag costs {k} dollars more.", "{n} also buys a book for {k} dollars.", "Then {n} buys a drink for {k} dollars."),
        "off": ("The shop takes {k} dollars off.", "{n} has a coupon for {k} dollars off."),
        "cost": ("How many dollars does {n} spend?", "How much does {n} pay in dollars?", "What does it cost in all?"),
        "pay": ("{n} pays with {k} dollars. How much change is there?", "{n} has {k} dollars. How many dollars are left after that?"),
    },
    "test": {
        "start": ("At first {n} keeps {k} {t} in a chest.", "This morning, {k} {t} lay on {n}'s desk."),
        "gain": ("{f} hands {n} another {k}.", "Later, {n} picks up {k} extra."),
        "lose": ("{n} throws away {k}.", "Later, {f} is handed {k} of them by {n}."),
        "times": ("After that, {n} has multiplied them by {k}.",),
        "share": ("{n} splits all of them evenly with others, {k} people in total.",),
        "left": ("So what is the number of {t} that {n} has after all this?", "With how many {t} does {n} end up?"),
        "groups": ("On {n}'s wall stand {j} {g}, and {k} {t} are in every one.",),
        "more": ("{n} counted {j} {t}; {f} counted {k} above that.",),
        "fewer": ("{n} counted {j} {t}; {f} counted {k} below that.",),
        "as_many": ("{n} counted {j} {t}; {f} counted {k} times that number.",),
        "other": ("What number did {f} count?",),
        "both": ("If they put all their {t} on one table, how many lie there?",),
        "buy": ("At the fair {n} picks {j} {t}, and the price of one is {k} dollars.",),
        "extra": ("Wrapping adds {k} dollars.",),
        "off": ("It is sale day, so {k} dollars come off the bill.",),
        "cost": ("What bill must {n} settle, in dollars?",),
        "pay": ("{n} hands over {k} dollars. What does {n} get back?",),
    },
}
TRAIN_FORMS = tuple(form for forms in FORMS["train"].values() for form in forms)
TEST_FORMS = tuple(form for forms in FORMS["test"].values() for form in forms)
TOPS = {1: 12, 2: 20, 3: 40, 4: 60, 5: 120}  # largest starting number
STEPS = {1: (1, 1), 2: (1, 2), 3: (2, 3), 4: (3, 3), 5: (4, 4)}
APPLY = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "×": lambda a, b: a * b, "÷": lambda a, b: a // b}


class _Story:
    """A story as it grows: sentences, the plan in signs, the steps with their values."""

    def __init__(self, rng: random.Random, phrasing: str) -> None:
        self.rng, self.phrasing = rng, phrasing
        self.sentences: list[str] = []
        self.steps: list[tuple[int, str, int]] = []
        self.value = 0
        self.plan: list[str] = []
        name, friend = rng.sample(NAMES, 2)
        things, single = rng.choice(THINGS)
        containers, container = rng.choice(CONTAINERS)
        self.fields = {"n": name, "f": friend, "t": things, "s": single, "g": containers, "c": container}

    def say(self, kind: str, **numbers: int) -> None:
        form = pick_form(self.rng, self.phrasing, FORMS["train"][kind], FORMS["test"][kind], WIDE_FORMS[FAMILY][kind])
        text = form.format(**self.fields, **numbers)
        self.sentences.append(capital(text))

    def begin(self, value: int) -> None:
        self.value = value
        self.plan.append(str(value))

    def step(self, sign: str, number: int) -> None:
        self.steps.append((self.value, sign, number))
        self.value = APPLY[sign](self.value, number)
        self.plan.append(f"{sign} {number}")

    def minus_from(self, number: int) -> None:
        """The value is taken from number, as for change."""
        self.steps.append((number, "-", self.value))
        self.value = number - self.value
        self.plan.append(f"from {number}")


def _events(story: _Story, count: int, top: int, with_times: bool) -> None:
    """Add count events, each a gain, a loss or, where it fits, a multiple or a share."""
    rng = story.rng
    for left in range(count, 0, -1):
        kinds = ["gain", "gain"]
        if story.value > 3:
            kinds += ["lose", "lose"]
        if with_times and 2 <= story.value <= 60:
            kinds.append("times")
        divisors = [d for d in range(2, 10) if story.value % d == 0 and story.value // d >= 2]
        if with_times and divisors and left == 1:
            kinds += ["share", "share"]
        kind = rng.choice(kinds)
        if kind == "gain":
            number = rng.randint(2, max(3, top // 2))
            story.step("+", number)
        elif kind == "lose":
            number = rng.randint(2, min(story.value - 1, max(3, top)))
            story.step("-", number)
        elif kind == "times":
            number = rng.randint(2, 3 if story.value > 20 else 5)
            story.step("×", number)
        else:
            number = rng.choice(divisors)
            story.step("÷", number)
        story.say(kind, k=number)


def _chain(story: _Story, count: int, top: int) -> str:
    start = story.rng.randint(3, top)
    story.begin(start)
    story.say("start", k=start)
    _events(story, count, top, count > 1)
    story.say("left")
    return "has"


def _groups(story: _Story, count: int, top: int) -> str:
    boxes, each = story.rng.randint(2, min(12, max(5, top // 4))), story.rng.randint(2, 9)
    story.begin(boxes)
    story.say("groups", j=boxes, k=each)
    story.step("×", each)
    _events(story, count - 1, top, count > 2)
    story.say("left")
    return "has"


def _compare(story: _Story, count: int, top: int) -> str:
    rng = story.rng
    base = rng.randint(4, top)
    kind = rng.choice(("more", "fewer", "as_many"))
    number = rng.randint(2, 5) if kind == "as_many" else rng.randint(2, base - 1 if kind == "fewer" else max(3, top // 2))
    story.begin(base)
    story.say(kind, j=base, k=number)
    story.step({"more": "+", "fewer": "-", "as_many": "×"}[kind], number)
    if count == 1:
        story.say("other")
        return "other"
    story.step("+", base)
    story.say("both")
    return "both"


def _money(story: _Story, count: int, top: int) -> str:
    rng = story.rng
    many, price = rng.randint(2, 9), rng.randint(2, max(5, min(15, top // 3)))
    story.begin(many)
    story.say("buy", j=many, k=price)
    story.step("×", price)
    has_change = count > 1 and rng.random() < 0.6
    for _ in range(count - 1 - has_change):
        kind = "off" if story.value > 8 and rng.random() < 0.35 else "extra"
        number = rng.randint(2, min(9, story.value - 2) if kind == "off" else max(5, top // 4))
        story.step("-" if kind == "off" else "+", number)
        story.say(kind, k=number)
    if not has_change:
        story.say("cost")
        return "cost"
    notes = [v for v in (10, 20, 50, 100, 200, 500) if v > story.value]
    paid = rng.choice((notes[0], story.value + rng.randint(1, 20)))
    story.say("pay", k=paid)
    story.minus_from(paid)
    return "change"


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a story; 1: one step up to 12, 3: two or three steps, 5: four steps."""
    check_request(difficulty, phrasing)
    story = _Story(rng, phrasing)
    count, top = rng.randint(*STEPS[difficulty]), TOPS[difficulty]
    kinds = [_chain, _chain, _groups, _money] + ([_compare, _compare] if count <= 2 else [])
    build = rng.choice(kinds)
    end = build(story, count, top)
    thought = [f"Plan: {', '.join(story.plan)}."]
    for a, sign, b in story.steps:
        thought += short_steps(a, sign, b)
    value, fields = story.value, story.fields
    things = fields["s"] if value == 1 else fields["t"]
    dollars = "dollar" if value == 1 else "dollars"
    answer = {
        "has": f"{fields['n']} has {value} {things}.",
        "other": f"{fields['f']} has {value} {things}.",
        "both": f"Together they have {value} {things}.",
        "cost": f"The cost is {value} {dollars}.",
        "change": f"There {'is' if value == 1 else 'are'} {value} {dollars} left.",
    }[end]
    canonical = f"word:{end}:" + ";".join(f"{a}{sign}{b}" for a, sign, b in story.steps)
    return Problem(FAMILY, canonical, dress(rng, " ".join(story.sentences), phrasing), tuple(thought), answer, str(value), difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last number is the result."""
    return last_number_is(reply, problem.gold)

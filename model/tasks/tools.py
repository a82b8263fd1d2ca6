"""Questions for a calculator and a clock as tools: one to three calls, sometimes none needed.

Turns are structured: an assistant turn has "reasoning" and "tool_calls" ({"name", "arguments"}),
a tool turn has the result as "content". The calculator takes "expression", the clock nothing.
"""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta

from tasks.calendar_clock import MONTHS
from tasks.checking import last_number_is, last_word_is, yes_no_is
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import NAMES, THINGS

FAMILY = "tools"
TOOLS = ("calculator", "clock")

FORMS = {
    "train": {
        "sum": ("What is {e}?", "Use the calculator: {e}.", "Calculate {e}.", "{e}", "Please work out {e}.", "How much is {e}?", "Can you compute {e} for me?", "{e} = ?"),
        "story": ("{n} buys {a} {t} for {b} dollars each. How many dollars is that?", "A factory makes {a} {t} a day. How many {t} in {b} days?",
                  "One box holds {a} {t}. How many {t} are in {b} boxes?"),
        "time": ("What time is it?", "What time is it now?", "Can you tell me the time?", "Look at the clock. What time is it?", "the time please"),
        "date": ("What is the date today?", "Which date is it?", "What date do we have?", "Can you tell me today's date?"),
        "month": ("Which month is it?", "What month is it now?"),
        "year": ("Which year is it?", "What year is it now?"),
        "part": ("Is it before noon now?", "Is it morning now, before 12:00?"),
        "until": ("How many minutes are left until {u} today?", "How many minutes is it until {u}?", "My bus goes at {u}. How many minutes do I have?"),
        "since": ("How many minutes have passed since midnight?", "How many minutes of today are over?"),
        "more": ("Which is more, {e} or {f}?", "Compare {e} and {f}. Which is larger?", "Is {e} or {f} larger?"),
        "gap": ("How much more is {e} than {f}?", "What is the difference between {e} and {f}?", "By how much is {e} larger than {f}?"),
    },
    "test": {
        "sum": ("I need the exact value of {e}.", "Let the tool find {e}."),
        "story": ("There are {b} rooms with {a} {t} in each. Count all {t}.",),
        "time": ("Have a look: how late is it?",),
        "date": ("Which day of which month and year is today?",),
        "month": ("In which month are we?",),
        "year": ("In which year are we?",),
        "part": ("Has noon not come yet today?",),
        "until": ("I must leave at {u}. In how many minutes is that?",),
        "since": ("How old is this day, in minutes?",),
        "more": ("Between {e} and {f}, tell me the one with the larger value.",),
        "gap": ("Take {f} away from {e}. What stays?",),
    },
}
TRAIN_FORMS = tuple(form for forms in FORMS["train"].values() for form in forms)
TEST_FORMS = tuple(form for forms in FORMS["test"].values() for form in forms)
KINDS = {
    1: ("sum", "sum", "time", "date", "month", "year", "easy"), 2: ("sum", "story", "time", "part", "easy"),
    3: ("sum", "story", "until", "since"), 4: ("until", "since", "more", "sum"), 5: ("gap", "gap", "more", "until"),
}


def evaluate(expression: str) -> int:
    """Value of an expression of whole numbers with + - * and brackets, for tests and results."""
    if not re.fullmatch(r"[\d+\-*() ]+", expression):
        raise ValueError(f"expression {expression!r} has other signs than digits + - * ( )")
    return int(eval(expression, {"__builtins__": {}}))  # only digits, + - * and brackets get here


class _Talk:
    """The message list as it grows."""

    def __init__(self, question: str) -> None:
        self.turns: list[dict] = [{"role": "user", "content": question}]

    def call(self, reasoning: str, name: str, result: str, **arguments: str) -> None:
        self.turns.append({
            "role": "assistant", "content": "", "reasoning": reasoning, "tool_calls": [{"name": name, "arguments": arguments}],
        })
        self.turns.append({"role": "tool", "content": result})

    def compute(self, reasoning: str, expression: str) -> int:
        value = evaluate(expression)
        self.call(reasoning, "calculator", str(value), expression=expression)
        return value

    def look(self, now: datetime) -> None:
        self.call("I need the clock.", "clock", now.strftime("%Y-%m-%d %H:%M"))

    def reply(self, reasoning: str, answer: str) -> None:
        self.turns.append({"role": "assistant", "content": answer, "reasoning": reasoning})


def _expression(rng: random.Random, difficulty: int) -> str:
    if difficulty == 1:
        a, b = rng.randint(100, 9999), rng.randint(11, 999)
        return rng.choice((f"{a} + {b}", f"{a + b} - {b}", f"{a % 900 + 12} * {b}"))
    if difficulty == 2:
        return f"{rng.randint(100, 9999)} * {rng.randint(11, 999)}"
    a, b, c = rng.randint(100, 9999), rng.randint(11, 999), rng.randint(100, 9999)
    return rng.choice((f"{a} * {b} + {c}", f"({a} + {c}) * {b}", f"{a} * {b} - {c}", f"{a} + {b} + {c}"))


def _asked(rng: random.Random, expression: str, phrasing: str) -> str:
    """The expression as a person may write it."""
    sign = rng.choice(("*", "×", "x", "times")) if phrasing != "test" else "×"
    text = expression.replace("*", sign)
    return text.replace(" ", "") if phrasing != "test" and sign != "times" and rng.random() < 0.25 else text


def _now(rng: random.Random) -> datetime:
    return datetime(2024, 1, 1) + timedelta(minutes=rng.randrange(8 * 365 * 24 * 60))


def _clock_part(rng: random.Random, kind: str, ask, phrasing: str) -> tuple[_Talk, str, str]:
    now = _now(rng)
    talk = _Talk(ask(kind))
    talk.look(now)
    stamp = now.strftime("%Y-%m-%d %H:%M")
    if kind == "time":
        gold = now.strftime("%H:%M")
        talk.reply(f"The clock says {gold}.", f"It is {gold}.")
    elif kind == "date":
        gold = now.strftime("%Y-%m-%d")
        talk.reply(f"The clock says {gold}.", f"Today is {gold}.")
    elif kind == "month":
        gold = MONTHS[now.month - 1]
        talk.reply(f"The month is {now.month:02d}, {gold}.", f"It is {gold}.")
    elif kind == "year":
        gold = str(now.year)
        talk.reply(f"The year is {gold}.", f"It is {gold}.")
    else:
        gold = "yes" if now.hour < 12 else "no"
        talk.reply(f"The hour is {now.hour:02d}, {'less than' if now.hour < 12 else 'not less than'} 12.", f"{gold.capitalize()}, it is {now:%H:%M}.")
    return talk, gold, f"{kind}:{stamp}"


def _minutes_part(rng: random.Random, kind: str, ask) -> tuple[_Talk, str, str]:
    now = _now(rng).replace(hour=rng.randint(1, 20))
    stamp = now.strftime("%Y-%m-%d %H:%M")
    spent = f"{now.hour} * 60 + {now.minute}"
    if kind == "since":
        talk = _Talk(ask("since"))
        talk.look(now)
        value = talk.compute(f"It is {now:%H:%M}. Minutes since midnight: hours times 60 plus minutes.", spent)
        talk.reply("The calculator has the answer.", f"That is {value} minutes.")
        return talk, str(value), f"since:{stamp}"
    until_hour, until_minute = rng.randint(now.hour + 1, 23), rng.randrange(0, 60, 5)
    until = f"{until_hour:02d}:{until_minute:02d}"
    talk = _Talk(ask("until", u=until))
    talk.look(now)
    value = talk.compute(
        f"It is {now:%H:%M}. Count both in minutes since midnight and subtract.", f"({until_hour} * 60 + {until_minute}) - ({spent})"
    )
    talk.reply("The calculator has the answer.", f"There are {value} minutes left.")
    return talk, str(value), f"until:{until}:{stamp}"


def _sum_part(rng: random.Random, kind: str, difficulty: int, ask, phrasing: str) -> tuple[_Talk, str, str]:
    expression = _expression(rng, difficulty)
    if kind == "story":
        a, b = rng.randint(13, 99 if difficulty == 2 else 999), rng.randint(13, 365)
        expression = f"{a} * {b}"
        talk = _Talk(ask("story", n=rng.choice(NAMES), t=rng.choice(THINGS)[0], a=a, b=b))
        reasoning = f"I need {a} times {b}. The calculator can do that."
    else:
        talk = _Talk(ask("sum", e=_asked(rng, expression, phrasing)))
        reasoning = "The calculator can do that."
    value = talk.compute(reasoning, expression)
    talk.reply(f"The calculator says {value}.", f"{expression.replace('*', '×')} = {value}.")
    return talk, str(value), f"{kind}:{expression}"


def _two_part(rng: random.Random, kind: str, ask, phrasing: str) -> tuple[_Talk, str, str]:
    while True:
        e, f = (f"{rng.randint(100, 999)} * {rng.randint(100, 999)}" for _ in range(2))
        if evaluate(e) > evaluate(f) or (kind == "more" and evaluate(e) != evaluate(f)):
            break
    e_said, f_said = e.replace("*", "×"), f.replace("*", "×")
    talk = _Talk(ask(kind, e=e_said, f=f_said))
    first = talk.compute(f"First {e_said}.", e)
    second = talk.compute(f"Then {f_said}.", f)
    if kind == "more":
        gold = max(first, second)
        winner = e_said if first > second else f_said
        talk.reply(f"{first} {'>' if first > second else '<'} {second}.", f"{winner} is more, it is {gold}.")
    else:
        gold = talk.compute("Now the difference.", f"{first} - {second}")
        talk.reply(f"The calculator says {gold}.", f"The difference is {gold}.")
    return talk, str(gold), f"{kind}:{e},{f}"


def _easy_part(rng: random.Random, ask) -> tuple[_Talk, str, str]:
    """A sum that needs no tool, though tools are offered."""
    a, b = rng.randint(1, 9), rng.randint(1, 9)
    talk = _Talk(ask("sum", e=f"{a} + {b}").replace("Use the calculator: ", "Add: ").replace("Let the tool find", "Find"))
    talk.reply(f"This is easy, so I need no tool. {a} + {b} = {a + b}.", f"{a} + {b} = {a + b}.")
    return talk, str(a + b), f"easy:{min(a, b)}+{max(a, b)}"


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a talk with tools; 1: one call or none, 3: clock and calculator, 5: up to three calls."""
    check_request(difficulty, phrasing)
    kind = rng.choice(KINDS[difficulty])

    def ask(name: str, **fields: object) -> str:
        form = pick_form(rng, phrasing, FORMS["train"][name], FORMS["test"][name], WIDE_FORMS[FAMILY][name])
        return dress(rng, form.format(**fields), phrasing)

    if kind in ("time", "date", "month", "year", "part"):
        talk, gold, key = _clock_part(rng, kind, ask, phrasing)
    elif kind in ("until", "since"):
        talk, gold, key = _minutes_part(rng, kind, ask)
    elif kind in ("more", "gap"):
        talk, gold, key = _two_part(rng, kind, ask, phrasing)
    elif kind == "easy":
        talk, gold, key = _easy_part(rng, ask)
    else:
        talk, gold, key = _sum_part(rng, kind, difficulty, ask, phrasing)
    # a sum that needs no tool is the addition family's problem, so both lie on the same side
    canonical = "add:" + key.removeprefix("easy:") if kind == "easy" else f"tool:{key}"
    thought = tuple(turn["reasoning"] for turn in talk.turns if turn["role"] == "assistant")
    return Problem(
        FAMILY, canonical, talk.turns[0]["content"], thought, talk.turns[-1]["content"], gold, difficulty, tuple(talk.turns), TOOLS
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply ends with the right time, date, month, number, or says yes or no rightly."""
    gold = problem.gold
    if gold in ("yes", "no"):
        return yes_no_is(reply, gold)
    if re.fullmatch(r"\d\d:\d\d", gold):
        found = re.findall(r"\b\d{1,2}:\d{2}\b", reply)
        return bool(found) and found[-1].zfill(5) == gold
    if "-" in gold:
        return re.findall(r"\d{4}-\d{2}-\d{2}", reply)[-1:] == [gold]
    return last_number_is(reply, gold) if gold.isdigit() else last_word_is(reply, gold)

"""Clock times, weekdays, months and dates, counted forward step by step."""

from __future__ import annotations

import random
import re

from tasks.checking import last_number_is, last_word_is
from tasks.columns import short_steps
from tasks.phrasing import capital, check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "calendar"

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # a year that is not a leap year

# {t} and {u} times, {d} a length of time, {m} a month, a day or a date
FORMS = {
    "train": {
        "later": ("What time is it {d} after {t}?", "It is {t}. What time will it be in {d}?", "A film starts at {t} and lasts {d}. When does it end?",
                  "It's {t} now. What time is it {d} later?", "{d} after {t} is what time?", "A train leaves at {t} and drives for {d}. When does it arrive?",
                  "{t} plus {d}?", "We start at {t} and work for {d}. When do we finish?"),
        "earlier": ("What time is it {d} before {t}?", "It is {t}. What time was it {d} ago?", "{d} before {t} is what time?"),
        "between": ("How many minutes are there from {t} to {u}?", "How many minutes pass between {t} and {u}?", "A lesson goes from {t} to {u}. How many minutes is that?",
                    "I wait from {t} until {u}. How many minutes do I wait?", "From {t} to {u}: how many minutes?"),
        "day": ("What day is it {d} after {m}?", "Today is {m}. What day is it in {d}?", "If today is {m}, what day will it be in {d}?",
                "It is {m}. Which day comes {d} later?", "Which day of the week is {d} after {m}?"),
        "day_back": ("What day was it {d} before {m}?", "Today is {m}. What day was it {d} ago?"),
        "month": ("Which month comes {d} after {m}?", "It is {m}. Which month is it in {d}?", "What month is {d} after {m}?"),
        "date": ("What date is {d} after {m}?", "Today is {m}. What is the date in {d}?", "It is {m}. Which date is it {d} later?"),
        "words": ("Write {m} in numbers.", "What is {m} on a digital clock?", "How do you write {m} as a time?", "{m} as a time in numbers?"),
    },
    "test": {
        "later": ("The clock shows {t}. Wait {d}. What does it show?", "If a cake goes into the oven at {t} and bakes for {d}, when is it ready?"),
        "earlier": ("Turn a clock that shows {t} back by {d}. What does it show?",),
        "between": ("The shop opens at {t} and shuts at {u}. For how many minutes is it open?",),
        "day": ("My party is {d} after {m}. On which day is my party?",),
        "day_back": ("Go back {d} from {m}. Which day is that?",),
        "month": ("Starting in {m}, go {d} on. Which month is that?",),
        "date": ("A letter from {m} arrives after {d}. On which date?",),
        "words": ("Somebody says it is {m}. What do the digits show?",),
    },
}
TRAIN_FORMS = tuple(form for forms in FORMS["train"].values() for form in forms)
TEST_FORMS = tuple(form for forms in FORMS["test"].values() for form in forms)
KINDS = {
    1: ("later", "later", "words", "day", "month"),
    2: ("later", "earlier", "day", "month", "between", "words"),
    3: ("later", "earlier", "between", "day", "day_back", "date"),
    4: ("later", "earlier", "between", "day", "date"),
    5: ("later", "between", "day", "date"),
}


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"


def _length(hours: int, minutes: int) -> str:
    parts = []
    if hours:
        parts.append(f"{hours} hour{'s' if hours > 1 else ''}")
    if minutes:
        parts.append(f"{minutes} minutes")
    return " and ".join(parts)


def _units(count: int, unit: str) -> str:
    return f"{count} {unit}{'s' if count != 1 else ''}"


def _later(rng: random.Random, difficulty: int) -> tuple[dict, list[str], str, str, str]:
    start = rng.randint(1, 22 if difficulty < 4 else 23) * 60
    if difficulty == 1:
        start += rng.choice((0, 0, 10, 15, 20, 30, 45))
        hours, minutes = rng.randint(1, max(1, min(9, 23 - start // 60))), 0
    elif difficulty == 2:
        start += rng.randint(0, 11) * 5
        hours, minutes = 0, rng.randint(1, 11) * 5
    else:
        start += rng.randint(0, 59)
        hours, minutes = rng.randint(0 if difficulty == 3 else 1, {3: 3, 4: 9, 5: 20}[difficulty]), rng.randint(3, 59)
    first_hour, first_minute = divmod(start, 60)
    trace, hour, minute = [], first_hour, first_minute
    if minutes:
        total = minute + minutes
        trace += short_steps(minute, "+", minutes)
        if total >= 60:
            trace.append(f"{total} - 60 = {total - 60}, one hour more.")
            hour, minute = hour + 1, total - 60
            if not hours:
                trace.append(f"{first_hour} + 1 = {hour} hours.")
        else:
            minute = total
    if hours:
        extra = " + 1" if hour > first_hour else ""
        trace.append(f"{first_hour} + {hours}{extra} = {hour + hours} hours.")
        hour += hours
    if hour >= 24:
        trace.append(f"{hour} - 24 = {hour - 24}.")
        hour -= 24
    gold = f"{hour}:{minute:02d}"
    trace.append(f"So {gold}.")
    return {"t": _clock(start), "d": _length(hours, minutes)}, trace, f"It is {gold}.", gold, f"{_clock(start)}+{hours}:{minutes:02d}"


def _earlier(rng: random.Random, difficulty: int) -> tuple[dict, list[str], str, str, str]:
    hours = rng.randint(0, 1) if difficulty == 2 else rng.randint(1, 5)
    minutes = rng.randint(1, 11) * 5 if difficulty == 2 else rng.randint(3, 59)
    first_hour = rng.randint(hours + 2, 23)
    first_minute = rng.randint(0, 11) * 5 if difficulty == 2 else rng.randint(0, 59)
    trace, hour = [], first_hour
    if first_minute >= minutes:
        minute = first_minute - minutes
        trace += short_steps(first_minute, "-", minutes)
    else:
        minute, hour = first_minute + 60 - minutes, hour - 1
        trace.append(f"{first_minute} + 60 = {first_minute + 60}, one hour less.")
        trace += short_steps(first_minute + 60, "-", minutes)
    less = " - 1" if hour < first_hour else ""
    if hours or less:
        trace.append(f"{first_hour}{f' - {hours}' if hours else ''}{less} = {hour - hours} hours.")
    gold = f"{hour - hours}:{minute:02d}"
    trace.append(f"So {gold}.")
    start = f"{first_hour}:{first_minute:02d}"
    return {"t": start, "d": _length(hours, minutes)}, trace, f"It is {gold}.", gold, f"{start}-{hours}:{minutes:02d}"


def _between(rng: random.Random, difficulty: int) -> tuple[dict, list[str], str, str, str]:
    grain = 5 if difficulty <= 3 else 1
    start = rng.randint(6, 18) * 60 + rng.randrange(0, 60, grain)
    span = rng.randrange(grain, {2: 60, 3: 120, 4: 240, 5: 340}[difficulty], grain)
    end = start + span
    trace = []
    if start // 60 == end // 60:
        trace.append(f"{end % 60} - {start % 60} = {span}.")
    else:
        total = 0
        if start % 60:
            total = 60 - start % 60
            trace.append(f"{_clock(start)} to {_clock(start + total)} is 60 - {start % 60} = {total}.")
        whole = (end // 60) - (start + total) // 60
        if whole:
            trace.append(f"{whole} hour{'s' if whole > 1 else ''}: {whole} × 60 = {whole * 60}.")
            if total:
                trace.append(f"{whole * 60} + {total} = {whole * 60 + total}.")
            total += whole * 60
        last = end % 60
        if last and total:
            is_easy = total < 60 or total % 60 == 0
            trace += [f"{total} + {last} = {total + last}."] if is_easy else short_steps(total, "+", last)
    return {"t": _clock(start), "u": _clock(end)}, trace, f"That is {_units(span, 'minute')}.", str(span), f"{_clock(start)}-{_clock(end)}"


def _day(rng: random.Random, difficulty: int, is_back: bool = False) -> tuple[dict, list[str], str, str, str]:
    at = rng.randrange(7)
    count = rng.randint(1, {1: 6, 2: 9, 3: 20, 4: 40, 5: 90}[difficulty])
    is_weeks = difficulty >= 3 and rng.random() < 0.2
    trace, steps = [], count
    if count >= 7:
        trace.append(f"{count} = {count // 7} × 7 + {count % 7}.")
        steps = count % 7
    sign = -1 if is_back else 1
    walk = [DAYS[at]] + [f"{step} {DAYS[(at + sign * step) % 7]}" for step in range(1, steps + 1)]
    trace.append(f"{', '.join(walk)}.")
    gold = DAYS[(at + sign * count) % 7]
    length = _units(count, "day")
    if is_weeks and count >= 7:
        weeks, days = divmod(count, 7)
        length = _units(weeks, "week") + (f" and {_units(days, 'day')}" if days else "")
        trace[0] = f"{_units(weeks, 'week')} end on the same day."
        if weeks == 1:
            trace[0] = "1 week ends on the same day."
    return {"m": DAYS[at], "d": length}, trace, f"It {'was' if is_back else 'is'} {gold}.", gold, f"{DAYS[at]}{'-' if is_back else '+'}{count}{'w' if is_weeks else ''}"


def _month(rng: random.Random, difficulty: int) -> tuple[dict, list[str], str, str, str]:
    at, count = rng.randrange(12), rng.randint(1, 4 if difficulty == 1 else 11)
    walk = [MONTHS[at]] + [f"{step} {MONTHS[(at + step) % 12]}" for step in range(1, count + 1)]
    gold = MONTHS[(at + count) % 12]
    return {"m": MONTHS[at], "d": _units(count, "month")}, [f"{', '.join(walk)}."], f"It is {gold}.", gold, f"{MONTHS[at]}+{count}"


def _date(rng: random.Random, difficulty: int) -> tuple[dict, list[str], str, str, str]:
    at = rng.choice([m for m in range(11) if m not in (0, 1)])  # February is left out: leap years
    day = rng.randint(1, MONTH_DAYS[at])
    count = rng.randint(2, {3: 14, 4: 30, 5: 58}[difficulty])
    if at == 10 and day + count > 61:  # stays inside the year
        count = 61 - day
    trace, total, month = [f"{day} + {count} = {day + count}."], day + count, at
    while total > MONTH_DAYS[month]:
        trace.append(f"{MONTHS[month]} has {MONTH_DAYS[month]} days, {total} - {MONTH_DAYS[month]} = {total - MONTH_DAYS[month]}.")
        total -= MONTH_DAYS[month]
        month += 1
    if month == at:
        trace.append(f"{MONTHS[at]} has {MONTH_DAYS[at]} days, {total} fits.")
    month %= 12
    gold = f"{MONTHS[month]} {total}"
    trace.append(f"So {gold}.")
    return {"m": f"{MONTHS[at]} {day}", "d": _units(count, "day")}, trace, f"It is {gold}.", gold, f"{MONTHS[at]}{day}+{count}"


def _words(rng: random.Random) -> tuple[dict, list[str], str, str, str]:
    hour = rng.randint(1, 12)
    kind = rng.choice(("half past", "quarter past", "quarter to", "minutes past", "minutes to", "o'clock"))
    before = 12 if hour == 1 else hour - 1
    number = rng.choice((5, 10, 20, 25))
    if kind == "o'clock":
        text, gold, line = f"{hour} o'clock", f"{hour}:00", "O'clock is 00 minutes."
    elif kind == "half past":
        text, gold, line = f"half past {hour}", f"{hour}:30", "Half is 30 minutes."
    elif kind == "quarter past":
        text, gold, line = f"quarter past {hour}", f"{hour}:15", "A quarter is 15 minutes."
    elif kind == "quarter to":
        text, gold, line = f"quarter to {hour}", f"{before}:45", f"The hour before {hour} is {before}. 60 - 15 = 45."
    elif kind == "minutes past":
        text, gold, line = f"{number} past {hour}", f"{hour}:{number:02d}", f"{number} minutes after {hour}:00."
    else:
        text, gold, line = f"{number} to {hour}", f"{before}:{60 - number}", f"The hour before {hour} is {before}. 60 - {number} = {60 - number}."
    return {"m": text}, [line], f"It is {gold}.", gold, text


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a time task; 1: whole hours and a few days, 5: hours past midnight, dates over months."""
    check_request(difficulty, phrasing)
    kind = rng.choice(KINDS[difficulty])
    if kind in ("later", "earlier", "between", "month", "date"):
        build = {"later": _later, "earlier": _earlier, "between": _between, "month": _month, "date": _date}[kind]
        fields, trace, answer, gold, key = build(rng, difficulty)
    elif kind == "words":
        fields, trace, answer, gold, key = _words(rng)
    else:
        fields, trace, answer, gold, key = _day(rng, difficulty, kind == "day_back")
    form = pick_form(rng, phrasing, FORMS["train"][kind], FORMS["test"][kind], WIDE_FORMS[FAMILY][kind])
    question = form.format(**fields)
    question = dress(rng, capital(question), phrasing)
    return Problem(FAMILY, f"time:{kind}:{key}", question, tuple(trace), answer, gold, difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last time, date, day, month or number is right."""
    gold = problem.gold
    if ":" in gold:
        found = re.findall(r"\b(\d{1,2}):(\d{2})\b", reply)
        hour, minute = gold.split(":")
        return bool(found) and (int(found[-1][0]), found[-1][1]) == (int(hour), minute)
    if gold.isdigit():
        return last_number_is(reply, gold)
    if " " in gold:
        month, day = gold.split()
        found = re.findall(rf"\b({'|'.join(MONTHS)}) (\d+)\b", reply, re.IGNORECASE)
        return bool(found) and (found[-1][0].lower(), int(found[-1][1])) == (month.lower(), int(day))
    return last_word_is(reply, gold)

"""Finding a value in a list given in the prompt: the recall that needs attention."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tasks.checking import last_number_is, last_word_is
from tasks.columns import short_steps
from tasks.phrasing import capital, check_request, dress, lower_start, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import ANIMALS, COLOURS, NAMES, PLACES

FAMILY = "lookup"

# {x} and {y} names, {v} a value, {l} the list, {q} the question
ENTRIES = {
    "plain": {"train": ("{x}: {v}", "{x} = {v}", "{x} - {v}", "{x}, {v}"), "test": ("{x} -> {v}", "{x} ({v})")},
    "points": {"train": ("{x} has {v} points", "{x} got {v} points", "{x}: {v} points"), "test": ("{v} points for {x}",)},
    "colour": {"train": ("{x} likes {v}", "{x}'s colour is {v}", "{x}: {v}", "{x} wears {v}"), "test": ("{v} for {x}",)},
    "place": {"train": ("{x} is in the {v}", "{x} sits in the {v}", "{x}: {v}"), "test": ("you find {x} in the {v}",)},
    "animal": {"train": ("{x} has a toy {v}", "{x}'s animal is the {v}", "{x}: {v}"), "test": ("the {v} belongs to {x}",)},
}
VALUE_FORMS = {
    "plain": {"train": ("What stands next to {x}?", "What is the value of {x}?", "{x}?", "Find {x}.", "Can you look up {x}?", "What is the number of {x}?"),
              "test": ("Which entry belongs to {x}?", "Please read me the one for {x}.")},
    "points": {"train": ("How many points does {x} have?", "How many points has {x}?", "What are {x}'s points?", "Tell me the points of {x}."),
               "test": ("What did {x} score?",)},
    "colour": {"train": ("What is {x}'s colour?", "Which colour goes with {x}?", "Which colour is it for {x}?"), "test": ("Name the colour that fits {x}.",)},
    "place": {"train": ("Where is {x}?", "In which place is {x}?", "Where can I find {x}?"), "test": ("To find {x}, where do I look?",)},
    "animal": {"train": ("Which animal does {x} have?", "What is {x}'s animal?", "Which animal goes with {x}?"), "test": ("Name the animal of {x}.",)},
}
WHO_FORMS = {"train": ("Which name goes with {v}?", "{v} goes with whom?", "Whose entry says {v}?", "Find the name for {v}."), "test": ("To whom does {v} belong?",)}
SUM_FORMS = {
    "train": ("How much do {x} and {y} have together?", "What is the sum of {x} and {y}?", "Add the numbers of {x} and {y}.", "What do {x} and {y} make together?"),
    "test": ("Put the numbers of {x} and {y} together. What is it?",),
}
DIFFERENCE_FORMS = {
    "train": ("How much more does {x} have than {y}?", "What is {x} minus {y}?", "By how much is {x} above {y}?"), "test": ("By how much does {x} beat {y}?",),
}
WHOLE_FORMS = {
    "train": ("{q} Here is the list: {l}.", "{l}. {q}", "Here is a list. {l}. {q}", "List: {l}. {q}", "Look at this: {l}. {q}", "{l}.\n{q}",
              "This is what I wrote down: {l}. {q}", "Use this list. {l}. {q}"),
    "test": ("My notebook says this. {l}. {q}", "Keep this in mind: {l}. Now, {q}", "A table: {l}. {q}"),
}
JOINS = {"train": ("; ", ". ", "\n"), "test": ("; ", " / ")}


def _all(side: str) -> tuple[str, ...]:
    groups = [*ENTRIES.values(), *VALUE_FORMS.values(), WHO_FORMS, SUM_FORMS, DIFFERENCE_FORMS, WHOLE_FORMS]
    return tuple(dict.fromkeys(form for group in groups for form in group[side]))


TRAIN_FORMS, TEST_FORMS = _all("train"), _all("test")
SIZES = {1: (2, 3), 2: (3, 5), 3: (5, 7), 4: (6, 9), 5: (8, 12)}  # fewest and most entries
POOLS = {"colour": COLOURS, "place": PLACES, "animal": ANIMALS}


def read_out(entries: Iterable[tuple[str, str]]) -> str:
    """A thought's first line: the list in one plain form, what is asked by first. What is looked up then stands right after it."""
    return "List: " + " ".join(f"{key} {value}." for key, value in entries)


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a list and a question on it; from 3 on a sum or a difference of two entries too."""
    check_request(difficulty, phrasing)
    names = rng.sample(NAMES, rng.randint(*SIZES[difficulty]))
    kind = rng.choice(("value", "value", "who") if difficulty < 3 else ("value", "value", "who", "sum", "sum", "difference"))
    topic = rng.choice(("plain", "points") if kind in ("sum", "difference") else tuple(ENTRIES))
    if len(names) > len(POOLS.get(topic, NAMES)):
        topic = "plain"
    top = 99 if difficulty <= 3 else 999
    values = rng.sample(POOLS[topic], len(names)) if topic in POOLS else [str(v) for v in rng.sample(range(2, top + 1), len(names))]
    table = dict(zip(names, values))
    x, y = rng.sample(names, 2)
    if kind == "difference" and int(table[x]) < int(table[y]):
        x, y = y, x
    wide = WIDE_FORMS[FAMILY]
    entry = pick_form(rng, phrasing, ENTRIES[topic]["train"], ENTRIES[topic]["test"], wide[f"entry:{topic}"])
    joins = [join for join in JOINS["test" if phrasing == "test" else "train"] if not (entry == "{x}, {v}" and join == ". ")]
    listed = capital(rng.choice(joins).join(entry.format(x=name, v=value) for name, value in table.items()))
    forms = {"value": VALUE_FORMS[topic], "who": WHO_FORMS, "sum": SUM_FORMS, "difference": DIFFERENCE_FORMS}[kind]
    ask = capital(pick_form(rng, phrasing, forms["train"], forms["test"], wide[f"value:{topic}" if kind == "value" else kind]).format(x=x, y=y, v=table[x]))
    whole = pick_form(rng, phrasing, WHOLE_FORMS["train"], WHOLE_FORMS["test"], wide["whole"])
    question = whole.format(q=lower_start(ask) if "Now, {q}" in whole else ask, l=listed)
    if kind == "value":
        thought, answer, gold = [read_out(table.items()), f"So {x} {table[x]}."], f"For {x} it says {table[x]}.", table[x]
    elif kind == "who":
        thought, answer, gold = [read_out((v, n) for n, v in table.items()), f"So {table[x]} {x}."], f"The name is {x}.", x
    else:
        sign = "+" if kind == "sum" else "-"
        a, b = int(table[x]), int(table[y])
        gold = str(a + b if sign == "+" else a - b)
        thought = [read_out(table.items()), f"So {x} {a}.", f"So {y} {b}.", *short_steps(a, sign, b)]
        answer = f"Together that is {gold}." if sign == "+" else f"The difference is {gold}."
    asked = f"{x},{y}" if kind in ("sum", "difference") else (table[x] if kind == "who" else x)
    canonical = f"lookup:{kind}:{asked}:" + ",".join(f"{name}={value}" for name, value in table.items())
    return Problem(FAMILY, canonical, dress(rng, question, phrasing), tuple(thought), answer, gold, difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply ends with the right number or word."""
    if problem.gold.isdigit():
        return last_number_is(reply, problem.gold)
    return last_word_is(reply, problem.gold)

"""Short exercises that a small model needs many of: looking several entries up, spelling several words, copying.

Owns training text only: no family of its own, nothing of it is measured. One drill asks for three to eight things at
once, so that most of its trained tokens can only be had by looking back; a problem of the families has one such token
among thirty. What would give away the answer to a problem of the test side is left out.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from tasks import lookup
from tasks.phrasing import capital, dress, join_and, pick_form, vary
from tasks.split import split_of
from tasks.wide_forms import WIDE_FORMS
from tasks.words import ANIMALS, COLOURS, NAMES, PLACES, THINGS, WORDS

KEYS = (NAMES, NAMES, NAMES, tuple(plural for plural, _ in THINGS if " " not in plural), ANIMALS, COLOURS)
VALUES = (None, None, NAMES, COLOURS, PLACES, ANIMALS)  # None: numbers
SEVERAL_FORMS = (
    "[Give|Tell|Show|Read] me [what stands at|the entries of|the entries for|what it says for] {k}.", "What [does it say for|stands at|is with|goes with] {k}?",
    "[Look up|Find|Read out|Say] {k}.", "And now {k}?", "I need {k}.", "[What about|How about] {k}?",
)
SPELL_FORMS = (
    "Spell {w}.", "[Can|Could] you spell {w}?", "[Spell|Write|Say] these words [letter by letter|in letters]: {w}.", "What are the letters of {w}?",
    "[Please spell|Spell out|Give me the letters of] {w}.",
)
COPY_FORMS = (
    "[Say|Write|Copy|Repeat] [this|these|this list][ again| once more|]: {l}.", "[Repeat after me|Copy this line|Say it again]: {l}.", "{l}. [Say that again|Repeat it|Copy it].",
)


class Drill(NamedTuple):
    """A question with its worked thought and answer."""

    question: str
    thought: tuple[str, ...]
    answer: str


def _table(rng: random.Random, size: int) -> tuple[str, dict[str, str]]:
    """How its entries are written ("{x}: {v}") and `size` entries."""
    names = rng.choice(KEYS)
    pool = rng.choice([values for values in VALUES if values is not names])
    size = min(size, len(names), len(pool or names))
    values = rng.sample(pool, size) if pool else [str(v) for v in rng.sample(range(2, rng.choice((99, 99, 999))), size)]
    topic = {id(COLOURS): "colour", id(PLACES): "place", id(ANIMALS): "animal"}.get(id(pool), "plain")
    form = pick_form(rng, "wide", lookup.ENTRIES[topic]["train"], (), WIDE_FORMS["lookup"][f"entry:{topic}"])
    return form, dict(zip(rng.sample(names, size), values))


def recall(rng: random.Random) -> Drill:
    """A list, and several of its entries to look up in another order; now and then by value."""
    form, table = _table(rng, rng.randint(3, 9))
    joins = [join for join in lookup.JOINS["train"] if not (form == "{x}, {v}" and join == ". ")]
    listed = rng.choice(joins).join(form.format(x=x, v=v) for x, v in table.items())
    is_by_value = rng.random() < 0.3
    pairs = [(v, x) if is_by_value else (x, v) for x, v in table.items()]
    kind = "who" if is_by_value else "value"
    entries = ",".join(f"{x}={v}" for x, v in table.items())
    free = [(key, value) for key, value in pairs if split_of(f"lookup:{kind}:{key}:{entries}") == "train"]
    if len(free) < 2:
        return recall(rng)
    asked = rng.sample(free, min(len(free), rng.randint(2, 6)))
    ask = vary(rng, rng.choice(SEVERAL_FORMS)).format(k=join_and([key for key, _ in asked]))
    whole = pick_form(rng, "wide", lookup.WHOLE_FORMS["train"], (), WIDE_FORMS["lookup"]["whole"])
    question = whole.format(l=capital(listed), q=ask)
    return Drill(dress(rng, question, "wide"), (lookup.read_out(pairs), *(f"So {key} {value}." for key, value in asked)), f"It says: {', '.join(f'{k} {v}' for k, v in asked)}.")


def spell(rng: random.Random) -> Drill:
    """Several words to spell."""
    words = [word for word in rng.sample(WORDS, rng.randint(2, 5)) if split_of(f"spell:{word}") == "train"] or ["cat"]
    question = vary(rng, rng.choice(SPELL_FORMS)).format(w=join_and(words))
    spelled = tuple(f"Spell {word}: {' '.join(word)}." for word in words)
    return Drill(dress(rng, question, "wide"), spelled, " ".join(f"The word {word} is {'-'.join(word)}." for word in words))


def copy(rng: random.Random) -> Drill:
    """A list of words, names or numbers to say again, with repeats in it."""
    pool = rng.choice((WORDS, WORDS, NAMES, ANIMALS, PLACES, tuple(map(str, range(1, 1000)))))
    items = rng.choices(rng.sample(pool, rng.randint(4, 12)), k=rng.randint(3, 14))
    listed = ", ".join(items)
    question = vary(rng, rng.choice(COPY_FORMS)).format(l=listed)
    return Drill(dress(rng, question, "wide", closer=False), (f"It says {listed}.",), f"Again: {listed}.")


def generate(rng: random.Random) -> Drill:
    """A drill of some kind: looking up in five of eight, spelling in two, copying in one."""
    return rng.choices((recall, spell, copy), (5, 2, 1))[0](rng)

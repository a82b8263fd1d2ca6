"""Sorting numbers up or down and words by the alphabet, putting one after another into its place."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tasks.checking import number_list_is, word_list_is
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import WORDS

FAMILY = "sorting"

TRAIN_FORMS = (
    "Sort {l} {o}.", "Sort these {o}: {l}.", "Put {l} in order, {o}.", "Put these {k} in order {o}: {l}.",
    "Order {l} {o}.", "Can you sort {l} {o}?", "Please arrange {l} {o}.", "Arrange these {k} {o}: {l}.",
    "{l}: sort {o}.", "sort {l} {o}", "Write {l} in order, {o}.", "Hey, can you put {l} in order, {o}?",
    "How do you sort {l} {o}?", "List {l} {o}.", "I have the {k} {l}. Sort them {o}.",
    "Here are some {k}: {l}. Sort them {o}.", "What is the order of {l}, {o}?", "Give me {l} sorted {o}.",
    "My list is {l}. Put it in order {o}.", "Could you order the {k} {l} {o}?", "{l}, sorted {o}?",
    "Help me sort {l} {o}.",
)
TEST_FORMS = (
    "These {k} are mixed up: {l}. Line them up {o}.", "Make a tidy list of {l}, {o}.", "Rank {l} {o}.",
    "The {k} {l} should stand in a row {o}. How?", "Tidy up this list {o}: {l}.",
)
ORDERS = {
    "up": ("from small to large", "from smallest to largest", "from low to high", "going up"),
    "down": ("from large to small", "from largest to smallest", "from high to low", "going down"),
    "abc": ("by the alphabet", "from a to z", "alphabetically"),
}
WAYS = {"up": "Up", "down": "Down", "abc": "By letters"}
SIZES = {1: (3, 3, 20), 2: (3, 4, 99), 3: (4, 5, 99), 4: (5, 6, 200), 5: (6, 7, 999)}  # fewest, most, largest


def insertions(items: Sequence, order: str) -> list[str]:
    """The list as it stands, then what is sorted so far after each item that is put in.

    Each number written is either the next of the line above or the new one: one comparison of two. To pick the smallest of
    all that are left takes a comparison of all at once, and the rest must then be copied without it.
    """
    done: list = []
    lines = [f"List: {' '.join(map(str, items))}."]
    for item in items:
        done = sorted([*done, item], reverse=order == "down")
        lines.append(f"{WAYS[order]} {item}: {' '.join(map(str, done))}.")
    return lines


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a list to sort; 1: three numbers up to 20, 5: six or seven up to 999."""
    check_request(difficulty, phrasing)
    low, high, top = SIZES[difficulty]
    size = rng.randint(low, high)
    order = rng.choices(("up", "down", "abc"), (5, 3, 2))[0]
    if order == "abc":
        items: list = rng.sample(WORDS, min(size, 5))
        ordered = sorted(items)
    else:
        items = rng.sample(range(1, top + 1), size)
        ordered = sorted(items, reverse=order == "down")
    form = pick_form(rng, phrasing, TRAIN_FORMS, TEST_FORMS, WIDE_FORMS[FAMILY][""])
    kind = "words" if order == "abc" else "numbers"
    question = dress(rng, form.format(l=", ".join(map(str, items)), o=rng.choice(ORDERS[order]), k=kind), phrasing)
    thought = insertions(items, order)
    gold = ", ".join(map(str, ordered))
    return Problem(FAMILY, f"sort:{order}:{','.join(map(str, items))}", question, tuple(thought), f"In order: {gold}.", gold, difficulty)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's list is the sorted list, in order and with nothing more."""
    if problem.canonical.startswith("sort:abc"):
        return word_list_is(reply, problem.gold)
    return number_list_is(reply, problem.gold)

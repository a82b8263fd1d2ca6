"""Spelling a word out, writing it or a list backwards, and picking a letter by its place."""

from __future__ import annotations

import random

from tasks.checking import last_word_is, letters_are, word_list_is
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import WORDS

FAMILY = "spelling"

SPELL_FORMS = (
    "How do you spell {w}?", "Spell {w}.", "Spell the word {w} letter by letter.", "Can you spell {w}?", "spell {w}",
    "What are the letters of {w}?", "Please spell out \"{w}\".", "Write {w} one letter at a time.",
)
REVERSE_FORMS = (
    "Write {w} backwards.", "What is {w} backwards?", "Reverse the word {w}.", "Spell {w} backwards as one word.",
    "{w} backwards?", "reverse {w}", "Can you write \"{w}\" in reverse?", "Turn the word {w} around.",
    "What do you get when you reverse {w}?", "Hey, say {w} backwards.",
)
PLACE_FORMS = (
    "What is the {n} letter of {w}?", "Which letter is {n} in {w}?", "Tell me the {n} letter in the word {w}.",
    "{n} letter of {w}?", "In {w}, what is the {n} letter?",
)
LIST_FORMS = (
    "Reverse this list: {s}.", "Say these words in reverse order: {s}.", "Write {s} from last to first.",
    "{s}: list them backwards.", "What is {s} in reverse order?",
)
TRAIN_FORMS = SPELL_FORMS + REVERSE_FORMS + PLACE_FORMS + LIST_FORMS
TEST_SPELL_FORMS = ("I forgot how {w} is spelled. Give me its letters.", "Take the word {w} apart into letters.")
TEST_REVERSE_FORMS = ("Read {w} from its end to its start. What do you read?", "Flip {w} so that the last letter comes first.")
TEST_PLACE_FORMS = ("Counting from the left, what letter stands {n} in {w}?",)
TEST_LIST_FORMS = ("Start at the end of this list and go to its start: {s}.",)
TEST_FORMS = TEST_SPELL_FORMS + TEST_REVERSE_FORMS + TEST_PLACE_FORMS + TEST_LIST_FORMS
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")
LENGTHS = {1: (3, 4), 2: (4, 5), 3: (5, 6), 4: (6, 8), 5: (7, 12)}


def _spelled(word: str) -> str:
    return " ".join(word) + "."


def _reversed_lines(word: str) -> list[str]:
    """The letters, then the letters from the end, five a line."""
    back = word[::-1]
    lines = [f"Letters: {_spelled(word)}"]
    chunks = [back[start:start + 5] for start in range(0, len(back), 5)]
    return lines + [f"{'Back' if at == 0 else 'Then'}: {_spelled(chunk)}" for at, chunk in enumerate(chunks)]


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a spelling task; 1: words of 3 or 4 letters, 5: long words, lists of seven."""
    check_request(difficulty, phrasing)
    low, high = LENGTHS[difficulty]
    word = rng.choice([w for w in WORDS if low <= len(w) <= high])
    kind = rng.choices(("spell", "reverse", "place", "list"), (2, 4, 2, 2))[0]
    if kind == "spell":
        form = pick_form(rng, phrasing, SPELL_FORMS, TEST_SPELL_FORMS, WIDE_FORMS[FAMILY]["spell"])
        gold = "-".join(word)
        return Problem(
            FAMILY, f"spell:{word}", dress(rng, form.format(w=word), phrasing), (f"Letters: {_spelled(word)}",),
            f"The word {word} is spelled: {gold}.", gold, difficulty,
        )
    if kind == "reverse":
        form = pick_form(rng, phrasing, REVERSE_FORMS, TEST_REVERSE_FORMS, WIDE_FORMS[FAMILY]["reverse"])
        return Problem(
            FAMILY, f"reverse:{word}", dress(rng, form.format(w=word), phrasing), tuple(_reversed_lines(word)),
            f"The word {word} backwards is {word[::-1]}.", word[::-1], difficulty,
        )
    if kind == "place":
        at = rng.randrange(len(word))
        name = "last" if at == len(word) - 1 and rng.random() < 0.4 else ORDINALS[at]
        form = pick_form(rng, phrasing, PLACE_FORMS, TEST_PLACE_FORMS, WIDE_FORMS[FAMILY]["place"])
        counted = "Letters: " + " ".join(f"{letter} {place + 1}." for place, letter in enumerate(word[:at + 1]))
        return Problem(
            FAMILY, f"letter:{at + 1}:{word}", dress(rng, form.format(w=word, n=name), phrasing), (counted,),
            f"The {name} letter of {word} is {word[at]}.", word[at], difficulty,
        )
    items = rng.sample(WORDS, 2 + difficulty)
    form = pick_form(rng, phrasing, LIST_FORMS, TEST_LIST_FORMS, WIDE_FORMS[FAMILY]["list"])
    gold = ", ".join(reversed(items))
    numbered = " ".join(f"{place} {item}." for place, item in enumerate(items, 1))
    return Problem(
        FAMILY, f"reverse-list:{','.join(items)}", dress(rng, form.format(s=", ".join(items)), phrasing),
        (numbered, f"Back from {len(items)}: {' '.join(reversed(items))}."), f"In reverse order: {gold}.", gold, difficulty,
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply spells, reverses or names the letter rightly."""
    kind = problem.canonical.split(":")[0]
    if kind == "spell":
        return letters_are(reply, problem.gold)
    if kind == "reverse-list":
        return word_list_is(reply, problem.gold)
    return last_word_is(reply, problem.gold)

"""Counting letters in a word, words in a sentence and repeats in a list, with a running count."""

from __future__ import annotations

import random

from tasks.checking import last_number_is
from tasks.phrasing import capital, check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import ANIMALS, COLOURS, WORDS

FAMILY = "counting"

LETTER_FORMS = (
    "How many {x}'s are in {w}?", "How many times does the letter {x} appear in {w}?", "Count the letter {x} in {w}.",
    "How many {x} are there in {w}?", "How often is {x} in {w}?", "Count the {x}'s in \"{w}\".",
    "In {w}, how many times do you see {x}?", "number of {x} in {w}", "How many letters {x} does {w} have?",
    "Tell me how many {x}'s {w} has.", "hey, how many {x}'s in {w}?", "What is the count of {x} in {w}?",
)
LENGTH_FORMS = (
    "How many letters are in {w}?", "How long is {w}, in letters?", "Count the letters of {w}.",
    "How many letters does \"{w}\" have?", "What is the length of {w} in letters?", "letters in {w}?",
    "How many letters are there in {w}?", "Count all the letters in {w}.",
)
WORD_FORMS = (
    "How many words are in this sentence: {s}", "Count the words: {s}", "How many words does this have? {s}",
    "\"{s}\" How many words is that?", "Tell me the number of words here: {s}", "word count of: {s}",
)
REPEAT_FORMS = (
    "How many times is {x} in this list: {s}?", "Count {x} here: {s}.", "How often does {x} come up in {s}?",
    "{s}: how many times does it say {x}?", "In the list {s}, how often is {x} there?", "How many times do you see {x}? {s}.",
)
TRAIN_FORMS = LETTER_FORMS + LENGTH_FORMS + WORD_FORMS + REPEAT_FORMS
TEST_LETTER_FORMS = ("Look at {w}. What is the total of {x}'s in it?", "If I circle each {x} in {w}, how many circles do I draw?")
TEST_LENGTH_FORMS = ("If I write {w}, how many letters do I write?", "Of how many letters is {w} made?")
TEST_WORD_FORMS = ("Here is a line: {s} Of how many words is it made?",)
TEST_REPEAT_FORMS = ("Go through {s} and count how many say {x}.",)
TEST_FORMS = TEST_LETTER_FORMS + TEST_LENGTH_FORMS + TEST_WORD_FORMS + TEST_REPEAT_FORMS

SUBJECTS = tuple(f"the {colour} {animal}" for colour in COLOURS[:9] for animal in ANIMALS)
VERBS = ("sees", "likes", "finds", "takes", "hides", "wants", "paints", "drops", "carries", "loses")
OBJECTS = ("a ball", "a warm hat", "the old key", "some bread", "two apples", "a very big box", "the little boat", "a song")
ENDINGS = ("", "today", "in the garden", "every day", "near the tall tree", "at night", "before it rains", "with a smile", "on the way home")


def _running(items: list[str], wanted: str | None) -> list[str]:
    """What is counted, then sentences of "item count", five items a line; wanted None counts all.

    A line begins with a word of its own, so that each item stands behind a space, as in the question: a word at the
    start of a line is other tokens.
    """
    counts = [sum(wanted is None or item == wanted for item in items[: at + 1]) for at in range(len(items))]
    said = [f"{item} {count}." for item, count in zip(items, counts)]
    lines = [" ".join(said[at : at + 5]) for at in range(0, len(said), 5)]
    return [f"Count{' ' + wanted if wanted else ''}: {lines[0]}", *(f"Then: {line}" for line in lines[1:])]


def _words_of(difficulty: int) -> list[str]:
    low, high = {1: (3, 4), 2: (4, 6), 3: (5, 8), 4: (7, 10), 5: (8, 12)}[difficulty]
    return [word for word in WORDS if low <= len(word) <= high]


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a count; 1: words of 3 or 4 letters, 5: two long words, long sentences, lists of 16."""
    check_request(difficulty, phrasing)
    kind = rng.choices(("letter", "length", "words", "repeat"), (5, 2, 2, 2))[0]
    if kind in ("letter", "length"):
        word = rng.choice(_words_of(difficulty))
        if difficulty >= 4 and rng.random() < 0.6:
            word += " " + rng.choice(_words_of(difficulty - 2))
        letters = list(word.replace(" ", ""))
        if kind == "length":
            form = pick_form(rng, phrasing, LENGTH_FORMS, TEST_LENGTH_FORMS, WIDE_FORMS[FAMILY]["length"])
            count, noun = len(letters), "letter"
            return Problem(
                FAMILY, f"count:length:{word}", dress(rng, form.format(w=word), phrasing), tuple(_running(letters, None)),
                f"There are {count} letters in {word}.", str(count), difficulty,
            )
        counts = {x: letters.count(x) for x in letters}
        many = [x for x, n in counts.items() if n > 1]
        draw = rng.random()
        if draw < 0.55 and many:
            wanted = rng.choice(sorted(many))
        elif draw < 0.9:
            wanted = rng.choice(sorted(counts))
        else:
            wanted = rng.choice("abcdefghijklmnopqrstuvwxyz")
        form = pick_form(rng, phrasing, LETTER_FORMS, TEST_LETTER_FORMS, WIDE_FORMS[FAMILY]["letter"])
        return Problem(
            FAMILY, f"count:letter:{wanted}:{word}", dress(rng, form.format(x=wanted, w=word), phrasing),
            tuple(_running(letters, wanted)), *_answer(letters.count(wanted), wanted, word), difficulty,
        )
    if kind == "words":
        parts = [rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS)]
        if difficulty >= 2:
            parts.append(rng.choice(ENDINGS))
        for _ in range(max(0, difficulty - 3)):
            parts += ["and", rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS)]
        words = " ".join(part for part in parts if part).split()
        sentence = " ".join(words)
        form = pick_form(rng, phrasing, WORD_FORMS, TEST_WORD_FORMS, WIDE_FORMS[FAMILY]["words"])
        question = form.format(s=capital(sentence) + ".")
        return Problem(
            FAMILY, f"count:words:{sentence}", dress(rng, question, phrasing, closer=False), tuple(_running(words, None)),
            f"There are {len(words)} words.", str(len(words)), difficulty,
        )
    pool = rng.sample(ANIMALS if rng.random() < 0.5 else COLOURS, min(5, 2 + difficulty // 2))
    items = [rng.choice(pool) for _ in range(3 + 2 * difficulty + rng.randint(0, 2))]
    wanted = rng.choice(pool)
    form = pick_form(rng, phrasing, REPEAT_FORMS, TEST_REPEAT_FORMS, WIDE_FORMS[FAMILY]["repeat"])
    return Problem(
        FAMILY, f"count:repeat:{wanted}:{','.join(items)}", dress(rng, form.format(x=wanted, s=", ".join(items)), phrasing),
        tuple(_running(items, wanted)), *_answer(items.count(wanted), wanted, "the list"), difficulty,
    )


def _answer(count: int, wanted: str, where: str) -> tuple[str, str]:
    return f"The number of {wanted} in {where} is {count}.", str(count)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last number is the count."""
    return last_number_is(reply, problem.gold)

"""Yes/no questions on the table of facts, and how many of several statements are true."""

from __future__ import annotations

import random

from tasks.checking import last_number_is, yes_no_is
from tasks.facts import FACTS, spoken
from tasks.phrasing import capital, check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "facts"

DIRECT_FORMS = ("{q}", "Yes or no: {q}", "Tell me, {q}", "Do you know this? {Q}", "{Q} Yes or no?", "I wonder: {q}", "Say yes or no. {Q}")
CLAIM_FORMS = (
    "Is it true that {s}?", "{S}. Is that true?", "{S}, right?", "True or not: {s}?", "Is it right that {s}?", "{S}. Is that right?",
    "{S}. Yes or no?", "I think that {s}. Am I right?", "They say that {s}. Is that so?", "Can it be that {s}?",
)
WRONG_FORMS = ("Is it false that {s}?", "Is it wrong to say that {s}?", "{S}. Is that false?", "Is this wrong: {s}?")
COUNT_FORMS = (
    "How many of these are true? {l}", "Count the true ones: {l}", "{l} How many are true?", "How many true statements are here? {l}",
    "Read these and count the true ones. {l}",
)
TRAIN_FORMS = DIRECT_FORMS + CLAIM_FORMS + WRONG_FORMS + COUNT_FORMS
TEST_DIRECT_FORMS = ("My teacher asks: {q}", "A short one for you. {Q}")
TEST_CLAIM_FORMS = ("Somebody told me that {s}. Should I believe it?", "Would you agree that {s}?")
TEST_WRONG_FORMS = ("Would it be an error to write that {s}?",)
TEST_COUNT_FORMS = ("Which number of the following are correct? {l}",)
TEST_FORMS = TEST_DIRECT_FORMS + TEST_CLAIM_FORMS + TEST_WRONG_FORMS + TEST_COUNT_FORMS


def _lower_start(question: str) -> str:
    return question[0].lower() + question[1:]


def _one(rng: random.Random, difficulty: int, phrasing: str) -> Problem:
    fact = rng.choice(FACTS)
    is_true = rng.random() < 0.5
    kind = rng.choice(("direct", "claim") if difficulty == 1 else ("direct", "claim", "wrong"))
    truth = spoken(fact.true, to_user=True)
    if kind == "direct":
        ask = fact.ask_true if is_true else fact.ask_false
        form = pick_form(rng, phrasing, DIRECT_FORMS, TEST_DIRECT_FORMS, WIDE_FORMS[FAMILY]["direct"])
        question = ask if form == "{q}" else form.format(q=_lower_start(ask), Q=ask)
    else:
        statement = spoken(fact.true if is_true else fact.false, to_user=False)
        forms = (CLAIM_FORMS, TEST_CLAIM_FORMS) if kind == "claim" else (WRONG_FORMS, TEST_WRONG_FORMS)
        question = pick_form(rng, phrasing, *forms, WIDE_FORMS[FAMILY][kind]).format(s=statement, S=capital(statement))
    is_yes = is_true != (kind == "wrong")
    claim = spoken(fact.true if is_true else fact.false, to_user=True)
    thought = [f"Said: {claim}.", f"I know: {truth}.", f"So the statement is {'true' if is_true else 'false'}."]
    if kind == "wrong":
        answer = f"Yes, that is false. {capital(truth)}." if is_yes else f"No, it is true. {capital(truth)}."
    else:
        answer = f"{'Yes' if is_yes else 'No'}, {truth}."
    return Problem(
        FAMILY, f"fact:{fact.key}:{'t' if is_true else 'f'}:{kind}", dress(rng, question, phrasing), tuple(thought), answer,
        "yes" if is_yes else "no", difficulty,
    )


def _several(rng: random.Random, difficulty: int, phrasing: str) -> Problem:
    picks = [(fact, rng.random() < 0.5) for fact in rng.sample(FACTS, difficulty - 1)]
    listed = " ".join(f"{capital(spoken(fact.true if is_true else fact.false, to_user=False))}." for fact, is_true in picks)
    thought, count = [], 0
    for fact, is_true in picks:
        count += is_true
        claim, truth = (spoken(statement, to_user=True) for statement in (fact.true if is_true else fact.false, fact.true))
        thought.append(f"Said: {claim}. I know: {truth}. So {'true' if is_true else 'false'}. Count {count}.")
    question = pick_form(rng, phrasing, COUNT_FORMS, TEST_COUNT_FORMS, WIDE_FORMS[FAMILY]["count"]).format(l=listed)
    key = ",".join(f"{fact.key}:{'t' if is_true else 'f'}" for fact, is_true in picks)
    return Problem(
        FAMILY, f"facts:{key}", dress(rng, question, phrasing), tuple(thought), f"The number of true ones is {count}.", str(count), difficulty
    )


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a question on facts; 1 and 2: one fact, 3 to 5: two to four statements to count."""
    check_request(difficulty, phrasing)
    return _one(rng, difficulty, phrasing) if difficulty < 3 else _several(rng, difficulty, phrasing)


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply says yes or no as the table does, or counts rightly."""
    if problem.gold.isdigit():
        return last_number_is(reply, problem.gold)
    return yes_no_is(reply, problem.gold)

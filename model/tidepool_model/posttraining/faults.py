"""Drafts with verified faults, what feedback says of them, and their mended forms.

A fault is planted into a worked thought (a wrong number, another name, a step left out). What follows then fits the fault: the
wrong value is carried through to the answer, or the model goes on from there. Or the model's own reply is wrong by the check.
The worked thought says where: the first step that differs from it. Stories lose their ending, answers are left out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks import registry
from tasks.problem import Problem

from .roles import NOTHING_WRONG, Draft

NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\d)")
NAME = re.compile(r"\b[A-Z][a-z]+\b")
KINDS = ("number", "name", "step")


@dataclass(frozen=True)
class Faulty:
    """A draft beside what it should have been. `is_right`: the check takes its answer."""

    question: str
    draft: Draft
    mended: Draft
    is_right: bool
    family: str


def is_right(problem: Problem, answer: str) -> bool:
    return bool(answer.strip()) and registry.FAMILIES[problem.family].check(problem, answer)


def other_number(number: str, rng: random.Random) -> str:
    """A number that a slip may leave: one more or less, ten more or less, or two digits swapped."""
    value = int(number)
    slips = [value + 1, abs(value - 1), value + 10, abs(value - 10)]
    if len(number) > 1:
        slips.append(int(number[:-2] + number[-1] + number[-2]))
    return str(rng.choice([slip for slip in slips if slip != value] or [value + 2]))


def plant(problem: Problem, kind: str, rng: random.Random) -> tuple[str, ...] | None:
    """The worked thought up to and with a planted fault of that kind; None where it has no place for one."""
    steps = problem.thought
    at = list(range(len(steps)))
    rng.shuffle(at)
    for k in at:
        step = steps[k]
        if kind == "step" and k + 1 < len(steps) and steps[k] != steps[k + 1]:
            return (*steps[:k], steps[k + 1])
        pattern = NUMBER if kind == "number" else NAME
        places = list(pattern.finditer(step)) if kind != "step" else []
        if kind == "number":
            results = [place for place in places if step[: place.start()].rstrip().endswith(("=", "write", "carry", "borrow", "is"))]
            places = results or places
            if not places:
                continue
            place = rng.choice(places)
            wrong = other_number(place[0], rng)
        else:
            names = sorted(set(NAME.findall(problem.question)) - {"So", "Not", "The", "Who", "What", "Which"})
            places = [place for place in places if place[0] in names]
            if not places or len(names) < 2:
                continue
            place = rng.choice(places)
            wrong = rng.choice([name for name in names if name != place[0]])
        return (*steps[:k], step[: place.start()] + wrong + step[place.end() :])
    return None


def slip(problem: Problem, kind: str, rng: random.Random) -> Draft | None:
    """A draft with a fault of kind `number` or `name` that is carried through to its answer; None where the check still takes it."""
    begun = plant(problem, kind, rng)
    if begun is None or kind == "step":
        return None
    pattern = NUMBER if kind == "number" else NAME
    k = len(begun) - 1
    pairs = zip(pattern.findall(problem.thought[k]), pattern.findall(begun[k]), strict=False)
    old, new = next(((old, new) for old, new in pairs if old != new), ("", ""))
    if not old:
        return None
    carried = lambda text: re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w.]*\d|[a-zA-Z])", new, text)
    draft = Draft((*begun, *map(carried, problem.thought[k + 1 :])), carried(problem.answer))
    return None if is_right(problem, draft.answer) else draft


def feedback_on(draft: Draft, mended: Draft, right: bool) -> str:
    """One to three sentences: what is wrong and where. The first fault is named; what follows from it isn't."""
    if right:
        return NOTHING_WRONG
    if not draft.answer:
        return f"The answer is missing. It should be: {mended.answer}"
    if not draft.steps:
        return f"The answer is wrong. It should be: {mended.answer}"
    for k, should in enumerate(mended.steps):
        if k >= len(draft.steps):
            return f"Step {k + 1} is missing. It should be: {should}"
        if draft.steps[k] == should:
            continue
        said = draft.steps[k]
        if k + 1 < len(mended.steps) and said == mended.steps[k + 1]:
            return f"A step is missing before step {k + 1}. It should be: {should}"
        if NUMBER.sub("0", said) == NUMBER.sub("0", should):
            return f"Step {k + 1} has a wrong number. It should be: {should}"
        if NAME.sub("N", said) == NAME.sub("N", should):
            return f"Step {k + 1} has a wrong name. It should be: {should}"
        return f"Step {k + 1} is wrong. It should be: {should}"
    return f"The answer does not follow from the steps. It should be: {mended.answer}"


def check_thought(draft: Draft, mended: Draft, right: bool) -> tuple[str, ...]:
    """What the feedback role thinks: which steps hold, up to the first that fails; without steps, the work itself."""
    if not draft.steps:
        return mended.steps
    held = 0
    while held < min(len(draft.steps), len(mended.steps)) and draft.steps[held] == mended.steps[held]:
        held += 1
    if right:
        return (*(f"{k} holds." for k in range(1, len(draft.steps) + 1)), "The answer holds.")
    holds = tuple(f"{k} holds." for k in range(1, held + 1))
    if held == len(mended.steps) and held <= len(draft.steps):
        return (*holds, "The answer fails.")
    return (*holds, f"{held + 1} fails.")


def story_without_ending(sentences: Sequence[str], rng: random.Random) -> str:
    """The story cut after two to four fifths of its sentences."""
    kept = max(1, round(len(sentences) * rng.uniform(0.4, 0.8)))
    return " ".join(sentences[: min(kept, len(sentences) - 1)])

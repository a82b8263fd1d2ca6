"""Pairs of worked replies beside the same with a fault put in by rule, which the family's check has to refuse."""

from __future__ import annotations

import itertools
import random
import re

from tasks import registry
from tasks.problem import Problem

from ..data import chat_format
from .environments import PLAIN
from .preferences import Preference

NUMBER = re.compile(r"(?<![\w.:])\d+(?![\w:]|\.\d)")
CARRIED, AGAINST, BROKEN_OFF = RULED = ("ruled, wrong to the end", "ruled, answer against its thought", "ruled, breaks off")
RULES = {
    CARRIED: "a worked reply before the same with another number in its last step and its answer",
    AGAINST: "a worked reply before the same with another number in its answer alone",
    BROKEN_OFF: "a worked reply before its first half, without an answer",
}


def _slip(text: str, rng: random.Random) -> tuple[str, str] | None:
    """The text's last number and one that is one or ten off; None where it has none."""
    found = NUMBER.findall(text)
    if not found:
        return None
    value = int(found[-1])
    return found[-1], str(rng.choice([value + 1, value + 10, *([value - 1] if value else [])]))


def _last_replaced(text: str, number: str, other: str) -> str | None:
    places = [place for place in NUMBER.finditer(text) if place[0] == number]
    return text[: places[-1].start()] + other + text[places[-1].end() :] if places else None


def ruled_pair(problem: Problem, rng: random.Random) -> Preference | None:
    """The worked reply beside one with a fault put in by rule, which the check has to refuse; None where the rule finds no place."""
    thought, answer = "\n".join(problem.thought), problem.answer
    kind = rng.choice(RULED)
    worse_thought: str | None = thought
    worse_answer: str | None = ""
    if kind == BROKEN_OFF:
        worse_thought = thought[: len(thought) // 2].rpartition(" ")[0]
    elif (slip := _slip(answer, rng)) is None:
        return None
    else:
        worse_answer = _last_replaced(answer, *slip)
        worse_thought = _last_replaced(thought, *slip) if kind == CARRIED else thought
    if not worse_thought or worse_answer is None or (worse_answer and registry.FAMILIES[problem.family].check(problem, worse_answer)):
        return None
    good, bad = (f"{part}\n{chat_format.END_THINK}\n{said}" for part, said in ((thought, answer), (worse_thought, worse_answer)))
    size = 3 if kind == BROKEN_OFF else 2
    first = rng.random() < 0.5
    return Preference(({"role": "user", "content": problem.question},), (good, bad) if first else (bad, good), -size if first else size, kind)


def ruled_pairs(count: int, seed: int) -> list[Preference]:
    """Such pairs of problems of the training side, families by turns."""
    rng = random.Random(seed)
    found: list[Preference] = []
    for index in itertools.count():
        if len(found) == count:
            return found
        pair = ruled_pair(registry.sample(PLAIN[index % len(PLAIN)], rng, rng.randint(1, 5), "train", "wide"), rng)
        if pair is not None:
            found.append(pair)
    raise AssertionError

"""Environments of reinforcement, one interface: draw a task, answer what is called, reward what was said.

The sixteen families of tasks/ and their two tools. Rewards are the families' own checks, for form as well as for the answer.
Not here: sampling (rollouts.py), what is made of rewards (grpo.py).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from tasks import registry
from tasks.problem import Problem
from tasks.tools import evaluate
from tokenizers import Tokenizer

from ..data import chat_format

PLAIN = tuple(family for family in registry.FAMILIES if family != "tools")
"""Families whose problems are one question and one answer."""
LIMITS: tuple[tuple[int | None, float], ...] = ((None, 0.40), (0, 0.10), (16, 0.12), (32, 0.13), (64, 0.13), (128, 0.12))
"""Limits on the thought that rollouts are drawn under (None: none, 0: thinking off), with their shares: short ones are to improve too."""
RIGHT, WRONG, MALFORMED = 1.0, 0.0, -0.5
CALL = re.compile(r"<tool_call>\n<function=(\w+)>\n(?:<parameter=expression>\n(.*?)\n</parameter>\n)?</function>\n</tool_call>", re.S)
MOST_CALLS = 4


@dataclass(frozen=True)
class Task:
    """One problem under one limit, as the model is asked it."""

    problem: Problem
    limit: int | None
    prompt: list[int]

    @property
    def bucket(self) -> tuple[str, int]:
        return self.problem.family, self.problem.difficulty


class FamilyEnvironment:
    """A family of tasks, with the tools that its problems offer."""

    def __init__(self, family: str, tokenizer: Tokenizer) -> None:
        self.name = family
        self.tokenizer = tokenizer

    def draw(self, rng: random.Random, difficulty: int, limit: int | None) -> Task:
        """A problem of the training side in wide phrasing."""
        return self.task_of(registry.sample(self.name, rng, difficulty, "train", "wide"), limit)

    def task_of(self, problem: Problem, limit: int | None) -> Task:
        """The problem as the model is asked it."""
        tools = [chat_format.TOOLS[name] for name in problem.tools]
        question = problem.turns[0]["content"] if problem.turns else problem.question
        text = chat_format.render([{"role": "user", "content": question}], tools, add_generation_prompt=True, enable_thinking=limit != 0)
        return Task(problem, limit, self.tokenizer.encode(text, add_special_tokens=False).ids)

    def reply_to_call(self, task: Task, turn: str) -> str | None:
        """What stands after a turn that calls a tool, up to where the model goes on; None after a turn that calls none."""
        found = CALL.search(turn)
        if found is None or not task.problem.tools:
            return None
        result = _run(task.problem, found[1], found[2])
        opened = chat_format.PROMPT_NO_THINKING if task.limit == 0 else chat_format.PROMPT_THINKING
        return f"\n{chat_format.IM_START}user\n<tool_response>\n{result}\n</tool_response>\n{chat_format.IM_END}\n{opened}"

    def reward(self, task: Task, turns: list[str]) -> float:
        """Of an episode that ended: RIGHT, WRONG, or MALFORMED where a thought is not closed once or nothing is answered."""
        for turn in turns:
            if turn.count(chat_format.END_THINK) != (task.limit != 0):
                return MALFORMED
        answer = turns[-1].rpartition(chat_format.END_THINK)[2].strip()
        if not answer or "<tool_" in answer:
            return MALFORMED
        return RIGHT if registry.FAMILIES[self.name].check(task.problem, answer) else WRONG


def _run(problem: Problem, name: str, expression: str | None) -> str:
    """What a tool says: the clock what it says in the problem's own talk, so that the answer can be checked."""
    if name == "clock" and "clock" in problem.tools:
        for turn, result in zip(problem.turns, problem.turns[1:], strict=False):
            if any(call["name"] == "clock" for call in turn.get("tool_calls", ())):
                return str(result["content"])
        return "2024-01-01 12:00"
    if name == "calculator" and "calculator" in problem.tools and expression:
        try:
            return str(evaluate(expression.strip()))
        except (ValueError, SyntaxError, ZeroDivisionError, TypeError):
            return "error: this can't be read"
    return f"error: there is no tool {name}"


def environments(tokenizer: Tokenizer) -> dict[str, FamilyEnvironment]:
    """All of them, by name; one run mixes them."""
    return {family: FamilyEnvironment(family, tokenizer) for family in registry.FAMILIES}


def draw_limit(rng: random.Random) -> int | None:
    limits, shares = zip(*LIMITS, strict=True)
    return rng.choices(limits, shares)[0]

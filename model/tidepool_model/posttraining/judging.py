"""A judge that reads two replies in both orders; its word counts where it is the same in both (Nemotron-4 340B, arXiv 2406.11704, 3.2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Judge = Callable[[Sequence[tuple[str, str, str]]], list[bool]]
"""From (question, first reply, second reply) to whether the first is the better one."""


def consistent(judge: Judge, pairs: Sequence[tuple[str, str, str]]) -> list[bool | None]:
    """Whether the first reply is better; None where the judge changes its mind with the order."""
    forward = judge(pairs)
    backward = judge([(question, second, first) for question, first, second in pairs])
    return [first if first != second else None for first, second in zip(forward, backward, strict=True)]

"""What a topic of small talk is; the topics themselves are in ``topics``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """Something a person may say, in many ways, with replies and the thought before them."""

    name: str
    says: tuple[str, ...]
    replies: tuple[str, ...]
    thoughts: tuple[str, ...] = ()
    weight: float = 1.0

"""The template language of stories: what a plot is made of, and how one template is read.

- ``[one|two|three]`` picks one; may be nested, parts may be empty.
- ``{H}`` hero, ``{F}`` friend, ``{E}`` helper, ``{T}`` thing: introduced at the first mention
  ("a red fox named Pip"), known afterwards ("Pip", "the fox"). ``{Fnew}`` marks a sentence that
  is made to introduce; a sentence with a plain ``{F}`` is told only once F is known, if there
  is a choice.
- ``{he} {him} {his} {himself}`` hero, ``{fhe} ...`` friend, ``{ehe} ...`` helper,
  ``{phe} ...`` for ``{P}``, the grown-up at home ("Mom", "his father"); ``{his} {P}`` is "his mom".
- ``{slot}`` puts a word in, ``{a slot}`` puts it with a or an.
- ``+tag`` before a template sets a tag when it is told, ``?tag`` needs it, ``-tag`` forbids it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

Beat = tuple[str, ...] | str
"""Alternatives of which one is told, or a sentence that is always told; ``"\\n"`` ends a paragraph."""

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{([^{}]*)\}")
_TAG = re.compile(r"([+?-])(\w+) ")
_AN_WORDS = re.compile(r"(?:[aeio]|u(?!ni|se))", re.IGNORECASE)


def with_article(phrase: str) -> str:
    """Puts ``a`` or ``an`` before a phrase: by sound, for the words that stories use."""
    return ("an " if _AN_WORDS.match(phrase) else "a ") + phrase


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: slots of its own, beats that always come, then those of the chosen ending.

    ``slots``: name -> values, of which each story keeps one. ``ends``: happy, sad, surprising.
    """

    name: str
    middle: tuple[Beat, ...]
    ends: Mapping[str, tuple[Beat, ...]]
    slots: Mapping[str, tuple[str, ...]] = ()  # type: ignore[assignment]
    child: bool = False
    """Whether only a child can be the hero."""


@dataclass(frozen=True, slots=True)
class Template:
    text: str
    needs: frozenset[str]
    forbids: frozenset[str]
    sets: frozenset[str]
    known: frozenset[str]
    """Members of the cast that must have been introduced before."""


@lru_cache(maxsize=None)
def parse(raw: str) -> Template:
    """Reads a template's tags and slots."""
    tags: dict[str, set[str]] = {"+": set(), "?": set(), "-": set()}
    text = raw
    while match := _TAG.match(text):
        tags[match[1]].add(match[2])
        text = text[match.end() :]
    slots = set(SLOT.findall(text))
    known = frozenset(c for c in "FET" if c in slots and c + "new" not in slots)
    return Template(text, frozenset(tags["?"]), frozenset(tags["-"]), frozenset(tags["+"]), known)


def choose(template: str, rng: random.Random) -> str:
    """Writes out the choices of a template, inner ones first."""
    while "[" in template:
        template = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), template)
    return template

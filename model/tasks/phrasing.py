"""Turns a form (a format string) and its fields into a question; owns the casual variations.

Three phrasings: "train" are the plain forms with light dressing (half of the held-out problems use them), "wide" is what
training reads (those and the families' wide forms, under many openers, closers and manners), "test" is never trained on.
A wide form may hold choices in square brackets: "[Work out|Find] {e}[.|]" stands for four forms.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence

from tasks.words import NAMES

PHRASINGS = ("train", "wide", "test")
GREETINGS = ("hey, ", "hi, ", "ok, ", "quick question: ", "um, ")
POLITE = ("Please help. ", "Hello! ", "I have a question. ", "Hi. ", "One more. ")

# What may stand before and after any question; none of them says anything that a thought could use.
OPENERS = (
    "[Hey|Hi|Hello|Hi there|Hello again|Good morning|Good evening][!|.|,]", "[OK|So|Well|Right|Now|Next|Um|And now|Now then|Let's see|Hm][,|:|.]",
    "[Please help|Help me|Help me out|I need help|I need some help|Can you help|Could you help me]{end}", "[Small|Easy|Little|Hard|Simple] question[:|.]",
    "I have [a problem|a task|something to ask|one more question|a puzzle][.|:| for you.]", "I [am stuck|am not sure|wonder|can't do this|am curious|forgot this][.|:]",
    "[Tell me|Tell me this|Say|Think|Look|Listen|Try this|Read this|Answer this|Solve this|Do this for me][.|:]",
    "[This is|Here is] [a puzzle|a game|my task|my question|a small problem|the next one|a tricky one][.|:]", "I [want|would like|need|have] to know[:|.|,]",
    "My [brother|sister|class|grandma|uncle|son|daughter] [wants to know|can't do this|needs this][:|.]", "[Another|And another|Another one|The next one|Number two|One last thing][:|.]",
    "[Thanks for your help|You are good at this|I like this|That was nice|Great][.|!]", "[Take your time|No hurry|Slowly][,|:|.]",
    "[Question|Problem|Task|Exercise|Puzzle|Q][:|.]", "[I am learning this|We do this in class|It is late|I am in a hurry][.|!]",
)
CLOSERS = (
    "[Thanks|Thank you|Many thanks|Thanks a lot|Please|Bye]{end}", "[Tell me|Tell me please|Help me|Think first|Think well|Be careful|Go slowly][.|!]",
    "What do you [think|say|get|find]?", "[Can|Could] you [tell me|do that|help|find out|say]?", "I [need|want|can't find|have to know] [the answer|it|this][.|!]",
    "[It is for|This is for] [school|a game|my class|a test|fun][.|!]", "Do you know[ it| that| this|]?", "[Step by step|Show me how|Just the answer|Be quick][.|!| please.]",
)
END_MARKS = ("!", ".")

KEEPS_CAPITAL = frozenset(NAMES) | frozenset(
    "I Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December English Mamba".split()
)
CHOICE = re.compile(r"\[([^\]]*)\]")


def vary(rng: random.Random, form: str) -> str:
    """The form with one alternative chosen in each pair of square brackets."""
    return CHOICE.sub(lambda found: rng.choice(found[1].split("|")), form) if "[" in form else form


def expand(forms: Sequence[str]) -> list[str]:
    """All forms that the choices in `forms` stand for."""
    texts: list[str] = []
    for form in forms:
        pieces = CHOICE.split(form)  # odd ones are choices
        texts += map("".join, itertools.product(*(piece.split("|") if at % 2 else (piece,) for at, piece in enumerate(pieces))))
    return texts


def capital(text: str) -> str:
    """The text with a large first letter, the rest as it is."""
    return text[0].upper() + text[1:]


def lower_start(text: str) -> str:
    """The text with a small first letter, unless it begins with a name, a weekday, a month or "I"."""
    first = re.match(r"[A-Za-z]*", text).group()
    return text if first in KEEPS_CAPITAL or first.isupper() and len(first) > 1 else text[0].lower() + text[1:]


def pick_form(rng: random.Random, phrasing: str, train: Sequence[str], test: Sequence[str], wide: Sequence[str] = ()) -> str:
    """Choose a form of the wanted phrasing; "wide" takes a wide form three times in five, where there are any."""
    if phrasing == "wide" and wide and rng.random() < 0.6:
        return vary(rng, rng.choice(wide))
    return rng.choice(test if phrasing == "test" else train)


def dress(rng: random.Random, text: str, phrasing: str, closer: bool = True) -> str:
    """Vary a training question's manner: lower case, no question mark, a greeting.

    Test questions keep their plain form, so that their difference is the form alone. `closer` False keeps
    words from being added after the question, where they could be taken for a part of it.
    """
    if phrasing == "test":
        return text
    if phrasing == "wide":
        return _dress_widely(rng, text, closer)
    draw = rng.random()
    if draw < 0.08:
        return text.lower()
    if draw < 0.13:
        return text.lower().rstrip("?.! ")
    if draw < 0.19:
        return text.rstrip("?. ")
    if draw < 0.25 and not text.lower().startswith("hey"):
        return rng.choice(GREETINGS) + lower_start(text)
    if draw < 0.31:
        return rng.choice(POLITE) + capital(text)
    return text


def _dress_widely(rng: random.Random, text: str, closer: bool) -> str:
    """An opener, a closer, small letters and a missing end mark, each drawn by itself."""
    if rng.random() < 0.38:
        opener = vary(rng, rng.choice(OPENERS)).format(end=rng.choice(END_MARKS))
        text = f"{opener} {lower_start(text) if opener[-1] in ',:' and rng.random() < 0.6 else capital(text)}"
    if closer and rng.random() < 0.16:
        text = f"{text if text[-1] in '?.!' else text + '.'} {vary(rng, rng.choice(CLOSERS)).format(end=rng.choice(END_MARKS))}"
    if rng.random() < 0.14:
        text = text.lower()
    if rng.random() < 0.12:
        text = text.rstrip("?.! ")
    return text


def join_and(items: Sequence[object]) -> str:
    """"1, 2 and 3" from a sequence."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def check_request(difficulty: int, phrasing: str) -> None:
    """Refuse a difficulty outside 1..5 and a phrasing other than the three."""
    if not 1 <= difficulty <= 5:
        raise ValueError(f"difficulty is {difficulty}; use 1 to 5")
    if phrasing not in PHRASINGS:
        raise ValueError(f"phrasing is {phrasing!r}; use {', '.join(PHRASINGS)}")

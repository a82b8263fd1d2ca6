"""Whether a paraphrase is still the same problem: numbers and names kept, no word that may mean more, and the answer read out of it anew.

A reader here is no solver of the recipe: it knows words of adding, taking away and comparing, and gives up (None) where it finds none.
What it can't read is refused, so that a row is taught only where the answer follows from its own words. A reader alone is fooled ("the
largest multiple of 12 and 7" has both numbers and a largest), so each word must be one that the family asks with, or mean nothing here.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from tasks import registry
from tasks.checking import numbers_in
from tasks.phrasing import CLOSERS, OPENERS
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS
from tasks.words import NAMES, THINGS

NAME = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
ADD = re.compile(r"\b(?:plus|sum|add|adds|added|adding|total|altogether|together|combine|in all)\b|\+", re.I)
SUBTRACT = re.compile(r"\b(?:minus|subtract\w*|difference|take away|taken? (?:from|away|off)|less than|deduct\w*|remove\w*)\b|(?<=[\d ])[-−](?= ?\d)", re.I)
MULTIPLY = re.compile(r"\b(?:times|multipl\w+|product)\b|[×*]|(?<=\d) ?x ?(?=\d)", re.I)
LARGEST = re.compile(r"\b(?:largest|biggest|greatest|highest|most|larger|bigger|greater|higher|maximum)\b", re.I)
SMALLEST = re.compile(r"\b(?:smallest|lowest|least|smaller|lower|minimum|less)\b", re.I)
FROM = re.compile(r"\bfrom\b", re.I)

GAIN = re.compile(r"\b(?:gets?|got|finds?|found|buys?|bought|receives?|received|is given|was given|gains?|picks? up|collects?|added|add|earns?|wins?)\b", re.I)
LOSE = re.compile(r"\b(?:los[et]\w*|lost|gives? away|gave away|takes?|took|throws?|eats?|sells?|sold|spends?|drops?|are gone|get lost)\b", re.I)
GIVE = re.compile(r"\b(?:gives?|gave|sends?|sent|hands?|handed|passes)\b", re.I)
TIMES = re.compile(r"\btimes\b", re.I)
ASKED = re.compile(r"[^.!?]*\?|[^.!?]*\b(?:count|tell|say|find)\b[^.!?]*[.!?]", re.I)
ASKS = re.compile(r"\?|^(?:please )?(?:work|find|tell|say|give|add|take|subtract|multiply|compute|calculate|solve|show|name|compare|sum|count|do|write|determine|pick|figure)\b", re.I)
# Words that change nothing in a question about numbers, beside those that the recipe's forms have.
PLAIN = frozenset(
    "a an and are as at be been by can could did do does for from had has have he her his how i if in is it its just let's many me much my now of on or our please "
    "she so than that the their them then there these they this those to us was we were what what's when which who will with would you your it's".split()
)


@cache
def vocabulary(family: str) -> frozenset[str]:
    """Words that the family's training forms ask with, and the plain ones."""
    module = registry.FAMILIES[family]
    forms = [*getattr(module, "TRAIN_FORMS", ()), *OPENERS, *CLOSERS, *(form for forms in WIDE_FORMS[family].values() for form in forms)]
    things = [word for pair in THINGS for word in pair]
    signs = "plus minus times sum difference larger largest bigger biggest greater greatest higher highest smaller smallest lower lowest less least most multiplied product".split()
    return PLAIN | {word for text in (*forms, *things, *signs) for word in re.findall(r"[a-z']+", re.sub(r"\{\w+\}", " ", text.lower()))}


def keeps(original: str, paraphrase: str) -> str | None:
    """What a paraphrase lost or added, or None: the same numbers as often in the same order, the same names."""
    if numbers_in(original) != numbers_in(paraphrase):
        return "a number was lost, added or moved"
    if set(NAME.findall(original)) != set(NAME.findall(paraphrase)):
        return "a name was lost or added"
    words = Counter(re.findall(r"[a-z]+", paraphrase.lower()))
    if not words or len(paraphrase) > 2 * len(original) + 40:
        return "it is empty or far longer"
    if re.sub(r"\W", "", original.lower()) == re.sub(r"\W", "", paraphrase.lower()):
        return "nothing was changed"
    return None


def derive(family: str, text: str) -> str | None:
    """The answer as it follows from the words of a question, or None where they can't be read."""
    numbers = numbers_in(text)
    if not numbers:
        return None
    if family == "word_problems":
        return _story(text)
    if family == "comparison":
        up, down = LARGEST.search(text), SMALLEST.search(text)
        if len(numbers) < 2 or bool(up) == bool(down):
            return None
        return (max if up else min)(numbers, key=float)
    signs = [name for name, pattern in (("+", ADD), ("-", SUBTRACT), ("*", MULTIPLY)) if pattern.search(text)]
    if len(signs) != 1 or any("." in number for number in numbers):
        return None
    values = [int(number) for number in numbers]
    if signs == ["+"]:
        return str(sum(values))
    if len(values) != 2:
        return None
    if signs == ["*"]:
        return None if re.search(r"\bthan\b", text, re.I) else str(values[0] * values[1])  # "how many times larger is 88 than 2" divides
    first, second = values
    if re.search(r"difference|between", text, re.I):
        return str(abs(first - second))
    turned = re.search(r"(?:subtract|take|deduct|remove)\w*(?: away| off)? +-?\d[\d,]* +from|-?\d[\d,]* +(?:less than|taken from|subtracted from)", text, re.I)
    return str(second - first if turned else first - second)


def _story(text: str) -> str | None:
    """One owner's things from sentence to sentence."""
    asked = [found for found in ASKED.findall(text) if NAME.search(found) or "how many" in found.lower()]
    owner = (NAME.findall(asked[-1]) if asked else []) or NAME.findall(text)
    if not owner or len(set(NAME.findall(asked[-1] if asked else ""))) > 1:
        return None
    value: int | None = None
    for sentence in re.split(r"(?<=[.!?])\s+|, (?:and )?then |; ", text):
        numbers = numbers_in(sentence)
        if not numbers:
            continue
        if len(numbers) > 1 or "." in numbers[0]:
            return None
        number, names = int(numbers[0]), NAME.findall(sentence)
        if value is None:
            if (names and names[0] != owner[-1]) or LOSE.search(sentence) or GIVE.search(sentence):
                return None
            value = number
        elif TIMES.search(sentence):
            value *= number
        elif re.search(r"\bgives? away\b|\bgave away\b", sentence, re.I):
            value -= number
        elif GIVE.search(sentence):
            if not names:
                return None
            value += -number if names[0] == owner[-1] else number
        elif re.search(r"\b(?:equal\w*|shared?|split|piles?|each|twice|half)\b", sentence, re.I):
            return None
        elif LOSE.search(sentence) and not GAIN.search(sentence):
            value -= number
        elif GAIN.search(sentence) and not LOSE.search(sentence):
            value += number
        else:
            return None
    return None if value is None or value < 0 else str(value)


def is_same(problem: Problem, paraphrase: str) -> str | None:
    """Why a paraphrase is refused, or None where it is the same problem."""
    if (lost := keeps(problem.question, paraphrase)) is not None:
        return lost
    own = {word for word in re.findall(r"[a-z']+", problem.question.lower())} | {name.lower() for name in NAMES}
    if set(re.findall(r"[a-z']+", paraphrase.lower())) - vocabulary(problem.family) - own:
        return "it has a word that may mean something else"
    if not ASKS.search(paraphrase):
        return "it asks nothing"
    found = derive(problem.family, paraphrase)
    if found is None:
        return "the answer can't be read out of it"
    return None if float(found) == float(problem.gold) else "another answer follows from it"


def is_readable(problem: Problem) -> bool:
    """Whether the reader gets the answer out of the original, so that its verdict on a paraphrase means something."""
    found = derive(problem.family, problem.question)
    return found is not None and re.fullmatch(r"-?\d+(?:\.\d+)?", problem.gold) is not None and float(found) == float(problem.gold)

"""The same problem said otherwise: names of eight regions, other spellings, numbers as words. Owns no measurement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tasks.words import NAMES

OWN = "training's own names"
# Ten given names each, in Latin letters without accents. The first row is training's own.
REGIONS: Mapping[str, tuple[str, ...]] = {
    OWN: NAMES[:10],
    "West Africa": ("Kwame", "Amina", "Chidi", "Fatou", "Yaw", "Ngozi", "Sekou", "Adjoa", "Tunde", "Mariama"),
    "Middle East and North Africa": ("Yusuf", "Layla", "Khalid", "Noor", "Tariq", "Salma", "Hassan", "Zainab", "Walid", "Rania"),
    "South Asia": ("Arjun", "Priya", "Rohan", "Ananya", "Vikram", "Sunita", "Imran", "Kavya", "Deepak", "Nisha"),
    "East Asia": ("Wei", "Yuki", "Jun", "Xiu", "Haruto", "Minji", "Takeshi", "Lihua", "Seojun", "Sakura"),
    "South-East Asia": ("Putri", "Nguyen", "Budi", "Linh", "Somchai", "Dewi", "Thanh", "Malee", "Agus", "Siti"),
    "Latin America": ("Mateo", "Ximena", "Thiago", "Camila", "Joaquin", "Valeria", "Rafael", "Lucia", "Diego", "Marisol"),
    "Eastern Europe": ("Miroslav", "Katya", "Andrei", "Zuzana", "Pavel", "Ivana", "Bogdan", "Oksana", "Tomasz", "Milena"),
    "Pacific": ("Tane", "Moana", "Sione", "Leilani", "Tevita", "Mele", "Kimo", "Ana", "Semisi", "Hina"),
}

SPELLINGS: Mapping[str, Mapping[str, str]] = {
    "as written": {},
    "as in messages": {"what": "wat", "are": "r", "you": "u", "please": "pls", "have": "hav", "your": "ur", "people": "ppl", "because": "cuz", "with": "w", "and": "n", "does": "duz", "how": "hw"},
    "Scots": {"what": "whit", "how": "hoo", "many": "mony", "have": "hae", "has": "haes", "does": "daes", "do": "dae", "of": "o", "from": "fae", "to": "tae", "and": "an", "now": "noo", "more": "mair", "give": "gie", "gives": "gies", "are": "ar", "you": "ye", "with": "wi"},
    "a learner's English": {"a": "", "an": "", "the": "", "does": "", "do": "", "has": "have", "is": "be", "are": "be"},
}

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number: int) -> str:
    """A number below a million as English says it."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{ONES[number // 100]} hundred" + (f" and {in_words(number % 100)}" if number % 100 else "")
    if number < 1_000_000:
        return f"{in_words(number // 1000)} thousand" + (f" {in_words(number % 1000)}" if number % 1000 else "")
    raise ValueError(f"{number} has no name here; below a million are known")


def numbers_in_words(text: str) -> str:
    """The text with its whole numbers and signs as words."""
    text = re.sub(r"\s*([+×*])\s*(?=\d)", lambda found: {"+": " plus ", "×": " times ", "*": " times "}[found[1]], text)
    text = re.sub(r"(?<=\d)\s*[-−–]\s*(?=\d)", " minus ", text)
    return re.sub(r"\d+", lambda found: in_words(int(found[0])), text)


def respelt(text: str, words: Mapping[str, str]) -> str:
    """The text with words changed, their capitals kept."""

    def change(found: re.Match[str]) -> str:
        word = words[found[0].lower()]
        return word.capitalize() if found[0][0].isupper() and word else word

    if not words:
        return text
    changed = re.sub(rf"\b(?:{'|'.join(map(re.escape, words))})\b", change, text, flags=re.I)
    return re.sub(r"\s+", " ", changed).strip()


def names_of(text: str) -> list[str]:
    """The names of the recipe that stand in a text, each once, in order."""
    return list(dict.fromkeys(re.findall(rf"\b(?:{'|'.join(NAMES)})\b", text)))


def renamed(problem: Mapping[str, Any], region: str, turn: int) -> dict[str, Any]:
    """A problem of the evaluation with its names changed for those of a region, in question, gold and check alike.

    `turn` chooses where in the region's list to begin, so that all of them are used. Names in small letters stay.
    """
    found = names_of(problem["question"])
    theirs = REGIONS[region]
    if len(found) > len(theirs):
        raise ValueError(f"{len(found)} names, {region} has {len(theirs)}")
    new = {name: theirs[(turn + i) % len(theirs)] for i, name in enumerate(found)}
    change = lambda text: re.sub(rf"\b(?:{'|'.join(map(re.escape, new))})\b", lambda hit: new[hit[0]], text) if new else text
    check = {key: [change(v) for v in value] if isinstance(value, list) else change(value) for key, value in problem["check"].items()}
    return {**problem, "question": change(problem["question"]), "gold": change(problem["gold"]), "check": check}

"""Preference pairs in HelpSteer3's schema, read and written as they are published (nvidia/HelpSteer3, `preference`).

One JSON object a line: domain, language, context [{role, content}], response1, response2, overall_preference from -3 to 3
(negative: response1 is better, 0: a tie), individual_preference [{score, reasoning}] of up to three people. What is broken is named by row and field; the rest is read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROLES = ("system", "user", "assistant")
MOST = 3  # much better


@dataclass(frozen=True)
class Preference:
    context: tuple[dict[str, str], ...]
    responses: tuple[str, str]
    preference: int  # -3 … 3, below 0: the first is better
    domain: str = "general"
    language: str = "english"

    @property
    def chosen(self) -> str:
        return self.responses[self.preference > 0]

    @property
    def rejected(self) -> str:
        return self.responses[self.preference <= 0]


def read_preferences(path: Path) -> tuple[list[Preference], list[str]]:
    """The rows of a .jsonl or .jsonl.gz, and a sentence for each that is left out. FileNotFoundError where there is no such file."""
    rows: list[Preference] = []
    problems: list[str] = []
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8")
    for number, line in enumerate(text.split("\n"), 1):  # no splitlines: texts hold other ends of lines
        if not line.strip():
            continue
        try:
            rows.append(_checked(json.loads(line)))
        except json.JSONDecodeError as error:
            problems.append(f"{path.name}, row {number}: no JSON ({error.msg} at character {error.pos}); the row is left out")
        except ValueError as error:
            problems.append(f"{path.name}, row {number}: {error}; the row is left out")
    return rows, problems


def _checked(row: Any) -> Preference:
    if not isinstance(row, dict):
        raise ValueError(f"an object is wanted, not {type(row).__name__}")
    context = row.get("context")
    if isinstance(context, str):  # a bare question
        context = [{"role": "user", "content": context}]
    if not isinstance(context, list) or not context or not all(isinstance(m, dict) and m.get("role") in ROLES and isinstance(m.get("content"), str) for m in context):
        raise ValueError(f"context is no list of messages with a role of {', '.join(ROLES)} and a content")
    for name in ("response1", "response2"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise ValueError(f"{name} is missing or empty")
    score = _score(row.get("overall_preference"), "overall_preference")
    individual = row.get("individual_preference") or []
    if not isinstance(individual, list) or not all(isinstance(one, dict) for one in individual):
        raise ValueError("individual_preference is no list of objects with a score and a reasoning")
    for at, one in enumerate(individual):
        _score(one.get("score"), f"individual_preference[{at}].score")
    messages = tuple({"role": m["role"], "content": m["content"]} for m in context)
    return Preference(messages, (row["response1"], row["response2"]), score, str(row.get("domain", "general")), str(row.get("language", "english")))


def _score(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -MOST <= value <= MOST:
        raise ValueError(f"{name} is {value!r}, not a whole number from -{MOST} to {MOST}")
    return value


def write_preferences(path: Path, rows: Iterable[Preference]) -> None:
    """One line a row, in the published schema."""
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            line = {
                "domain": row.domain, "language": row.language, "context": list(row.context), "response1": row.responses[0],
                "response2": row.responses[1], "overall_preference": row.preference, "individual_preference": [],
            }  # fmt: skip
            out.write(json.dumps(line, ensure_ascii=False) + "\n")

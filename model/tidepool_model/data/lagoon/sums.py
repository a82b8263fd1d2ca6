"""Problems in words that people wrote (GSM8K's and MAWPS' training rows), with their steps as the thought."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from tasks.columns import short_steps

from ..chats.conversation import Message
from ..corpora import open_checked

SIGNS = {"+": "+", "-": "-", "*": "×", "/": "÷"}
LONGEST_STEPS = 320  # characters: three or four steps


def number(text: str) -> float:
    return float(text)


def shown(value: float) -> str:
    """4.0 -> 4, 2.5 -> 2.5."""
    return str(int(value)) if value == int(value) else f"{value:.2f}".rstrip("0").rstrip(".")


def _steps(a: float, sign: str, b: float, value: float) -> list[str]:
    """One step: in columns where whole numbers are too long for one line."""
    plain = f"{shown(a)} {sign} {shown(b)} = {shown(value)}."
    whole = all(part == int(part) and part >= 0 for part in (a, b, value)) and b > 0
    if not whole or sign == "÷" and b > 9 or a % 10 == b % 10 == 0:
        return [plain]
    return short_steps(int(a), sign, int(b))


def steps_of(prefix: str) -> tuple[list[str], float]:
    """`- 25000 * 1500 8` -> ["1500 × 8 = 12000.", "25000 - 12000 = 13000."] and its value."""
    tokens = prefix.split()
    lines: list[str] = []

    def read() -> float:
        token = tokens.pop(0)
        if token not in SIGNS:
            return number(token)
        a, b = read(), read()
        value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else 0.0}[token]
        lines.extend(_steps(a, SIGNS[token], b, value))
        return value

    return lines, read()


def worked_problems(folder: Path, rng: random.Random) -> Iterator[list[Message]]:
    """Questions over and over, nine tenths with their thought. Never reads a file for evaluation."""
    rows: list[tuple[str, str, str]] = []
    for line in open_checked(folder / "gsm8k/train.jsonl").splitlines():
        row = json.loads(line)
        steps = re.sub(r"(\d)\s*([*x])\s*(?=\d)", r"\1 × ", row["steps_plain"]).replace("/", " ÷ ")
        steps = re.sub(r"\s*([+=×÷])\s*", r" \1 ", re.sub(r"(?<=\d)-(?=\d)", " - ", steps))
        if len(steps) <= LONGEST_STEPS:
            rows.append((row["question"], steps, str(row["answer"])))
    mawps = [json.loads(line) for line in open_checked(folder / "svamp_mawps/mawps_train.jsonl").splitlines()]
    for row in mawps:
        lines, value = steps_of(row["equation_prefix"])
        if abs(value - float(row["answer"])) < 1e-3 and lines:
            rows += [(row["question"], "\n".join(lines), shown(value))] * 4  # few and like the sets that are measured
    while True:
        rng.shuffle(rows)
        for question, steps, answer in rows:
            reply: Message = {"role": "assistant", "content": rng.choice((f"The answer is {answer}.", f"That makes {answer}.", f"It is {answer}."))}
            if rng.random() < 0.9:
                reply["reasoning"] = steps
            yield [{"role": "user", "content": question}, reply]

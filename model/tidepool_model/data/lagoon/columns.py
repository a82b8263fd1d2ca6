"""Column arithmetic with its digits laid out, Lagoon's way of thinking: what is to be found has been written just before.

The families' thoughts (tasks/columns.py) take the digits straight out of two numbers, lowest first, and at the end put the
result together backwards. A model of single-digit tokens slips there (seen after 0.7 M taught tokens: `5489 + 4007` reads 9 and
7, then 8 and 0, then 4 and 0 again). Here the digits are listed from the right first, and each line ends with the result so far:

    From the right: 1 6 3 and 2 0 3.
    1 + 2 = 3: 3.
    6 + 0 = 6: 63.
    3 + 3 = 6: 663.
    So 361 + 302 = 663.
"""

from __future__ import annotations

import re

COLUMN = re.compile(r".*, write \d+(?:, (?:carry|borrow) \d+)?\.")
RESULT = re.compile(r"So (\d+) ([-+×]) (\d+) = \d+\.")


def from_the_right(value: int, width: int = 0) -> list[int]:
    return [int(digit) for digit in reversed(str(value).zfill(width))]


def add_lines(a: int, b: int) -> list[str]:
    width = max(len(str(a)), len(str(b)))
    top, bottom = from_the_right(a, width), from_the_right(b, width)
    lines, carry, result = [_listed(top, bottom)], 0, ""
    for place, (x, y) in enumerate(zip(top, bottom, strict=True)):
        total = x + y + carry
        is_last = place == width - 1
        result = f"{total if is_last else total % 10}{result}"
        lines.append(f"{x} + {y}{f' + {carry}' if carry else ''} = {total}{', carry 1' if total > 9 and not is_last else ''}: {result}.")
        carry = total // 10
    return lines


def subtract_lines(a: int, b: int) -> list[str]:
    """For a ≥ b ≥ 0."""
    top, bottom = from_the_right(a), from_the_right(b, len(str(a)))
    lines, borrow, result = [_listed(top, bottom)], 0, ""
    for x, y in zip(top, bottom, strict=True):
        below = x - borrow - y < 0
        start = x + 10 if below else x
        value = start - borrow - y
        result = f"{value}{result}"
        lines.append(f"{start} - {y}{' - 1' if borrow else ''} = {value}{', borrow 1' if below else ''}: {result}.")
        borrow = 1 if below else 0
    return lines


def times_lines(a: int, digit: int) -> list[str]:
    digits = from_the_right(a)
    lines, carry, result = [f"From the right: {' '.join(map(str, digits))}."], 0, ""
    for place, x in enumerate(digits):
        total = x * digit + carry
        is_last = place == len(digits) - 1
        result = f"{total if is_last else total % 10}{result}"
        step = f"{x} × {digit} = {x * digit}" + (f", {x * digit} + {carry} = {total}" if carry else "")
        lines.append(f"{step}{f', carry {total // 10}' if total > 9 and not is_last else ''}: {result}.")
        carry = total // 10
    return lines


def _listed(top: list[int], bottom: list[int]) -> str:
    return f"From the right: {' '.join(map(str, top))} and {' '.join(map(str, bottom))}."


def laid_out(thought: str) -> str:
    """The thought with every worked column in this form; all other lines stay."""
    lines: list[str] = []
    block: list[str] = []
    for line in thought.split("\n"):
        found = RESULT.fullmatch(line)
        if COLUMN.fullmatch(line):
            block.append(line)
            continue
        if found and block:
            lines += _worked(int(found[1]), found[2], int(found[3]))
        else:
            lines += block
        block = []
        lines.append(line)
    return "\n".join([*lines, *block])


def _worked(a: int, sign: str, b: int) -> list[str]:
    if sign == "+":
        return add_lines(a, b)
    if sign == "-":
        return subtract_lines(a, b)
    one = lambda value: len(str(value).rstrip("0")) <= 1  # a digit and zeros: the partial product of that digit
    top, by = (a, b) if one(b) and (len(str(a)) >= len(str(b)) or not one(a)) else (b, a)
    return times_lines(top, int(str(by)[0]))

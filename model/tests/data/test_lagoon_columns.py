"""Lagoon's columns say what the families' columns say, and every line of them is true."""

from __future__ import annotations

import random
import re

import pytest

from tasks.columns import short_steps
from tidepool_model.data.lagoon.columns import laid_out


@pytest.mark.parametrize("sign", ["+", "-", "×"])
def test_every_line_is_true_and_the_last_result_is_the_answer(sign: str) -> None:
    rng = random.Random(4)
    for _ in range(300):
        a, b = rng.randint(12, 10 ** rng.randint(2, 6)), rng.randint(2, 10 ** rng.randint(1, 3 if sign == "×" else 6))
        a, b = (max(a, b), min(a, b)) if sign == "-" else (a, b)
        before = "\n".join(short_steps(a, sign, b))
        after = laid_out(before)
        assert after.split("\n")[-1] == before.split("\n")[-1]
        assert "write" not in after
        for step, value in re.findall(r"((?:\d+ [-+×] )+\d+) = (\d+)", after):
            assert eval(step.replace("×", "*")) == int(value), (step, after)  # digits and signs alone get here
        blocks = re.split(r"From the right: ", after)[1:]
        assert blocks or len(str(a)) + len(str(b)) < 5
        for block in blocks:
            so_far = re.findall(r": (\d+)\.", block)
            said = re.search(r"So (\d+) ([-+×]) (\d+) = (\d+)\.", block)
            assert said and all(longer.endswith(shorter) for shorter, longer in zip(so_far, so_far[1:], strict=False)), after
            assert int(said[4]) == int(so_far[-1]) * 10 ** (len(said[4]) - len(so_far[-1].lstrip("0") or "0")), after


def test_digits_are_padded_to_one_length() -> None:
    assert laid_out("\n".join(short_steps(5489, "+", 83))).startswith("From the right: 9 8 4 5 and 3 8 0 0.\n9 + 3 = 12, carry 1: 2.\n8 + 8 + 1 = 17, carry 1: 72.")
    assert laid_out("\n".join(short_steps(104, "-", 91))).split("\n")[-2:] == ["1 - 0 - 1 = 0: 013.", "So 104 - 91 = 13."]


def test_other_lines_stay() -> None:
    thought = "Plan: 3, × 4.\n3 × 4 = 12.\n7 ÷ 4: write 1, rest 3.\nSo the largest is 91."
    assert laid_out(thought) == thought

"""What choosing in a pool gains: votes, the best by reward over all choices, and a reward that is fooled."""

from __future__ import annotations

import itertools
import random
import statistics

import pytest

from tidepool_model.posttraining.choosing import Reply, answer_of, by_draws, expected_best, majority, measure
from tidepool_model.posttraining.environments import RIGHT, WRONG

GOOD, BAD = Reply("It is 5.", RIGHT, 4), Reply("It is 4.", WRONG, 6)


def test_votes_and_choices_are_counted() -> None:
    assert answer_of("8 + 1 = 9.\n</think>\nThat is 9 apples.") == "9" and answer_of("Yes, it is.") == "yes it is"
    assert majority(["It is 4.", "It is 5.", "5", "x</think>5."]) == 1
    found = measure([([BAD, GOOD, BAD, BAD, *[GOOD] * 4], [0, 9, 0, 0, 1, 1, 1, 1]), ([BAD] * 8, [1.0] * 8)])
    shares = {name: value["share"] for name, value in found["right"].items()}  # type: ignore[attr-defined]
    assert shares == {"one": 0.3125, "any": 0.5, "bestOf4": 0.5, "majorityOf4": 0.0, "bestOf8": 0.5, "majorityOf8": 0.5}
    assert found["tokensEach"] == pytest.approx(5.4, abs=0.05) and found["pool"] == 8


def test_the_best_of_n_is_the_mean_over_all_choices() -> None:
    rng = random.Random(1)
    rewards = [float(rng.randint(0, 4)) for _ in range(7)]  # with equal ones
    values = [rng.random() for _ in range(7)]
    for size in range(1, 8):
        by_hand = []
        for chosen in itertools.combinations(range(7), size):
            most = max(rewards[i] for i in chosen)
            tied = [i for i in range(7) if rewards[i] == most]
            by_hand.append(statistics.fmean(values[i] for i in tied))  # equal rewards: any of them as often
        assert expected_best(rewards, values, size) == pytest.approx(statistics.fmean(by_hand))


def test_a_fooled_reward_rises_while_right_answers_fall() -> None:
    rng = random.Random(2)
    scored = []
    for _ in range(60):
        verdicts = [rng.random() < 0.5 for _ in range(32)]
        # It likes right answers a little, and one kind of wrong one far more.
        rewards = [rng.gauss(0.5 if right else 0.0, 1) + (4 if not right and rng.random() < 0.1 else 0) for right in verdicts]
        scored.append(([GOOD if right else BAD for right in verdicts], rewards))
    found = by_draws(scored)
    assert [one["n"] for one in found] == [1, 2, 4, 8, 16, 32]
    lifts = [one["lift"] for one in found]
    assert lifts == sorted(lifts) and lifts[0] == 0 and lifts[-1] > 1.5  # type: ignore[type-var, operator]
    assert found[0]["right"] == pytest.approx(0.5, abs=0.05) and found[-1]["right"] < 0.3  # type: ignore[operator]
    assert found[-1]["gain"] == pytest.approx(found[-1]["right"] - found[0]["right"], abs=2e-4)  # type: ignore[operator]
    assert found[-1]["gainInterval"][1] < 0 < found[-1]["liftInterval"][0]  # type: ignore[index]
    assert "bestOf32" in measure(scored)["right"]  # type: ignore[operator]

"""What choosing in a pool gains: votes, the best by reward over all choices, and a reward that is fooled."""

from __future__ import annotations

import itertools
import json
import random
import statistics
from pathlib import Path

import pytest

from tidepool_model.posttraining import curves
from tidepool_model.posttraining.choosing import Reply, answer_of, by_draws, expected_best, majority, measure, weighed
from tidepool_model.posttraining.environments import RIGHT, WRONG

GOOD, BAD = Reply("It is 5.", RIGHT, 4), Reply("It is 4.", WRONG, 6)


def test_votes_and_choices_are_counted() -> None:
    assert answer_of("8 + 1 = 9.\n</think>\nThat is 9 apples.") == "9" and answer_of("Yes, it is.") == "yes it is"
    assert majority(["It is 4.", "It is 5.", "5", "x</think>5."]) == 1
    found = measure([([BAD, GOOD, BAD, BAD, *[GOOD] * 4], [0, 9, 0, 0, 1, 1, 1, 1]), ([BAD] * 8, [1.0] * 8)])
    shares = {name: value["share"] for name, value in found["right"].items()}  # type: ignore[attr-defined]
    assert shares == {"one": 0.3125, "any": 0.5, "bestOf4": 0.5, "weighedOf4": 0.5, "majorityOf4": 0.0, "bestOf8": 0.5, "weighedOf8": 0.5, "majorityOf8": 0.5}
    assert found["tokensEach"] == pytest.approx(5.4, abs=0.05) and found["pool"] == 8


def test_agreement_and_reward_weigh_together() -> None:
    texts = ["It is 7.", "It is 8.", "8"]
    assert weighed(texts, [0.3, 0.0, 0.1]) == 2 and weighed(texts, [3.0, 0.0, 0.1]) == 0
    assert weighed(["x"], [-4.0]) == 0


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


def test_the_page_is_given_both_forms_and_nothing_of_a_run_before(tmp_path: Path) -> None:
    pool = [BAD, GOOD, BAD, BAD, *[GOOD] * 4]
    found = measure([(pool, [0, 9, 0, 0, 1, 1, 1, 1]), (pool, [3.0] * 8)])
    file, page = tmp_path / "best-of.json", tmp_path / "curves.json"
    file.write_text(json.dumps(found | {"byAttributes": {"byDraws": found["byDraws"]}}))
    curves.write(page, curves.choosing(file))
    written = json.loads(page.read_text())
    assert written["points"] == [] and written["tenths"] == found["byTenthOfReward"] and written["draws"]["problems"] == 2
    assert [form["id"] for form in written["draws"]["forms"]] == ["bradley-terry", "attributes"]
    assert [point["n"] for point in written["draws"]["forms"][0]["points"]] == [1, 2, 4, 8]
    assert written["draws"]["forms"][0]["points"][0] == {"n": 1, "right": 0.625, "interval": found["byDraws"][0]["interval"], "lift": 0}  # type: ignore[index]
    del found["byDraws"]  # as it was written before
    file.write_text(json.dumps(found))
    curves.write(page, curves.choosing(file))
    assert "draws" not in json.loads(page.read_text())

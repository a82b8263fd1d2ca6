"""The batched measurement judges as the families and the app do."""

from __future__ import annotations

import json
from pathlib import Path

from tidepool_model.evaluation.hybrid import is_right

FIXTURES = Path(__file__).resolve().parents[3] / "tests/fixtures/eval"


def test_a_fixture_problem_is_judged_as_its_family_does() -> None:
    for verdict in json.loads((FIXTURES / "verdicts.json").read_text()):
        problem = verdict | {"question": "", "difficulty": 1}
        assert all(is_right(problem, reply) for reply in verdict["right"]), verdict
        assert not any(is_right(problem, reply) for reply in verdict["wrong"]), verdict

"""The batched measurement judges as the families and the app do."""

from __future__ import annotations

import json
from pathlib import Path

from tidepool_model.evaluation import hybrid
from tidepool_model.evaluation.hybrid import is_right

FIXTURES = Path(__file__).resolve().parents[3] / "tests/fixtures/eval"


def test_a_fixture_problem_is_judged_as_its_family_does() -> None:
    for verdict in json.loads((FIXTURES / "verdicts.json").read_text()):
        problem = verdict | {"question": "", "difficulty": 1}
        assert all(is_right(problem, reply) for reply in verdict["right"]), verdict
        assert not any(is_right(problem, reply) for reply in verdict["wrong"]), verdict


def test_parts_of_several_runs_on_the_same_weights_stand_in_one_report(tmp_path: Path) -> None:
    rows = [[1, "addition", 1, "train", True, True, 9, 4], [2, "addition", 2, "test", False, True, 11, 4]]
    (tmp_path / "own-32.json").write_text(json.dumps({"limit": "32", "rows": rows, "samples": [], "seconds": 9}))
    (tmp_path / "recall.json").write_text(json.dumps({"1024": {"ours": 0.5, "smollm2": 0.25, "n": 24}, "seconds": 9}))
    before = {"n": 2, "overall": {"unlimited": 0.75}, "families": {"addition": {"unlimited": 0.75}}, "visitors": {"right": 41, "of": 60}, "conversion": {"mamba": 15}, "outside": {"multiarith": 0.1}}
    report = hybrid.joined(tmp_path, before)
    assert report["overall"] == {"unlimited": 0.75, "32": 0.5} and report["families"]["addition"] == {"unlimited": 0.75, "32": 0.5}
    assert list(report["overall"]) == ["32", "unlimited"]
    assert report["byPhrasing"]["test"] == {"32": 0.0} and report["visitors"]["right"] == 41 and report["outside"] == {"multiarith": 0.1}
    assert report["conversion"] == {"mamba": 15, "recall1024": {"ours": 0.5, "teacher": 0.25}}
    assert before["overall"] == {"unlimited": 0.75}

"""The table of systems after pretraining: one row each, in the contract's order, and nothing that cannot be."""

import json
import math

import pytest
from tidepool_model.posttraining.systems import FILE, IDS, record

ROW = {"model": "tidepool", "name": "accuracy", "before": 0.6, "after": 0.7, "interval": (0.65, 0.75), "command": "python -m x", "commit": "abc1234"}


def test_a_row_takes_the_place_of_the_one_before_and_rows_keep_their_order(tmp_path):
    file = tmp_path / "posttraining.json"
    record("judge", **ROW, file=file)
    record("grpo", **ROW, file=file)
    record("judge", **(ROW | {"before": None, "after": 0.66, "note": "few problems"}), file=file)
    rows = json.loads(file.read_text())["systems"]
    assert [row["id"] for row in rows] == ["grpo", "judge"]
    assert rows[1] == {
        "id": "judge", "model": "tidepool", "figure": {"name": "accuracy", "before": None, "after": 0.66, "interval": [0.65, 0.75]},
        "command": "python -m x", "commit": "abc1234", "note": "few problems",
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"system": "moon"}, "id"), ({"interval": (0.8, 0.7)}, "interval"), ({"after": math.nan}, "after"), ({"command": " "}, "command"), ({"model": ""}, "model")],
)
def test_what_cannot_be_is_refused_and_the_file_stays(tmp_path, change, field):
    file = tmp_path / "posttraining.json"
    record("grpo", **ROW, file=file)
    before = file.read_text()
    with pytest.raises(ValueError, match=field):
        record(**({"system": "grpo"} | ROW | change), file=file)
    assert file.read_text() == before


def test_the_shipped_table_has_known_rows():
    assert {row["id"] for row in json.loads(FILE.read_text())["systems"]} <= set(IDS)

"""Two checkpoints on the same problems: the paired difference, and a model that ends nothing right."""

import pytest
from tidepool_model.posttraining.compare import paired


def test_a_paired_difference_counts_what_changed_only():
    before, after = [True, False, False, True] * 10, [True, True, False, True] * 10
    found = paired(before, after)
    assert (found["before"], found["after"], found["difference"], found["problems"]) == (0.5, 0.75, 0.25, 40)
    low, high = found["interval"]
    assert 0 < low < 0.25 < high and high - 0.25 == pytest.approx(0.25 - low, abs=1e-3)
    same = paired(before, before)
    assert same["difference"] == 0 and same["interval"] == [0, 0]

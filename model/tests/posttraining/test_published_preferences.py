"""A file in the published schema of nvidia/HelpSteer3 (`preference`): read as it is, its broken rows named, both heads fitted on it.

The fixture's rows are written for this test; none is of the published set.
"""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest
import torch

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.data import tokenizer as tokenizers_
from tidepool_model.posttraining.preferences import read_preferences
from tidepool_model.posttraining.reward import Head, accuracy_by_domain, fit_attributes, fit_bradley_terry, pair_attributes, pair_states, read_pairs

FILE = Path(__file__).with_name("fixtures") / "helpsteer3-preference.jsonl"


def test_rows_are_read_as_published_and_broken_ones_named(tmp_path: Path) -> None:
    rows, problems = read_preferences(FILE)
    assert Counter(row.domain for row in rows) == {"general": 4, "code": 3, "stem": 3, "multilingual": 2}
    assert {row.language for row in rows} == {"english", "python", "javascript", "sql", "german", "spanish"}
    assert [len(row.context) for row in rows if len(row.context) > 1] == [5, 2, 3]  # turns before, a system message
    assert [row.preference for row in rows].count(0) == 1
    assert rows[1].chosen.startswith("Crabs and small fish") and rows[-1].chosen == "Oxygen."
    wanted = {
        4: "overall_preference is 5, not a whole number from -3 to 3", 6: "response2 is missing", 9: "response1 is missing or empty", 10: "no JSON",
        13: "context is no list of messages", 15: "overall_preference is 1.5", 19: "individual_preference[0].score is -9",
    }  # fmt: skip
    assert len(problems) == len(wanted)
    for problem, (number, said) in zip(problems, wanted.items(), strict=True):
        assert problem.startswith(f"{FILE.name}, row {number}: ") and said in problem and problem.endswith("the row is left out")
    packed = tmp_path / f"{FILE.name}.gz"
    packed.write_bytes(gzip.compress(FILE.read_bytes()))
    assert read_preferences(packed)[0] == rows


def test_both_heads_are_fitted_on_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    torch.manual_seed(1)
    tokenizer = tokenizers_.load(tokenizers_.DEFAULT_DIR)
    model = HybridLM(preset("micro", tokenizer.get_vocab_size())).eval()
    pairs = read_pairs(FILE)
    assert len(pairs) == 11 and capsys.readouterr().err.count("the row is left out") == 7  # the tie is none
    chosen, rejected, magnitudes = pair_states(model, tokenizer, pairs)
    assert chosen.shape == rejected.shape == (11, model.config.hidden_size) and sorted(set(magnitudes.tolist())) == [1, 2, 3]
    head = fit_bradley_terry(chosen, rejected, magnitudes)
    attributes = fit_attributes(torch.cat([chosen, rejected]), pair_attributes(pairs), steps=60)
    for name, fitted in (("head", head), ("attributes", attributes)):
        fitted.save(tmp_path / name, "micro")
        again = Head.load(tmp_path / name, model.config.hidden_size)
        assert all(bool(part.isfinite().all()) for part in (again.weight, again.bias, again.reward(chosen)))
    counts = accuracy_by_domain(head, chosen, rejected, pairs)
    assert counts["all"][1] == 11 and counts["all"][0] >= 9 and set(counts) == {"all", "general", "code", "stem", "multilingual"}  # it fits what it was fitted on

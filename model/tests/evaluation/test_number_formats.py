"""What number formats cost, measured on `micro` over a little text: figures that hang together, faults with a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tidepool_model.evaluation import number_formats
from tidepool_model.export.packaged_weights import packaged_checkpoint

MICRO = Path(__file__).resolve().parents[3] / "public" / "models" / "micro"


@pytest.fixture()
def text(tmp_path: Path) -> Path:
    """Three of the held-out documents; every second piece counts."""
    documents = json.loads(number_formats.TEXT.read_text(encoding="utf-8"))[-3:]
    path = tmp_path / "text.json"
    path.write_text(json.dumps(documents), encoding="utf-8")
    return path


def test_each_format_is_measured_against_the_shipped_one(text: Path) -> None:
    found = number_formats.measure(MICRO, text)
    assert list(found) == ["int8", "int4 (GPTQ)", "NVFP4", "NVFP4, four over six"]
    assert all(figures["perplexity"] > 1 for figures in found.values())
    for name, figures in list(found.items())[1:]:
        assert 0 < figures["kl"] < 1 and 0 < figures["logitRms"] < 2 and 0.5 < figures["top1"] <= 1, name
    plain, better = found["NVFP4"], found["NVFP4, four over six"]
    assert 0.05 < better["weightError"] < plain["weightError"] < 0.12


def test_the_reference_differs_from_itself_by_nothing(text: Path) -> None:
    pieces = number_formats.read_pieces(MICRO, text)
    assert any(not piece.counts.all() for piece in pieces) and all(piece.counts.any() for piece in pieces)
    graph = number_formats.export_model(packaged_checkpoint(MICRO), number_formats.PlainFloatFormat()).SerializeToString()
    same, again = number_formats.OnnxRunner(graph), number_formats.OnnxRunner(graph)
    assert number_formats.compare(same, again, pieces[:1]) == pytest.approx({"kl": 0, "top1": 1, "logitRms": 0})


def test_a_missing_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["number_formats", "--model", str(tmp_path)])
    assert number_formats.main() == 1
    assert "package a model there first" in capsys.readouterr().err

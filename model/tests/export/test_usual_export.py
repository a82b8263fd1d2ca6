"""What transformers.js' users would take instead: int8 and 4-bit files of a Llama, near the model that they were made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tidepool_model.architecture.config import ConfigError
from tidepool_model.architecture.hybrid_checkpoint import load_hybrid
from tidepool_model.export.onnx_runner import OnnxRunner
from tidepool_model.export.package_hybrid import TorchRunner
from tidepool_model.export.random_hybrid import MICRO, write_random_checkpoint
from tidepool_model.export.usual_export import write_usual

LLAMA = replace(MICRO, pattern="****")


def test_both_files_are_the_model_to_their_rounding(tmp_path: Path) -> None:
    write_random_checkpoint(LLAMA, tmp_path / "checkpoint")
    checkpoint = load_hybrid(tmp_path / "checkpoint")
    write_usual(checkpoint, tmp_path / "llama")
    assert not (tmp_path / "llama/model.onnx").exists()
    config = json.loads((tmp_path / "llama/config.json").read_text())
    assert config["layer_types"] == ["attention"] * 4 and "transformers.js_config" not in config
    state = {name: torch.from_numpy(value) for name, value in checkpoint.weights().items()}
    reference = TorchRunner(LLAMA, state)
    ids = np.random.default_rng(6).integers(0, LLAMA.vocab_size, 40)
    expected = reference.feed(ids)
    for name, least in (("model_quantized.onnx", 0.99), ("model_q4.onnx", 0.9)):
        runner = OnnxRunner(tmp_path / "llama/onnx" / name)
        got = np.concatenate([runner.feed(ids[:30]), runner.feed(ids[30:])])
        assert got.shape == expected.shape
        assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > least, name
        assert not np.array_equal(got, expected)


def test_a_hybrid_is_refused(tmp_path: Path) -> None:
    write_random_checkpoint(MICRO, tmp_path / "checkpoint")
    with pytest.raises(ConfigError, match="name a checkpoint of the base model"):
        write_usual(load_hybrid(tmp_path / "checkpoint"), tmp_path / "out")

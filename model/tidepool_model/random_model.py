"""A packaged model of a preset's shape with random weights: what speed costs at a size that is not trained yet.

    python -m tidepool_model.random_model --preset base --out FOLDER

Its words mean nothing. Never ship it; the benchmark keeps it under .cache/.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from .config import PRESETS, preset
from .model import HybridLM, save_pretrained
from .package import Options, package

TOKENIZER = Path(__file__).resolve().parent.parent / "tokenizer"
SPECIAL = {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0}  # as the shipped tokenizer numbers them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="base")
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint"
        save_pretrained(HybridLM(preset(options.preset)), checkpoint, SPECIAL, {"preset": options.preset, "weights": "random"})
        # Random weights round badly; how near a variant is to float32 says nothing here.
        package(checkpoint, options.out, Options(("q4", "quantized"), TOKENIZER, agreement=0.0))


if __name__ == "__main__":
    main()

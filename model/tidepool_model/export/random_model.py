"""A packaged model of a preset's shape with random weights: what speed costs at a size that is not trained yet.

    python -m tidepool_model.export.random_model --preset base --out FOLDER

Its words mean nothing. Never ship it; the benchmark keeps it under .cache/.

Rows of tokens that are no text by themselves (part of a character, or a mark of the chat form) are a thousandth as
large, so that greedy decoding does not draw them: wllama 3.8.1 fails on a reply that is not UTF-8.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer

from ..architecture.config import PRESETS, preset
from ..architecture.model import HybridLM, save_pretrained
from .package import Options, package

TOKENIZER = Path(__file__).resolve().parents[2] / "tokenizer"
SPECIAL = {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0}  # as the shipped tokenizer numbers them


def tokens_without_text(tokenizer: Tokenizer) -> list[int]:
    """Ids whose own bytes are no UTF-8, and ids of the chat form's marks."""
    marks = set(tokenizer.get_added_tokens_decoder())
    ids = range(tokenizer.get_vocab_size())
    return [i for i in ids if i in marks or "\ufffd" in tokenizer.decode([i], skip_special_tokens=False)]


def random_weights(name: str) -> HybridLM:
    """A preset's shape, always with the same weights."""
    torch.manual_seed(1)
    model = HybridLM(preset(name))
    hidden = tokens_without_text(Tokenizer.from_file(str(TOKENIZER / "tokenizer.json")))
    with torch.no_grad():
        for weight in {model.model.embeddings.weight, model.lm_head.weight}:  # one and the same where they are tied
            weight[hidden] *= 1e-3
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="base")
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint"
        save_pretrained(random_weights(options.preset), checkpoint, SPECIAL, {"preset": options.preset, "weights": "random"})
        # Random weights round badly; how near a variant is to float32 says nothing here.
        package(checkpoint, options.out, Options(("q4", "quantized"), TOKENIZER, agreement=0.0))


if __name__ == "__main__":
    main()

"""Owns the way from a packaged model to a folder that `transformers serve` loads, with exactly the weights that are shipped.

    python -m tidepool_model.export.serve_folder --model ../public/models/tidepool --out FOLDER
    transformers serve FOLDER --enable-cors
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from ..architecture.checkpoint_reader import CheckpointError
from .packaged_weights import packaged_checkpoint

# How transformers takes a reply apart (its "response template"); the prompt opens the thought, so the prefix counts.
RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
        "content": {"close_pattern": r"\s*(?:<\|im_end\|>|<\|endoftext\|>)", "content": "text"},
    },
}


def write_folder(model: Path, out: Path) -> None:
    """Writes weights (float32), config, tokenizer and template. CheckpointError when the model can't be read back."""
    checkpoint = packaged_checkpoint(model)
    out.mkdir(parents=True, exist_ok=True)
    tensors = dict(checkpoint.tensors)
    if checkpoint.shape.tie_word_embeddings:
        # Hugging Face's NemotronH does not tie by itself.
        tensors["lm_head.weight"] = tensors["model.embeddings.weight"].copy()
    save_file({name: np.ascontiguousarray(t, np.float32) for name, t in tensors.items()}, out / "model.safetensors", {"format": "pt"})
    for name in ("config.json", "generation_config.json", "tokenizer.json", "chat_template.jinja"):
        shutil.copyfile(model / name, out / name)
    tokenizer = json.loads((model / "tokenizer_config.json").read_text())
    tokenizer["response_template"] = RESPONSE_TEMPLATE
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=2) + "\n")


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a packaged model's folder")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        write_folder(options.model, options.out)
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

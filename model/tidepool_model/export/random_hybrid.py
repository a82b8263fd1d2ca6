"""A packaged hybrid of a few thousand weights that mean nothing: what the app's tests run in Lagoon's place.

    python -m tidepool_model.export.random_hybrid ../public/models/micro-hybrid
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from ..architecture.hybrid_llama import HybridLlama, HybridLlamaConfig
from .package_hybrid import CHAT_FORM, HybridOptions, package_hybrid

MICRO = HybridLlamaConfig(
    "*M*M", vocab_size=4096, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
    mamba_n_heads=4, mamba_d_head=16, mamba_d_state=16, max_position_embeddings=4096,
)  # fmt: skip
PART_BYTES = 265_000  # just over the embedding: the rest is two parts more


def write_random_checkpoint(config: HybridLlamaConfig, folder: Path, seed: int = 3, tokenizer: Path = CHAT_FORM / "tokenizer.json") -> HybridLlama:
    """A checkpoint folder of random weights about as large as trained ones, every vector away from its neutral start."""
    torch.manual_seed(seed)
    model = HybridLlama(config)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "embed" in name or "norm" in name:
                tensor.copy_(torch.randn_like(tensor) * 0.3 + (1.0 if "norm" in name else 0.0))
            elif tensor.dim() > 1:
                tensor.copy_(torch.randn_like(tensor) * tensor.shape[-1] ** -0.5)
            else:
                tensor.add_(0.2 * torch.randn_like(tensor))
    config.save(folder)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, folder / "model.safetensors")
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    return model.eval()


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = Path(temporary) / "micro-hybrid"
        write_random_checkpoint(MICRO, checkpoint)
        # Random weights round badly; how near a variant is to float32 says nothing here.
        package_hybrid(checkpoint, Path(sys.argv[1]), HybridOptions(agreement=0.0, provenance=("weights=random",), part_bytes=PART_BYTES))


if __name__ == "__main__":
    main()

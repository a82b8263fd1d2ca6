"""Which number type a processor multiplies fastest. Not here: who computes in it."""

from __future__ import annotations

import torch


def fastest_type(device: torch.device | str = "cpu") -> torch.dtype:
    """bfloat16 on a GPU and on CPUs that multiply it (AVX-512), else float32: with AVX2 alone bfloat16 is fifty times slower."""
    if torch.device(device).type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.bfloat16
    return torch.float32

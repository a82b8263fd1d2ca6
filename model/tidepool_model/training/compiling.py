"""What torch.compile must be told on a CPU before it compiles a model. Not here: what is compiled."""

from __future__ import annotations

import torch._inductor.config


def use_narrow_vectors() -> None:
    """Compiled CPU code with vectors of 256 bits.

    PyTorch 2.15's AVX-512 code for the backward pass of a Mamba mixer with document starts gave NaN on a Xeon of 2023 (model
    207), eager code and 256 bits do not; a mixer takes as long either way, since matrix products are not inductor's code.
    """
    torch._inductor.config.cpp.simdlen = 256

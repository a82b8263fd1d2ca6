"""What several tests of this room share: the shipped tokenizer and a drawn `micro`."""

from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.data import tokenizer as tokenizers_


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizers_.load(tokenizers_.DEFAULT_DIR)


@pytest.fixture(scope="module")
def model(tokenizer: Tokenizer) -> HybridLM:
    torch.manual_seed(1)
    return HybridLM(preset("micro", tokenizer.get_vocab_size())).eval()

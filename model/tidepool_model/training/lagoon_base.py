"""Lagoon's start: the base model with the kept vocabulary, the tokenizer, and the rows that the conversion reads.

    python -m tidepool_model.training.lagoon_base WORK --corpora DIR

Writes WORK/base.pt (float32), WORK/tokenizer.json, WORK/{plain,chat}{,_held}.npy; prints the base model's perplexity on the
held-out rows, so that a wrong reading of its file shows at once.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..architecture.hybrid_checkpoint import load_base
from ..architecture.hybrid_llama import HybridLlama
from ..convert.gguf import fetch_gguf, read_llama, read_tokenizer
from ..convert.vocabulary import count_tokens, cut_embedding, keep_vocabulary, like_their_letters, rows_of
from ..data.chat_format import SPECIAL_TOKENS
from ..data.lagoon.rows import weighted_texts, write_rows

KEPT_TOKENS = 32768  # of 49,152: 99.8 % of the weighted tokens of the corpora; the other rows would cost 10 MB
HIGHEST_PERPLEXITY = 40.0  # of the base model on plain rows: 20 is usual, a wrong permutation gives hundreds


@torch.no_grad()
def perplexity(model: HybridLlama, rows: Tensor) -> float:
    """exp of the mean negative log-likelihood of rows (n, 513)."""
    total = 0.0
    for row in rows:
        hidden, _ = model.hidden(row[None, :-1])
        total -= float(model.logits(hidden)[0].float().log_softmax(-1).gather(1, row[1:, None]).sum())
    return math.exp(total / (len(rows) * (rows.shape[1] - 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--corpora", type=Path, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    gguf = fetch_gguf(args.work)
    state, _ = read_llama(gguf)
    full = read_tokenizer(gguf)
    kept = keep_vocabulary(full, count_tokens(full, weighted_texts(args.corpora)), KEPT_TOKENS, list(SPECIAL_TOKENS)).tokenizer
    kept.save(str(args.work / "tokenizer.json"))
    rows = rows_of(kept, full)
    state["embed_tokens.weight"] = cut_embedding(state["embed_tokens.weight"], rows, like_their_letters(kept, full, rows))
    torch.save(state, args.work / "base.pt")
    write_rows(kept, args.corpora, args.work)
    base = load_base(args.work / "base.pt")
    found = {name: perplexity(base, torch.from_numpy(np.load(args.work / f"{name}_held.npy").astype(np.int64))) for name in ("plain", "chat")}
    print(json.dumps({"perplexity": {name: round(value, 2) for name, value in found.items()}, "tokens": KEPT_TOKENS}))
    if found["plain"] > HIGHEST_PERPLEXITY:
        raise SystemExit(f"{gguf} reads as a model of perplexity {found['plain']:.0f} on plain text: its tensors were not read rightly")


if __name__ == "__main__":
    main()

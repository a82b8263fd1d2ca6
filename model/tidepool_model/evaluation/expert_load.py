"""Which experts take digits, names and verbs: the share of a kind's choices that each expert of each layer gets.

    python -m tidepool_model.evaluation.expert_load CHECKPOINT --data DIR

Over packed rows of a stage of data.build, all their tokens. A token is of a kind by its text alone: digits only; a name of the tasks or
one of the verb forms that their texts use most; all else is other.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer

from tasks.words import NAMES

from ..architecture.config import ConfigError
from ..architecture.model import CheckpointError, HybridLM, document_mask, load_pretrained
from ..data.packing import DataError, PackedStage

KINDS = ("digits", "names", "verbs", "other")
VERBS = frozenset(
    "is are was were be has have had do does did gives gave give takes took take puts put moves moved move goes went go buys bought buy "
    "finds found find gets got get makes made make says said say sees saw see wants wanted want likes liked like eats ate eat starts "
    "started start ends ended end comes came come tells told tell looks looked look sells sold sell spends spent spend adds added add "
    "costs cost need needs count spell sort left lost write".split()
)

Load = dict[str, dict[str, dict[str, float]]]


def kind_of(text: str) -> str:
    """The kind of a token by its text."""
    word = text.strip()
    if word.isdigit():
        return "digits"
    if word in NAMES:
        return "names"
    return "verbs" if word.lower() in VERBS else "other"


@torch.no_grad()
def load_by_kind(model: HybridLM, stage: PackedStage, kinds: torch.Tensor, rows: int, length: int = 512) -> Load:
    """layer -> expert -> kind -> share of the kind's choices; `kinds` (vocab,) int64 into KINDS. Over the first `rows` rows."""
    model.eval()
    layers = {str(i): layer.mixer.gate for i, layer in enumerate(model.model.layers) if layer.letter == "E"}
    seen: dict[str, torch.Tensor] = {}
    hooks = [gate.register_forward_hook(lambda _, __, weights, name=name: seen.__setitem__(name, weights > 0)) for name, gate in layers.items()]
    sums = {name: torch.zeros(len(KINDS), gate.weight.shape[0]) for name, gate in layers.items()}
    source = stage.batches(4, length, seed=0)
    for _ in range(max(1, rows // 4)):
        batch = next(source)
        model.model(batch.tokens, batch.starts, document_mask(batch.starts))
        of = kinds[batch.tokens]  # (rows, length)
        for name in layers:
            for kind in range(len(KINDS)):
                sums[name][kind] += seen[name][of == kind].float().sum(0)
    for hook in hooks:
        hook.remove()
    shares = {name: found / found.sum(-1, keepdim=True).clamp(min=1) for name, found in sums.items()}
    return {
        name: {str(e): {kind: round(float(share[k, e]), 4) for k, kind in enumerate(KINDS)} for e in range(share.shape[1])}
        for name, share in shares.items()
    }


def main() -> int:
    """Command line: the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--stage", default="sft")
    parser.add_argument("--rows", type=int, default=48)
    options = parser.parse_args()
    try:
        tokenizer = Tokenizer.from_file(str(options.data / "tokenizer.json"))
        texts = [tokenizer.decode([token], skip_special_tokens=False) for token in range(tokenizer.get_vocab_size())]
        kinds = torch.tensor([KINDS.index(kind_of(text)) for text in texts])
        print(json.dumps(load_by_kind(load_pretrained(options.checkpoint), PackedStage(options.data, options.stage), kinds, options.rows)))
    except (CheckpointError, ConfigError, DataError) as error:
        print(f"expert_load: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

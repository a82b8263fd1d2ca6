"""The two models under measurement behind one interface: greedy replies, and log-probabilities of what follows a beginning."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from ...architecture.hybrid_checkpoint import round_to_grid
from ...architecture.hybrid_llama import HybridLlama
from ...architecture.model import HybridLM
from ...data import chat_format
from ...data.thought_boundary import boundary_tokens
from ...export.restore import restored_model
from ...export.unpack_hybrid import unpack
from ..hybrid import Subject

TOKENS_A_BATCH = 1536


def weights_of(folder: Path) -> str:
    """The first digits of the checksum of a model folder's manifest."""
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()[:12]


class Packaged(Subject):
    """What ships in a model folder, of either kind, in PyTorch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.model = _model_of(folder)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.end = self.tokenizer.token_to_id(chat_format.IM_END)
        self.end_think = self.tokenizer.token_to_id(chat_format.END_THINK)
        self.newline = self.encode("\n")
        self.boundaries = boundary_tokens(self.tokenizer)
        self.begin = [self.tokenizer.token_to_id(chat_format.END_OF_TEXT)]

    @property
    def weights(self) -> str:
        """Which weights these are."""
        return weights_of(self.folder)

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    @torch.no_grad()
    def log_probs(self, rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
        """Of each (beginning, rest): the sum of the rest's log-probabilities in nats. The beginning must not be empty."""
        found = [0.0] * len(rows)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
        while order:
            longest = len(rows[order[-1]][0]) + len(rows[order[-1]][1])
            taken, order = order[-max(1, TOKENS_A_BATCH // longest) :], order[: -max(1, TOKENS_A_BATCH // longest)]
            tokens = torch.zeros(len(taken), longest, dtype=torch.long)
            for row, index in enumerate(taken):
                ids = [*rows[index][0], *rows[index][1]]
                tokens[row, : len(ids)] = torch.tensor(ids)  # what is padded stands behind and is not seen
            model = self.model
            hidden, _ = model.hidden(tokens[:, :-1]) if isinstance(model, HybridLlama) else model.model(tokens[:, :-1])
            for row, index in enumerate(taken):
                start, end = len(rows[index][0]) - 1, len(rows[index][0]) + len(rows[index][1]) - 1
                said = model.logits(hidden[row, start:end]).float().log_softmax(-1)
                found[index] = float(said.gather(1, tokens[row, start + 1 : end + 1, None]).sum())
        return found

    def text_log_probs(self, texts: Sequence[str]) -> list[float]:
        """Of whole texts, as documents of their own, in nats."""
        return self.log_probs([(self.begin, self.encode(text)) for text in texts])

    def answers(self, questions: Sequence[str], limit: int | None = None) -> list[str]:
        """Greedy answers to lone questions, without their thoughts."""
        return [said.answer for said in self.ask([[{"role": "user", "content": question}] for question in questions], limit)]


def _model_of(folder: Path) -> HybridLM | HybridLlama:
    if "layer_types" not in (folder / "config.json").read_text():
        return restored_model(folder).eval()
    config, tensors, scales = unpack(folder)
    model = HybridLlama(config)
    model.load_state_dict(tensors)
    return round_to_grid(model, scales).to_fastest().eval()

"""Batched replies are what the model says one token after the other."""

from __future__ import annotations

import torch

from tidepool_model.architecture.batch_decode import Limit, write_replies
from tidepool_model.architecture.config import preset
from tidepool_model.architecture.hybrid_llama import HybridLlama, HybridLlamaConfig
from tidepool_model.architecture.model import HybridLM


def tiny() -> HybridLlama:
    torch.manual_seed(3)
    model = HybridLlama(
        HybridLlamaConfig("M*M", vocab_size=40, hidden_size=48, intermediate_size=64, num_attention_heads=3, num_key_value_heads=1, head_dim=16, mamba_n_heads=3, mamba_d_head=16, mamba_d_state=16, chunk_size=8)
    )
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.4)
    return model.eval()


@torch.no_grad()
def alone(model: HybridLlama, prompt: list[int], longest: int, stop: set[int]) -> list[int]:
    out: list[int] = []
    while len(out) < longest:
        hidden, _ = model.hidden(torch.tensor([prompt + out]))
        out.append(int(model.logits(hidden[0, -1]).argmax()))
        if out[-1] in stop:
            break
    return out


def test_batched_is_one_by_one() -> None:
    model = tiny()
    generator = torch.Generator().manual_seed(4)
    prompts = [torch.randint(0, 40, (length,), generator=generator).tolist() for length in (5, 9, 5, 9, 5, 5, 9)]
    stop = {7, 11, 23}
    found = dict(write_replies(model, prompts, 14, stop, batch=3))
    assert sorted(found) == list(range(len(prompts)))
    for index, prompt in enumerate(prompts):
        assert found[index] == alone(model, prompt, 14, stop), index
    assert len({len(reply) for reply in found.values()}) > 1  # rows ended at different times


@torch.no_grad()
def test_a_model_without_positions_is_batched_too() -> None:
    torch.manual_seed(5)
    model = HybridLM(preset("micro", 48)).eval()
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.2)
    generator = torch.Generator().manual_seed(6)
    prompts = [torch.randint(0, 48, (length,), generator=generator).tolist() for length in (4, 70, 9, 4, 33, 9)]
    stop = set(range(0, 48, 4))
    found = dict(write_replies(model, prompts, 16, stop, batch=3))
    for index, prompt in enumerate(prompts):
        out: list[int] = []
        while len(out) < 16 and not (out and out[-1] in stop):
            logits, _ = model(torch.tensor([prompt + out]))
            out.append(int(logits[0, -1].argmax()))
        assert found[index] == out, index
    assert len({len(reply) for reply in found.values()}) > 1


def test_a_thought_is_closed_within_limit_and_grace() -> None:
    model = tiny()
    prompt = [5, 6, 8]
    said = alone(model, prompt, 12, set())
    end = next(token for token in range(40) if token not in said)  # never said by itself
    close = [1, end, 1]

    def reply(tokens: int | None, is_boundary: bool) -> list[int]:
        limit = Limit(tokens, close=close, end_think=end, is_boundary=lambda token: is_boundary, grace=2)
        return dict(write_replies(model, [prompt], 12, {end + 100}, limit=limit))[0]

    assert reply(3, False)[:8] == [*said[:5], *close]  # three and a grace of two
    assert reply(3, True)[:6] == [*said[:3], *close]  # at once where a sentence ends
    assert reply(None, True) == said

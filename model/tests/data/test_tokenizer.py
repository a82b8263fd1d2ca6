"""The tokenizer: size, single digits and newlines, round trips, whole specials, determinism."""

from __future__ import annotations

import json

import pytest

from tidepool_model.data import chat_format, tokenizer as tk


@pytest.fixture(scope="module")
def tokenizer():
    return tk.load()


def test_size_and_special_ids(tokenizer):
    assert tokenizer.get_vocab_size() == tk.VOCAB_SIZE == 4096
    assert [tokenizer.token_to_id(t) for t in chat_format.SPECIAL_TOKENS] == list(range(len(chat_format.SPECIAL_TOKENS)))


def test_no_token_joins_a_digit_or_a_newline_with_anything(tokenizer):
    for text in tokenizer.get_vocab():
        if text in chat_format.SPECIAL_TOKENS:
            continue
        assert len(text) == 1 or not any(c.isdigit() and c.isascii() or c == "Ċ" for c in text), text


def test_digits_and_newlines_stand_alone(tokenizer):
    assert tokenizer.encode("x 1234\n\n5").tokens == ["x", "Ġ", "1", "2", "3", "4", "Ċ", "Ċ", "5"]


@pytest.mark.parametrize(
    "text", ["plain words", "Ünïcödé ñ", "😀👍🏽 日本語 Ж ع", "a  b\t\tc \n \n d", "don't 'x' I'll", "½ ٣ x² 1,000.50 $5", "", " lead", "\r\nwin"]
)
def test_round_trip(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_specials_are_whole(tokenizer):
    for special in chat_format.SPECIAL_TOKENS:
        assert len(tokenizer.encode(f"a{special}b").ids) == 3


def test_cut_close_is_three_tokens_after_any_text(tokenizer):
    close = tokenizer.encode(chat_format.CUT_CLOSE).ids
    assert len(close) == 3
    for thought in ("One.", "7 + 5 = 1", "So the ", "line\n", ""):
        assert tokenizer.encode(thought + chat_format.CUT_CLOSE + "Yes").ids[: -1] == tokenizer.encode(thought).ids + close


def test_training_is_deterministic(tmp_path):
    texts = ["Once upon a time there was a fox. " * 3, "12 + 34 = 46.\nYes.", "The owl said: go home, little fox!"] * 20
    first, second = tk.train(texts, 330), tk.train(texts, 330)
    assert first.to_str() == second.to_str()
    tk.save(first, tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["eos_token"] == "<|im_end|>" and config["chat_template"] == chat_format.CHAT_TEMPLATE
    assert tk.load(tmp_path).to_str() == first.to_str()


def test_saved_config_holds_the_current_template():
    config = json.loads((tk.DEFAULT_DIR / "tokenizer_config.json").read_text())
    assert config["chat_template"] == chat_format.CHAT_TEMPLATE
    assert (tk.DEFAULT_DIR / "chat_template.jinja").read_text() == chat_format.CHAT_TEMPLATE + "\n"


def test_missing_tokenizer_names_path_and_fix(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}.*--train-tokenizer"):
        tk.load(tmp_path)

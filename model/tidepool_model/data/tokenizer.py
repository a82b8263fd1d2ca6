"""The tokenizer: byte-level BPE with 4096 entries, every digit and every newline its own token.

Owns training, saving and loading. Does not own the text between messages (``chat_format``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from . import chat_format

VOCAB_SIZE = 4096
"""Small, so that embedding and head stay a small part of a model under 1 M parameters."""

# Written for both the oniguruma of `tokenizers` and JavaScript's RegExp with the u flag
# (transformers.js), so no inline flags and no possessive quantifiers. A digit and a newline
# never join anything: numbers read column by column, and a thought can be closed after any
# token by the same three tokens. A space before a digit stands alone.
SPLIT_PATTERN = (
    r"'(?:s|t|re|ve|m|ll|d)(?!\p{L})| ?\p{L}+|\p{N}|\n| ?[^\s\p{L}\p{N}]+|[^\S\n]+"
)

DEFAULT_DIR = Path(__file__).resolve().parents[2] / "tokenizer"


def train(texts: Iterable[str], vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """Trains on ``texts``; the same texts in the same order give the same tokenizer."""
    tokenizer = Tokenizer(BPE(unk_token=None, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(chat_format.SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def tokenizer_config(max_length: int = 4096) -> dict[str, object]:
    """What stands in ``tokenizer_config.json``; ``max_length`` in tokens is a hint to clients."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "bos_token": None,
        "eos_token": chat_format.IM_END,
        "pad_token": chat_format.PAD,
        "unk_token": None,
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        "chat_template": chat_format.CHAT_TEMPLATE,
    }


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes ``tokenizer.json``, ``tokenizer_config.json`` and ``chat_template.jinja``."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = json.dumps(tokenizer_config(), indent=2, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(config + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(chat_format.CHAT_TEMPLATE + "\n", encoding="utf-8")


def load(folder: Path | str = DEFAULT_DIR) -> Tokenizer:
    """Loads ``tokenizer.json`` from ``folder``; FileNotFoundError says how to make it."""
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"no tokenizer at {path}; make it with `python -m tidepool_model.data.build "
            "--train-tokenizer --corpora PATH`"
        )
    return Tokenizer.from_file(str(path))


def special_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token; ValueError if the tokenizer lacks it."""
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(f"the tokenizer has no token {token!r}; train it anew")
    return number

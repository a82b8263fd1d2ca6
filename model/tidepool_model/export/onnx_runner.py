"""Owns running an exported graph in onnxruntime on the CPU: empty states, pieces, carried state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

STATE_PREFIXES = ("past_conv.", "past_ssm.", "past_key_values.")


def present_name(past: str) -> str:
    """The output that follows an input in time: past_ssm.3 -> present_ssm.3, past_key_values.4.key -> present.4.key."""
    if past.startswith("past_key_values."):
        return "present." + past.removeprefix("past_key_values.")
    return "present_" + past.removeprefix("past_")


class OnnxRunner:
    """A session and the state it carries from one piece of a sequence to the next (batch of one)."""

    def __init__(self, model: bytes | str | Path, threads: int = 1, session_config: dict[str, str] | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        for key, value in (session_config or {}).items():
            options.add_session_config_entry(key, value)
        source = model if isinstance(model, bytes) else str(model)
        self.session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self.takes_positions = any(i.name == "position_ids" for i in self.session.get_inputs())
        self.state_names = [i.name for i in self.session.get_inputs() if i.name.startswith(STATE_PREFIXES)]
        self.reset()

    def reset(self) -> None:
        """Forgets everything: numeric dimensions as declared, the KV length 0."""
        self.seen = 0
        self.states: dict[str, np.ndarray] = {}
        for value in self.session.get_inputs():
            if value.name in self.state_names:
                shape = [1 if d == "batch_size" else 0 if isinstance(d, str) else d for d in value.shape]
                self.states[value.name] = np.zeros(shape, np.float16 if value.type == "tensor(float16)" else np.float32)

    def feed(self, ids: list[int] | np.ndarray, keep: int = 0) -> np.ndarray:
        """Runs one piece after all earlier ones; returns logits (kept, vocab), all tokens where keep is 0."""
        names = ["logits", *(present_name(n) for n in self.state_names)]
        logits, *states = self.session.run(names, self._feeds(ids, keep))
        self.states = dict(zip(self.state_names, states, strict=True))
        return logits[0]

    def observe(self, ids: list[int] | np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
        """Runs one piece for other outputs of the graph than logits and states; carries no state on."""
        return dict(zip(names, self.session.run(names, self._feeds(ids, 0)), strict=True))

    def _feeds(self, ids: list[int] | np.ndarray, keep: int) -> dict[str, np.ndarray]:
        array = np.asarray(ids, np.int64).reshape(1, -1)
        self.seen += array.shape[1]
        positions = {"position_ids": np.arange(self.seen - array.shape[1], self.seen, dtype=np.int64)[None]}
        return {
            "input_ids": array,
            "attention_mask": np.ones((1, self.seen), np.int64),
            "num_logits_to_keep": np.array(keep, np.int64),
            **(positions if self.takes_positions else {}),
            **self.states,
        }

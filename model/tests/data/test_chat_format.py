"""The chat format: exact text, and the jinja template giving the same for many message lists."""

from __future__ import annotations

import random

import jinja2
import pytest

from tidepool_model.data import chat_format as cf

TOOLS = [cf.TOOLS["calculator"], cf.TOOLS["clock"]]


def by_template(messages, tools=(), add_generation_prompt=False, enable_thinking=None, **environment):
    env = jinja2.Environment(**environment)
    env.globals["raise_exception"] = _raise
    values = {"messages": messages, "add_generation_prompt": add_generation_prompt}
    if tools:
        values["tools"] = tools
    if enable_thinking is not None:
        values["enable_thinking"] = enable_thinking
    return env.from_string(cf.CHAT_TEMPLATE).render(**values)


def _raise(message: str):
    raise ValueError(message)


def test_whole_conversation_is_written_exactly():
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Hello!", "reasoning": "A greeting."},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "4", "reasoning": "2 + 2 = 4."},
    ]
    assert cf.render(messages) == (
        "<|im_start|>system\n<|im_end|>\n"
        "<|im_start|>user\nhi<|im_end|>\n"
        "<|im_start|>assistant\n<think></think>Hello!<|im_end|>\n"
        "<|im_start|>user\n2 + 2?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n2 + 2 = 4.\n</think>\n4<|im_end|>\n"
    )


def test_tools_and_calls_are_written_exactly():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "12 * 3?"},
        {"role": "assistant", "content": "", "reasoning": "Use the tool.", "tool_calls": [{"name": "calculator", "arguments": {"expression": "12 * 3"}}]},
        {"role": "tool", "content": "36"},
    ]
    assert cf.render(messages, TOOLS, add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.\n\n# Tools\n<tools>\ncalculator(expression): works out an expression\n"
        "clock(): gives the date and the time\n</tools><|im_end|>\n"
        "<|im_start|>user\n12 * 3?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\nUse the tool.\n</think>\n<tool_call>\n<function=calculator>\n<parameter=expression>\n"
        "12 * 3\n</parameter>\n</function>\n</tool_call>\n<|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n36\n</tool_response>\n<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n"
    )


def test_generation_prompts_end_as_stated():
    messages = [{"role": "user", "content": "hi"}]
    assert cf.render(messages, add_generation_prompt=True).endswith("<|im_start|>assistant\n<think>\n")
    off = cf.render(messages, add_generation_prompt=True, enable_thinking=False)
    assert off.endswith("<|im_start|>assistant\n<think></think>")
    assert by_template(messages, add_generation_prompt=True).endswith(cf.PROMPT_THINKING)


def random_messages(rng: random.Random) -> list[dict[str, object]]:
    words = ["hi", "12 + 3", "", "two\nlines", "<b>&'\"", "😀 ñ", "{{ x }} {% if %}", " spaced "]
    messages: list[dict[str, object]] = []
    if rng.random() < 0.4:
        messages.append({"role": "system", "content": rng.choice(words)})
    for _ in range(rng.randint(1, 4)):
        messages.append({"role": "user", "content": rng.choice(words)})
        for _ in range(rng.randint(0, 2)):
            calls = [
                rng.choice(
                    (
                        {"name": "calculator", "arguments": {"expression": "(1 + 2) * 3"}},
                        {"type": "function", "function": {"name": "clock", "arguments": {}}},
                        {"function": {"name": "f", "arguments": {"a": 1, "b": "x\ny"}}},
                    )
                )
                for _ in range(rng.randint(1, 2))
            ]
            call: dict[str, object] = {"role": "assistant", "content": rng.choice(words), "tool_calls": calls}
            if rng.random() < 0.5:
                call["reasoning_content"] = "I need a tool."
            messages.append(call)
            messages += [{"role": "tool", "content": rng.choice(words)} for _ in calls]
        answer: dict[str, object] = {"role": "assistant", "content": rng.choice(words)}
        if rng.random() < 0.6:
            answer[rng.choice(("reasoning", "reasoning_content"))] = rng.choice(("First.\nThen.", "x", ""))
        messages.append(answer)
    return messages if rng.random() < 0.5 else messages[:-1]


@pytest.mark.parametrize("environment", [{}, {"trim_blocks": True, "lstrip_blocks": True}])
def test_template_equals_python(environment):
    rng = random.Random(4)
    for _ in range(200):
        messages = random_messages(rng)
        tools = rng.choice(([], TOOLS, TOOLS[:1]))
        prompt, thinking = rng.random() < 0.5, rng.random() < 0.5
        expected = cf.render(messages, tools, add_generation_prompt=prompt, enable_thinking=thinking)
        assert by_template(messages, tools, prompt, thinking, **environment) == expected


def test_unknown_role_is_an_error_in_both():
    messages = [{"role": "robot", "content": "x"}]
    with pytest.raises(ValueError, match="robot"):
        cf.render(messages)
    with pytest.raises(ValueError, match="robot"):
        by_template(messages)


def test_segments_name_the_assistants_own_words():
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "reasoning": "t"}]
    kinds = [(s.kind, s.text) for s in cf.segments(messages)]
    assert kinds[1:] == [("thought", "t"), ("close", cf.CUT_CLOSE), ("answer", "a<|im_end|>"), ("after", "\n")]

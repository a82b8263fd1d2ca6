"""The chat format: message lists to text in the Nemotron 3 form, as Python and as a jinja template.

Owns every string that stands between messages. Does not own tokens (``tokenizer``) or the
choice of what is trained on (``data``), though each piece of text says whether it is the
assistant's own.

The form, with ``enable_thinking`` (default) and without::

    <|im_start|>system\\n{system and tools}<|im_end|>\\n      always there, empty without a system text
    <|im_start|>user\\n{text}<|im_end|>\\n
    <|im_start|>assistant\\n<think>\\n{thought}\\n</think>\\n{answer}<|im_end|>\\n
    <|im_start|>assistant\\n<think></think>{answer}<|im_end|>\\n

A thought is kept only after the last user message; earlier ones become ``<think></think>``.

Cut thoughts: when a thinking budget is spent, whoever generates injects exactly ``CUT_CLOSE``
(``"\\n</think>\\n"``), wherever the thought stands: at a line end, mid-sentence, mid-number.
A newline is always a token of its own (see ``tokenizer``), so the injected tokens are
``["\\n", "</think>", "\\n"]`` after any cut, the same three that a natural close has.
Training saw this one string and no other, with no loss on it after a cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

END_OF_TEXT = "<|endoftext|>"
PAD = "<|pad|>"
IM_START = "<|im_start|>"
IM_END = "<|im_end|>"
THINK = "<think>"
END_THINK = "</think>"
SPECIAL_TOKENS: tuple[str, ...] = (
    END_OF_TEXT,
    PAD,
    IM_START,
    IM_END,
    THINK,
    END_THINK,
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
)

THINK_OPEN = f"{THINK}\n"
"""What the prompt ends with when thinking is on."""

CUT_CLOSE = f"\n{END_THINK}\n"
"""What is injected to end a thought whose budget is spent; also how a natural thought ends."""

NO_THINK = f"{THINK}{END_THINK}"
"""What the prompt ends with when thinking is off."""

PROMPT_THINKING = f"{IM_START}assistant\n{THINK_OPEN}"
PROMPT_NO_THINKING = f"{IM_START}assistant\n{NO_THINK}"

TOOLS: dict[str, dict[str, Any]] = {
    "calculator": {
        "type": "function",
        "function": {
            "name": "calculator",
            "description": "works out an expression",
            "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
        },
    },
    "clock": {
        "type": "function",
        "function": {
            "name": "clock",
            "description": "gives the date and the time",
            "parameters": {"type": "object", "properties": {}},
        },
    },
}
"""The tools that training knows, by name, as clients hand them to the template."""

Message = Mapping[str, Any]
Kind = Literal["prompt", "thought", "close", "answer", "after"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a conversation's text.

    ``kind``: ``prompt`` (given to the model), ``thought``, ``close`` (``CUT_CLOSE``),
    ``answer`` (with tool calls and ``<|im_end|>``), ``after`` (the newline after a turn).
    ``thought``, ``close`` and ``answer`` are the assistant's own.
    """

    text: str
    kind: Kind


def reasoning_of(message: Message) -> str | None:
    """The thought of an assistant message (``reasoning_content`` or ``reasoning``), or None."""
    thought = message.get("reasoning_content") or message.get("reasoning")
    return thought or None


def _signature(tool: Mapping[str, Any]) -> str:
    """One line for one tool: ``name(parameter, ...): description``."""
    function = tool.get("function", tool)
    properties = function.get("parameters", {}).get("properties", {})
    return f"{function['name']}({', '.join(properties)}): {function['description']}"


def tools_text(tools: Sequence[Mapping[str, Any]]) -> str:
    """The list of tools as it stands in the system turn: one short line each."""
    lines = "\n".join(_signature(tool) for tool in tools)
    return f"# Tools\n<tools>\n{lines}\n</tools>"


def _tool_call_text(call: Mapping[str, Any]) -> str:
    function = call.get("function", call)
    parameters = "".join(
        f"<parameter={name}>\n{value}\n</parameter>\n"
        for name, value in (function.get("arguments") or {}).items()
    )
    return f"<tool_call>\n<function={function['name']}>\n{parameters}</function>\n</tool_call>\n"


def segments(
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]] = (),
    *,
    add_generation_prompt: bool = False,
    enable_thinking: bool = True,
) -> list[Segment]:
    """Cuts a conversation into prompt and assistant pieces, in order.

    ``messages``: dicts with ``role`` (system first, user, assistant, tool), ``content`` and,
    for assistants, ``reasoning`` or ``reasoning_content`` and ``tool_calls``
    (``{"name", "arguments": {...}}`` or nested under ``function``).
    Raises ValueError on an unknown role.
    """
    out: list[Segment] = []
    pending = f"{IM_START}system\n"
    rest = list(messages)
    system = ""
    if rest and rest[0]["role"] == "system":
        system = rest[0].get("content") or ""
        rest = rest[1:]
    pending += system
    if tools:
        pending += ("\n\n" if system else "") + tools_text(tools)
    pending += f"{IM_END}\n"
    last_user = max((i for i, m in enumerate(rest) if m["role"] == "user"), default=-1)

    for i, message in enumerate(rest):
        role = message["role"]
        content = message.get("content") or ""
        if role == "user" or role == "system":
            pending += f"{IM_START}{role}\n{content}{IM_END}\n"
        elif role == "tool":
            if i == 0 or rest[i - 1]["role"] != "tool":
                pending += f"{IM_START}user\n"
            pending += f"<tool_response>\n{content}\n</tool_response>\n"
            if i + 1 == len(rest) or rest[i + 1]["role"] != "tool":
                pending += f"{IM_END}\n"
        elif role == "assistant":
            thought = reasoning_of(message) if i > last_user else None
            pending += f"{IM_START}assistant\n"
            if thought is None:
                out.append(Segment(pending + NO_THINK, "prompt"))
            else:
                out.append(Segment(pending + THINK_OPEN, "prompt"))
                out.append(Segment(thought, "thought"))
                out.append(Segment(CUT_CLOSE, "close"))
            answer = content
            calls = message.get("tool_calls") or ()
            if calls:
                answer += "\n" if content else ""
                answer += "".join(_tool_call_text(call) for call in calls)
            out.append(Segment(answer + IM_END, "answer"))
            out.append(Segment("\n", "after"))
            pending = ""
        else:
            raise ValueError(
                f"unknown role {role!r} in message {i}; use system, user, assistant or tool"
            )
    if add_generation_prompt:
        pending += PROMPT_THINKING if enable_thinking else PROMPT_NO_THINKING
    if pending:
        out.append(Segment(pending, "prompt"))
    return out


def render(
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]] = (),
    *,
    add_generation_prompt: bool = False,
    enable_thinking: bool = True,
) -> str:
    """The whole text of a conversation; the same as ``CHAT_TEMPLATE`` gives."""
    return "".join(
        s.text
        for s in segments(
            messages,
            tools,
            add_generation_prompt=add_generation_prompt,
            enable_thinking=enable_thinking,
        )
    )


# Kept to the filters and statements that @huggingface/jinja knows. It works with and
# without trim_blocks and lstrip_blocks, since every tag strips its own white space.
CHAT_TEMPLATE = r"""
{%- set enable_thinking = enable_thinking if enable_thinking is defined else true -%}
{%- if messages and messages[0].role == 'system' -%}
  {%- set system = messages[0].content if messages[0].content else '' -%}
  {%- set rest = messages[1:] -%}
{%- else -%}
  {%- set system = '' -%}
  {%- set rest = messages -%}
{%- endif -%}
{%- set ns = namespace(last_user=-1) -%}
{%- for message in rest -%}
  {%- if message.role == 'user' -%}
    {%- set ns.last_user = loop.index0 -%}
  {%- endif -%}
{%- endfor -%}
{{- '<|im_start|>system\n' + system -}}
{%- if tools -%}
  {{- '\n\n' if system else '' -}}
  {{- '# Tools\n<tools>\n' -}}
  {%- for tool in tools -%}
    {%- set function = tool.function if tool.function is defined else tool -%}
    {{- function.name + '(' -}}
    {%- if function.parameters is defined and function.parameters.properties is defined -%}
      {%- for name, value in function.parameters.properties | items -%}
        {{- name -}}{{- ', ' if not loop.last else '' -}}
      {%- endfor -%}
    {%- endif -%}
    {{- '): ' + function.description + '\n' -}}
  {%- endfor -%}
  {{- '</tools>' -}}
{%- endif -%}
{{- '<|im_end|>\n' -}}
{%- for message in rest -%}
  {%- set content = message.content if message.content else '' -%}
  {%- if message.role == 'user' or message.role == 'system' -%}
    {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>\n' -}}
  {%- elif message.role == 'tool' -%}
    {%- if loop.first or rest[loop.index0 - 1].role != 'tool' -%}
      {{- '<|im_start|>user\n' -}}
    {%- endif -%}
    {{- '<tool_response>\n' + content + '\n</tool_response>\n' -}}
    {%- if loop.last or rest[loop.index0 + 1].role != 'tool' -%}
      {{- '<|im_end|>\n' -}}
    {%- endif -%}
  {%- elif message.role == 'assistant' -%}
    {%- set thought = '' -%}
    {%- if message.reasoning_content is defined and message.reasoning_content -%}
      {%- set thought = message.reasoning_content -%}
    {%- elif message.reasoning is defined and message.reasoning -%}
      {%- set thought = message.reasoning -%}
    {%- endif -%}
    {{- '<|im_start|>assistant\n' -}}
    {%- if thought and loop.index0 > ns.last_user -%}
      {{- '<think>\n' + thought + '\n</think>\n' -}}
    {%- else -%}
      {{- '<think></think>' -}}
    {%- endif -%}
    {{- content -}}
    {%- if message.tool_calls is defined and message.tool_calls -%}
      {{- '\n' if content else '' -}}
      {%- for call in message.tool_calls -%}
        {%- set function = call.function if call.function is defined else call -%}
        {{- '<tool_call>\n<function=' + function.name + '>\n' -}}
        {%- if function.arguments is defined and function.arguments -%}
          {%- for name, value in function.arguments | items -%}
            {{- '<parameter=' + name + '>\n' + (value | string) + '\n</parameter>\n' -}}
          {%- endfor -%}
        {%- endif -%}
        {{- '</function>\n</tool_call>\n' -}}
      {%- endfor -%}
    {%- endif -%}
    {{- '<|im_end|>\n' -}}
  {%- else -%}
    {{- raise_exception('unknown role ' + message.role) -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\n<think>\n' if enable_thinking else '<|im_start|>assistant\n<think></think>' -}}
{%- endif -%}
""".strip()

"""Tokenizer and template in JavaScript: the libraries that the app uses give what Python gives.

Skipped where node or the app's node_modules are missing.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from test_chat_format import TOOLS, random_messages
from tidepool_model.data import chat_format, tokenizer as tk
from tidepool_model.data.chats import conversation
from tidepool_model.data.stories import storyteller

MODULES = Path(__file__).resolve().parents[3] / "node_modules"
TRANSFORMERS = MODULES / "@huggingface/transformers/dist/transformers.web.js"

SCRIPT = """
import fs from 'node:fs';
const {templates, texts, modules, tokenizer: folder} = JSON.parse(fs.readFileSync(0, 'utf8'));
const {Template} = await import(modules + '/@huggingface/jinja/dist/index.js');
const {PreTrainedTokenizer} = await import(modules + '/@huggingface/transformers/dist/transformers.web.js');
const read = (name) => JSON.parse(fs.readFileSync(folder + '/' + name, 'utf8'));
const config = read('tokenizer_config.json');
const tokenizer = new PreTrainedTokenizer(read('tokenizer.json'), config);
const template = new Template(config.chat_template);
process.stdout.write(JSON.stringify({
  rendered: templates.map((values) => template.render(values)),
  ids: texts.map((text) => tokenizer.encode(text)),
}));
"""


@pytest.mark.skipif(shutil.which("node") is None or not TRANSFORMERS.is_file(), reason="needs node and npm ci")
def test_javascript_gives_the_same_texts_and_tokens():
    rng = random.Random(12)
    cases, expected = [], []
    for _ in range(80):
        messages, tools = random_messages(rng), rng.choice(([], TOOLS))
        prompt, thinking = rng.random() < 0.5, rng.random() < 0.5
        case = {"messages": messages, "add_generation_prompt": prompt, "enable_thinking": thinking}
        cases.append(case | ({"tools": tools} if tools else {}))
        expected.append(chat_format.render(messages, tools, add_generation_prompt=prompt, enable_thinking=thinking))
    texts = [storyteller.generate(rng).text for _ in range(10)]
    texts += [chat_format.render(conversation.conversation(rng)) for _ in range(60)]
    texts += ["12 + 345 = 357.\n\n x", "a  b\t\tc \n", "😀👍🏽 日本語 ½ ٣ 1,000.50", "don't 'x' I'll WE'LL", " <think>x</think> y"]
    request = {"templates": cases, "texts": texts, "modules": str(MODULES), "tokenizer": str(tk.DEFAULT_DIR)}
    run = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT], input=json.dumps(request), capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["rendered"] == expected
    tokenizer = tk.load()
    assert answer["ids"] == [tokenizer.encode(text).ids for text in texts]

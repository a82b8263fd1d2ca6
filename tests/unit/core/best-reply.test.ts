import { expect, it } from 'vitest';
import { bestReply, scoredReplies } from '../../../src/core/chat/best-reply';
import { addMessage, appendMessage, EMPTY_TREE } from '../../../src/core/chat/conversation-tree';
import { emptyReply } from '../../../src/core/chat/reply';

const REWARDS = { a: 0.2, b: null, c: 1.5, d: 1.5, e: -3 } as const;
const IDS = Object.keys(REWARDS);

function treeOf() {
  let tree = appendMessage(EMPTY_TREE, { id: 'q', createdAt: 0, role: 'user', text: '?' });
  for (const [id, reward] of Object.entries(REWARDS)) {
    const reply = { ...emptyReply(60), ...(reward === null ? {} : { reward }) };
    tree = addMessage(tree, 'q', { id, createdAt: 0, role: 'assistant', reply });
  }
  return tree;
}

it('finds of equal answers the reply with the highest reward, of equals the first, and leaves out what has none', () => {
  const tree = treeOf();
  expect(bestReply(tree, IDS)).toBe('c');
  expect(bestReply(tree, ['e', 'b', 'a'])).toBe('a');
  expect(bestReply(tree, ['b'])).toBeNull();
  expect(bestReply(tree, [])).toBeNull();
});

it('weighs what the replies agree on: two of one answer outweigh one with a little more reward, not with far more', () => {
  const chosen = (rewards: Readonly<Record<string, readonly [number, string]>>) => {
    let tree = appendMessage(EMPTY_TREE, { id: 'q', createdAt: 0, role: 'user', text: '?' });
    for (const [id, [reward, text]] of Object.entries(rewards)) {
      const reply = { ...emptyReply(60), parts: [{ kind: 'answer', text } as const], reward };
      tree = addMessage(tree, 'q', { id, createdAt: 0, role: 'assistant', reply });
    }
    return bestReply(tree, Object.keys(rewards));
  };
  expect(chosen({ a: [0.3, 'It is 7.'], b: [0, 'It is 8.'], c: [0.1, 'So 8.'] })).toBe('c');
  expect(chosen({ a: [3, 'It is 7.'], b: [0, 'It is 8.'], c: [0.1, 'So 8.'] })).toBe('a');
});

it('tells the rewards of all versions in the order they were written', () => {
  expect(scoredReplies(treeOf(), 'c').map(({ reward }) => reward)).toEqual([
    0.2,
    null,
    1.5,
    1.5,
    -3,
  ]);
});

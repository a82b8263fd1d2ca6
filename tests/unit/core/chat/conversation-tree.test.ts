import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activeLeaf,
  activePath,
  addMessage,
  appendMessage,
  branchesAt,
  type ConversationTree,
  editMessage,
  EMPTY_TREE,
  nodeOf,
  pathTo,
  regenerateReply,
  removeMessage,
  setReply,
  switchBranch,
} from '../../../../src/core/chat/conversation-tree';
import { emptyReply } from '../../../../src/core/chat/reply';
import { replyWith } from '../../../replies';
import { treeProblem } from './tree-rules';

const user = (id: string) => ({ id, createdAt: 1, role: 'user' as const, text: `text of ${id}` });
const reply = (id: string) => ({
  id,
  createdAt: 2,
  role: 'assistant' as const,
  reply: emptyReply(64),
});
const ids = (tree: ConversationTree): string[] => activePath(tree).map((node) => node.id);

/** u1 - a1 - u2 - a2 */
const TALK = [user('u1'), reply('a1'), user('u2'), reply('a2')].reduce(appendMessage, EMPTY_TREE);

describe('conversation tree', () => {
  test('appended messages make one path', () => {
    expect(ids(TALK)).toEqual(['u1', 'a1', 'u2', 'a2']);
    expect(activeLeaf(TALK)?.id).toBe('a2');
    expect(activeLeaf(EMPTY_TREE)).toBeNull();
  });

  test('an edit is a sibling; the old branch is found again as it was', () => {
    const edited = editMessage(TALK, 'u2', { id: 'u3', createdAt: 3, text: 'new' });
    expect(ids(edited)).toEqual(['u1', 'a1', 'u3']);
    expect(branchesAt(edited, 'u3')).toEqual({ ids: ['u2', 'u3'], index: 1 });
    expect(ids(switchBranch(edited, 'u2'))).toEqual(['u1', 'a1', 'u2', 'a2']);
  });

  test('the first message branches too', () => {
    const edited = editMessage(TALK, 'u1', { id: 'u9', createdAt: 3, text: 'other' });
    expect(ids(edited)).toEqual(['u9']);
    expect(ids(switchBranch(edited, 'a2'))).toEqual(['u1', 'a1', 'u2', 'a2']);
  });

  test('a regenerated reply is an empty sibling with the limit asked for', () => {
    const again = regenerateReply(TALK, 'a1', { id: 'a9', createdAt: 3, thoughtLimit: 16 });
    expect(ids(again)).toEqual(['u1', 'a9']);
    const node = nodeOf(again, 'a9');
    expect(node.role === 'assistant' && node.reply).toEqual(emptyReply(16));
  });

  test('a reply is replaced in place and nothing else changes', () => {
    const content = replyWith(64, '4');
    const changed = setReply(TALK, 'a2', content);
    expect(nodeOf(changed, 'a2')).toEqual({ ...nodeOf(TALK, 'a2'), reply: content });
    expect(nodeOf(changed, 'u1')).toBe(nodeOf(TALK, 'u1'));
  });

  test('removing the active branch activates its elder sibling, else the younger, else none', () => {
    const branched = editMessage(TALK, 'u2', { id: 'u3', createdAt: 3, text: 'new' });
    expect(ids(removeMessage(branched, 'u3'))).toEqual(['u1', 'a1', 'u2', 'a2']);
    expect(ids(removeMessage(switchBranch(branched, 'u2'), 'u2'))).toEqual(['u1', 'a1', 'u3']);
    expect(ids(removeMessage(branched, 'u2'))).toEqual(['u1', 'a1', 'u3']);
    expect(removeMessage(TALK, 'u1')).toEqual(EMPTY_TREE);
  });

  test('what cannot be is refused with its reason', () => {
    expect(() => appendMessage(TALK, user('u1'))).toThrow(/in this conversation already/);
    expect(() => appendMessage(TALK, user('__proto__'))).toThrow(/letters, digits or hyphens/);
    expect(() => addMessage(TALK, 'nobody', user('u7'))).toThrow(/nobody is not in/);
    expect(() => nodeOf(TALK, 'constructor')).toThrow(/constructor is not in/);
    expect(() => editMessage(TALK, 'a1', { id: 'x', createdAt: 0, text: '' })).toThrow(
      /regenerate/,
    );
    expect(() => regenerateReply(TALK, 'u1', { id: 'x', createdAt: 0, thoughtLimit: 0 })).toThrow(
      /only replies/,
    );
    expect(() => setReply(TALK, 'u1', emptyReply(0))).toThrow(/holds no reply/);
  });

  test('under random operations every rule of the tree holds and no tree that was is changed', () => {
    const operation = fc.record({
      kind: fc.constantFrom('append', 'branch', 'edit', 'regenerate', 'switch', 'remove'),
      pick: fc.nat(),
      isReply: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        let tree = EMPTY_TREE;
        for (const [step, { kind, pick, isReply }] of operations.entries()) {
          const known = Object.keys(tree.nodes);
          const target = known[pick % Math.max(1, known.length)];
          const fresh = isReply ? reply(`n${step}`) : user(`n${step}`);
          const before = JSON.stringify(tree);
          const was = tree;
          if (kind === 'append' || target === undefined) tree = appendMessage(tree, fresh);
          else if (kind === 'branch') tree = addMessage(tree, target, fresh);
          else if (kind === 'switch') {
            tree = switchBranch(tree, target);
            expect(ids(tree)).toEqual(
              expect.arrayContaining(pathTo(tree, target).map((node) => node.id)),
            );
          } else if (kind === 'remove') {
            tree = removeMessage(tree, target);
            expect(Object.hasOwn(tree.nodes, target)).toBe(false);
          } else if (nodeOf(tree, target).role === 'assistant') {
            tree = regenerateReply(tree, target, { id: fresh.id, createdAt: 0, thoughtLimit: 8 });
          } else tree = editMessage(tree, target, { id: fresh.id, createdAt: 0, text: 'edited' });

          expect(treeProblem(tree)).toBeNull();
          expect(JSON.stringify(was)).toBe(before);
          if (kind !== 'switch' && kind !== 'remove') expect(activeLeaf(tree)?.id).toBe(fresh.id);
        }
      }),
    );
  });
});

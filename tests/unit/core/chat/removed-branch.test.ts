// Taking messages out of a tree and putting them back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activePath,
  addMessage,
  appendMessage,
  EMPTY_TREE,
  switchBranch,
  type ConversationTree,
} from '../../../../src/core/chat/conversation-tree';
import { putBack, takeOut } from '../../../../src/core/chat/removed-branch';
import { emptyReply } from '../../../../src/core/chat/reply';
import { treeProblem } from './tree-rules';

/** A tree of questions and replies: each number says under which of the messages so far the next one goes. */
function treeOf(parents: readonly number[]): ConversationTree {
  return parents.reduce((tree, parent, at) => {
    const under = at === 0 ? 0 : parent % (at + 1);
    const above = under === 0 ? null : `m${under - 1}`;
    const links = { id: `m${at}`, createdAt: at };
    return addMessage(
      tree,
      above,
      at % 2 === 0
        ? { ...links, role: 'user', text: `text ${at}` }
        : { ...links, role: 'assistant', reply: emptyReply(64) },
    );
  }, EMPTY_TREE);
}

describe('a message that was taken out', () => {
  test('comes back with all below it, at its place, and is read again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat(),
        (parents, shown, chosen) => {
          const tree = switchBranch(treeOf(parents), `m${shown % parents.length}`);
          const path = activePath(tree);
          const id = path[chosen % path.length]?.id ?? '';
          const { tree: rest, removed } = takeOut(tree, id);
          expect(treeProblem(rest)).toBeNull();
          expect(Object.keys(rest.nodes).length + Object.keys(removed.nodes).length).toBe(
            parents.length,
          );
          expect(putBack(rest, removed)).toEqual(tree);
        },
      ),
    );
  });

  test('comes back beside what was written in the meantime', () => {
    const talk = treeOf([0, 1, 2, 3]);
    const { tree: rest, removed } = takeOut(talk, 'm2');
    const onward = appendMessage(rest, { id: 'new', createdAt: 9, role: 'user', text: 'other' });
    const back = putBack(onward, removed);
    expect(back === null ? 'gone' : treeProblem(back)).toBeNull();
    expect(back === null ? [] : activePath(back).map(({ id }) => id)).toEqual([
      'm0',
      'm1',
      'm2',
      'm3',
    ]);
    expect(back?.nodes['m1']?.children).toEqual(['m2', 'new']);
  });

  test('stays out where what it stood under is gone, and where it is back already', () => {
    const talk = treeOf([0, 1, 2, 3]);
    const { tree: rest, removed } = takeOut(talk, 'm2');
    expect(putBack(takeOut(rest, 'm1').tree, removed)).toBeNull();
    expect(putBack(talk, removed)).toBeNull();
  });
});

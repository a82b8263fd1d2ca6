// The gauge has levels of a model in this tab only: what another holds, nobody here has seen.
import { expect, test } from 'vitest';
import { currentLevels } from '../../../src/ui/gauge/current-levels';
import { makeApp, until } from '../state/make-app';

test('of a server or of the browser’s own model there is no level', async () => {
  const { chat, status } = makeApp('streams');
  await status.load('auto');
  await until(() => status.phase === 'ready', 'the model');
  expect(currentLevels({ chat, status })).not.toBeNull();
  status.aim({ modelUrl: 'browser:', isBrowserModel: true });
  expect(currentLevels({ chat, status })).toBeNull();
  const server = {
    address: 'http://localhost:8080',
    key: '',
    kind: 'ollama',
    model: 'm',
    effort: null,
  } as const;
  status.aim({ modelUrl: 'server:a', server });
  expect(currentLevels({ chat, status })).toBeNull();
});

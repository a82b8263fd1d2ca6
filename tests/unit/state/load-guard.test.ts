import { describe, expect, it } from 'vitest';
import { LoadGuard, type GuardStorage } from '../../../src/state/load-guard';

const MODEL = 'https://site.example/models/tidepool/';

function memoryStorage(): GuardStorage & { text: string | null } {
  return {
    text: null,
    getItem() {
      return this.text;
    },
    setItem(_key, text) {
      this.text = text;
    },
    removeItem() {
      this.text = null;
    },
  };
}

/** Pages over one storage; `open` are those that live. */
function site(storage: GuardStorage | null = memoryStorage()) {
  const open = new Set<string>();
  let count = 0;
  const visit = (): { guard: LoadGuard; kill: () => void } => {
    const pageId = `page ${(count += 1)}`;
    open.add(pageId);
    const guard = new LoadGuard({ storage, pageId, openPages: async () => new Set(open) });
    return { guard, kill: () => void open.delete(pageId) };
  };
  return { visit };
}

describe('the load guard', () => {
  it('holds the next start back after two loads that killed the tab', async () => {
    const { visit } = site();
    for (let i = 0; i < 2; i += 1) {
      const { guard, kill } = visit();
      expect(await guard.verdict(MODEL, 'auto')).toBeNull();
      guard.begin(MODEL, 'auto');
      guard.reach('webgpu-f16');
      kill();
    }
    const next = visit().guard;
    expect(await next.verdict(MODEL, 'auto')).toEqual({ device: 'webgpu-f16', count: 2 });
    expect(await next.verdict(MODEL, 'webgpu')).not.toBeNull();
    // The processor and other models have done nothing.
    expect(await next.verdict(MODEL, 'wasm')).toBeNull();
    expect(await next.verdict('https://site.example/models/micro/', 'auto')).toBeNull();
  });

  it('counts one death of several looks once, and forgets all when a load survives', async () => {
    const { visit } = site();
    const first = visit();
    first.guard.begin(MODEL, 'wasm');
    first.kill();
    const second = visit().guard;
    for (let i = 0; i < 3; i += 1) expect(await second.verdict(MODEL, 'wasm')).toBeNull();
    second.begin(MODEL, 'wasm');
    second.end('died');
    expect(await second.verdict(MODEL, 'wasm')).toEqual({ device: 'wasm', count: 2 });
    second.begin(MODEL, 'wasm');
    second.end('survived');
    expect(await second.verdict(MODEL, 'wasm')).toBeNull();
  });

  it('takes neither a reload in mid-load, nor a failed download, nor a load in another tab for a death', async () => {
    const { visit } = site();
    const other = visit().guard;
    other.begin(MODEL, 'auto');
    for (let i = 0; i < 3; i += 1) {
      const { guard, kill } = visit();
      expect(await guard.verdict(MODEL, 'auto')).toBeNull();
      guard.begin(MODEL, 'auto');
      guard.end('left');
      kill();
    }
    expect(await visit().guard.verdict(MODEL, 'auto')).toBeNull();
  });

  it('sleeps where nothing is kept, and reads damage as nothing', async () => {
    const none = site(null).visit().guard;
    none.begin(MODEL, 'auto');
    expect(await none.verdict(MODEL, 'auto')).toBeNull();
    for (const text of ['{', '[]', '{"loading":7,"deaths":{"x":{"wasm":"many"}}}', 'null']) {
      const storage = memoryStorage();
      storage.text = text;
      expect(await site(storage).visit().guard.verdict(MODEL, 'auto')).toBeNull();
    }
    const full: GuardStorage = {
      getItem: () => null,
      setItem: () => {
        throw new DOMException('', 'QuotaExceededError');
      },
      removeItem: () => {},
    };
    const { guard } = site(full).visit();
    guard.begin(MODEL, 'auto');
    guard.end('died');
    expect(await guard.verdict(MODEL, 'auto')).toBeNull();
  });
});

// Cache Storage of one cache in memory, with a limit that can be set, as a browser with a full disk has it.

export interface MemoryCaches extends CacheStorage {
  readonly stored: Map<string, { bytes: Uint8Array<ArrayBuffer>; headers: Headers }>;
  /** Puts that would bring the sum above it are refused with QuotaExceededError. */
  quotaBytes: number;
}

export function memoryCaches(quotaBytes = Infinity): MemoryCaches {
  const stored: MemoryCaches['stored'] = new Map();
  const urlOf = (key: string | Request): string => (typeof key === 'string' ? key : key.url);
  const cache = {
    match: async (key: string | Request) => {
      const found = stored.get(urlOf(key));
      return found === undefined
        ? undefined
        : new Response(found.bytes.slice(), { headers: found.headers });
    },
    put: async (key: string | Request, response: Response) => {
      const bytes = new Uint8Array(await response.arrayBuffer());
      const others = [...stored].filter(([url]) => url !== urlOf(key));
      const sum = others.reduce((all, [, entry]) => all + entry.bytes.length, 0);
      if (sum + bytes.length > caches.quotaBytes)
        throw new DOMException('Quota exceeded.', 'QuotaExceededError');
      stored.set(urlOf(key), { bytes, headers: new Headers(response.headers) });
    },
    delete: async (key: string | Request) => stored.delete(urlOf(key)),
    keys: async () => [...stored.keys()].map((url) => new Request(url)),
  };
  const caches = { open: async () => cache, stored, quotaBytes } as unknown as MemoryCaches;
  return caches;
}

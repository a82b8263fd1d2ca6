/**
 * Owns how the content of a model file is recognised: SHA-256 and the SHA-1 that git gives a blob, whole or as bytes
 * arrive. WebCrypto hashes several times faster but only whole buffers, of which it takes a copy; @noble/hashes (no
 * dependencies, 6 kB for these two) goes along with a download of any length.
 */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { ListedFile } from '../core/model-listing';

/** What a file must hash to; hex in lower case. */
export interface ExpectedHash {
  readonly kind: 'sha256' | 'git-sha1';
  readonly hex: string;
}

/** The strongest hash that a listing tells of a file; null when it tells none. */
export function expectedHashOf(file: Pick<ListedFile, 'sha256' | 'gitSha1'>): ExpectedHash | null {
  if (file.sha256 !== null) return { kind: 'sha256', hex: file.sha256 };
  return file.gitSha1 === null ? null : { kind: 'git-sha1', hex: file.gitSha1 };
}

function hexOf(digest: Uint8Array): string {
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A hash that takes a file piece by piece, in order. */
export class RunningHash {
  readonly #hash: { update(bytes: Uint8Array): unknown; digest(): Uint8Array };

  /** @param bytes length of the whole file, which git hashes first */
  constructor(kind: ExpectedHash['kind'], bytes: number) {
    this.#hash = kind === 'sha256' ? sha256.create() : sha1.create();
    if (kind === 'git-sha1') this.#hash.update(new TextEncoder().encode(`blob ${bytes}\0`));
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Ends the hash. */
  hex(): string {
    return hexOf(this.#hash.digest());
  }
}

/** SHA-256 of a buffer that is there whole, by WebCrypto, or without it on an insecure origin. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  return hexOf(
    subtle === undefined ? sha256(bytes) : new Uint8Array(await subtle.digest('SHA-256', bytes)),
  );
}

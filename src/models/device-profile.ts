/** Owns what is known of this browser's ways to compute, as plain data; device-probe.ts asks. */

export interface GpuProfile {
  readonly hasF16: boolean;
  /** True for an emulation on the CPU: correct, and slower than WASM. */
  readonly isEmulated: boolean;
  /** Vendor and architecture where the browser tells. */
  readonly name: string;
  readonly maxBufferBytes: number;
  readonly maxStorageBindingBytes: number;
}

export interface DeviceProfile {
  /** The adapter, or the reason why there is none, as a sentence. */
  readonly gpu: GpuProfile | { readonly missing: string };
  /** True when threads can share memory: the page is cross-origin isolated. */
  readonly isIsolated: boolean;
  readonly cores: number;
  /** True when WebAssembly can suspend into JavaScript promises (JSPI). */
  readonly hasJspi: boolean;
}

/**
 * Threads for WASM on `cores` logical cores: one core is left to the page, and beyond 4 the small matrices of a decode
 * step gain nothing (2 threads: prefill 1.1 s to 0.7 s for 512 tokens, decode unchanged).
 */
export function threadsFor(cores: number): number {
  return Math.max(1, Math.min(4, cores - 1));
}

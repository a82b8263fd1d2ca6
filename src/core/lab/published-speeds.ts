/** Owns what NVIDIA publishes on the speed of its hybrids, as data with its source. Nothing here was measured here. */

export interface PublishedSpeed {
  readonly hybrid: string;
  readonly against: string;
  /** Tokens in a second over the other's; `up to` where the source says so. */
  readonly times: number;
  readonly isUpTo: boolean;
  readonly setting: string;
  readonly source: string;
}

export const PUBLISHED_SPEEDS: readonly PublishedSpeed[] = [
  {
    hybrid: 'Nemotron-H 56B',
    against: 'Qwen-2.5-72B and Llama-3.1-70B',
    times: 3,
    isUpTo: true,
    setting: '65,536 tokens in, 1,024 out, H100',
    source: 'Nemotron-H, arXiv 2504.03624',
  },
  {
    hybrid: 'Nemotron Nano 2 9B',
    against: 'models of its size such as Qwen3-8B',
    times: 6,
    isUpTo: true,
    setting: '8,000 tokens in, 16,000 out',
    source: 'Nemotron Nano 2, arXiv 2508.14444',
  },
  {
    hybrid: 'Nemotron 3 Nano 30B-A3B',
    against: 'Qwen3-30B-A3B',
    times: 3.3,
    isUpTo: false,
    setting: '8,000 tokens in, 16,000 out, one H200',
    source: 'Nemotron 3 Nano, arXiv 2512.20848',
  },
  {
    hybrid: 'Nemotron 3 Nano 30B-A3B',
    against: 'GPT-OSS-20B',
    times: 2.2,
    isUpTo: false,
    setting: '8,000 tokens in, 16,000 out, one H200',
    source: 'Nemotron 3 Nano, arXiv 2512.20848',
  },
];

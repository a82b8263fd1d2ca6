/** Which of several answers is the heaviest, each weighing one or its chance of being the best. Pure. */

/** What a vote counts of an answer: its numbers, or its words. As choosing.py counts. */
export function votedKey(answer: string): string {
  const text = answer.trim().toLowerCase();
  const numbers = text.match(/-?\d+(?:[.:]\d+)*/g);
  return numbers === null ? text.replaceAll(/[^a-z]+/g, ' ').trim() : numbers.join(' ');
}

/** Place of the first of the keys that weigh most together; -1 for none. */
export function heaviest(keys: readonly string[], weights: readonly number[]): number {
  const sums = new Map<string, number>();
  for (const [at, key] of keys.entries()) sums.set(key, (sums.get(key) ?? 0) + (weights[at] ?? 0));
  const most = Math.max(...sums.values());
  return keys.findIndex((key) => sums.get(key) === most);
}

/** By Bradley-Terry the chance of each to be the best of all, as multiples of the best one's. */
export function chancesOf(rewards: readonly number[]): number[] {
  const most = Math.max(...rewards);
  return rewards.map((reward) => Math.exp(reward - most));
}

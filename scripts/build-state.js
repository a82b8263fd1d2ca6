// Decides whether the built site in dist/ is still that of the sources; builds nothing itself.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that the build reads. */
const inputs = [
  'src',
  'workers',
  'public',
  'index.html',
  'bench',
  'tests/bench/results.json',
  'vite.config.ts',
  'svelte.config.js',
  'package-lock.json',
];

/**
 * Why the site must be built again.
 * @param {string} root The repository.
 * @param {string} dist The built site.
 * @param {string} [servers] The value of TIDEPOOL_SERVERS, which is built into the page's policy.
 * @returns {string | undefined} A reason in words, or undefined when the built site is up to date.
 */
export function reasonToBuild(root, dist, servers) {
  const built = modifiedMs(join(dist, 'index.html'));
  if (built === undefined) return 'there is no built site yet';
  for (const input of inputs) {
    const newer = findNewer(join(root, input), built);
    if (newer !== undefined) return `${newer.slice(root.length + 1)} is newer than the built site`;
  }
  const page = readFileSync(join(dist, 'index.html'), 'utf8');
  const isNone = servers?.trim() === 'none';
  const asked = isNone
    ? []
    : (servers ?? '').split(/[\s,]+/).map((part) => part.replace(/\/$/, ''));
  const isAllowed = asked.every((origin) => page.includes(origin));
  if (!isAllowed || (isNone && page.includes('http://localhost:*')))
    return `TIDEPOOL_SERVERS=${servers} differs from what the built site allows`;
  return undefined;
}

/**
 * The first file at or under a path that changed after a moment.
 * @param {string} path
 * @param {number} sinceMs Milliseconds since the epoch.
 * @returns {string | undefined}
 */
function findNewer(path, sinceMs) {
  const changed = modifiedMs(path);
  if (changed === undefined) return undefined;
  if (!statSync(path).isDirectory()) return changed > sinceMs ? path : undefined;
  for (const name of readdirSync(path)) {
    const newer = findNewer(join(path, name), sinceMs);
    if (newer !== undefined) return newer;
  }
  return undefined;
}

/**
 * @param {string} path
 * @returns {number | undefined} Milliseconds since the epoch; undefined when there is no such file.
 */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

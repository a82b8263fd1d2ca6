/**
 * Answers the page's requests from what is kept, so that the app starts without a network, takes what other apps share,
 * and makes it cross-origin isolated on any host. Keeps no model: the engine does (runtime/weights.ts). Takes over only when asked.
 */
import {
  isKeptOnUse,
  KEPT_CHANNEL,
  type KeptMessage,
  type ShellMessage,
} from '../src/core/offline';
import { isolated, isWorld } from './offline/isolate';
import { ShellCache, type ShellBuild } from './offline/shell-cache';
import { takeShared } from './offline/take-shared';

declare const self: ServiceWorkerGlobalScope;
/** Written by scripts/build-service-worker.ts. */
declare const __SHELL_BUILD__: ShellBuild;

const baseUrl = new URL('./', self.location.href).href;
const shell = new ShellCache({
  build: __SHELL_BUILD__,
  baseUrl,
  caches: self.caches,
  fetch: (url, init) => fetch(url, init),
});
const kept = new BroadcastChannel(KEPT_CHANNEL);

function sayChanged(): void {
  const message: KeptMessage = 'changed';
  kept.postMessage(message);
}

async function answer(event: FetchEvent, path: string): Promise<Response> {
  const { destination } = event.request;
  const hit = await shell.match(path);
  if (hit !== null) return isolated(hit, destination);
  const response = await fetch(event.request);
  if (isKeptOnUse(path)) event.waitUntil(keepRuntime(path, response.clone()));
  return isolated(response, destination);
}

async function keepRuntime(path: string, response: Response): Promise<void> {
  try {
    if (await shell.keepRuntime(path, response)) sayChanged();
  } catch {
    // No room: the app runs, and the page does not say that it is ready offline.
  }
}

/** False while a newer version is being stored or waits to be asked for, and once it has taken over. */
function isNewest(): boolean {
  const { installing, waiting } = self.registration;
  const own = (self as { serviceWorker?: ServiceWorker }).serviceWorker;
  return installing === null && waiting === null && own?.state !== 'redundant';
}

/** A page that was opened on an older version may still need its parts. */
async function tidyWhenAlone(): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (pages.length <= 1) await shell.tidy(isNewest);
  sayChanged();
}

self.addEventListener('install', (event) => {
  event.waitUntil(shell.install());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim().then(tidyWhenAlone));
});

self.addEventListener('message', (event) => {
  const message = event.data as ShellMessage;
  if (message === 'take-over') event.waitUntil(self.skipWaiting());
  else event.waitUntil(tidyWhenAlone());
});

self.addEventListener('fetch', (event) => {
  const { method, url, destination } = event.request;
  if (method === 'POST' && shell.pathOf(new URL(url)) === 'index.html') {
    event.respondWith(takeShared(event.request, baseUrl, self.caches));
    return;
  }
  const path = method === 'GET' ? shell.pathOf(new URL(url)) : null;
  // What is never kept here, as a model's file, the browser fetches itself: an answer that streams for minutes would keep a
  // newer version waiting as long.
  if (path !== null && (shell.mayKeep(path) || isWorld(destination)))
    event.respondWith(answer(event, path));
});

/**
 * Exposes the engine to the page through Comlink, and keeps the runtime for a start without a network. Under the name
 * `distance` it is the worker of the race and the long read, which run models beside the one that answers: the same code,
 * so that a visitor fetches it once.
 */
import { expose } from 'comlink';
import type { DistanceRequest } from '../src/protocol/distance-api';
import { browserHost, Engine } from './engine';
import { keepRuntimeFiles } from './runtime/keep-runtime';

// Under `npm run dev` there is no service worker to answer from what is kept.
if (import.meta.env.PROD) keepRuntimeFiles();
if (self.name === 'distance') {
  const waiting: MessageEvent<DistanceRequest>[] = [];
  self.onmessage = (message: MessageEvent<DistanceRequest>) => {
    waiting.push(message);
  };
  void import('./distance/serve-distance').then(({ serveDistance }) => serveDistance(waiting));
} else expose(new Engine(browserHost()));

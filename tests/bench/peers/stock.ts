/** Offers our engine and stock transformers.js, without wllama, as `globalThis.peers`. */
import { Peers } from './peers';

Object.assign(globalThis, { peers: new Peers(null) });

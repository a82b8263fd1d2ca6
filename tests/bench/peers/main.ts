/** Offers all contenders to the script that drives the browser, as `globalThis.peers`. */
import { Peers } from './peers';
import { WllamaContender } from './wllama-contender';

Object.assign(globalThis, { peers: new Peers((options) => new WllamaContender(options)) });

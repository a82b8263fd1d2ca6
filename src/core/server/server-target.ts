/** Owns what it takes to ask a server, and what was found out about it. Plain JSON data. */
import type { BudgetField, ClosingWay, ServerKind } from './server-kind';

/** A model on a server, as it is asked. */
export interface ServerTarget {
  /** Without a closing slash and without /v1. */
  readonly address: string;
  /** '' where it needs none. */
  readonly key: string;
  readonly kind: ServerKind;
  readonly model: string;
  /** A word of `reasoning_effort`; null: the model's own. */
  readonly effort: string | null;
}

/** What a server says of itself and of one model; null where it says nothing. */
export interface ServerFacts {
  readonly kind: ServerKind;
  /** Host and port, as the page names it. */
  readonly place: string;
  readonly model: string;
  readonly version: string | null;
  readonly contextTokens: number | null;
  readonly parameters: number | null;
  readonly weightBytes: number | null;
  readonly budget: BudgetField | null;
  readonly ways: readonly ClosingWay[];
  readonly efforts: readonly string[];
  readonly hasLogprobs: boolean;
}

/** A model on a server as the engine knows it. */
export interface ServerModel {
  readonly facts: ServerFacts;
  /** The model's chat template, where it is to be had; '' elsewhere. */
  readonly template: string;
  /** True where the prompt opens the thought itself, so that text without a field of its own begins inside it. */
  readonly opensThought: boolean;
}

/** Beginning of the key by which a chosen server is remembered. */
export const SERVER_KEY_PREFIX = 'server:';

/** How a server is named on the page: its host, with the port where it has one. */
export function placeOfServer(address: string): string {
  return new URL(address).host;
}

/** Where the browser's own model is, as the page names it. */
export const BROWSER_PLACE = 'this browser’s model';

/** The mark of a server among the devices that a reply's figures name. */
const SERVER_MARK = 'server:';

export type ServerDevice = `server:${string}`;

export function deviceOfServer(place: string): ServerDevice {
  return `${SERVER_MARK}${place}`;
}

/** Host and port of the server that a reply's device names; null where it was a device of this computer. */
export function placeOfDevice(device: string): string | null {
  return device.startsWith(SERVER_MARK) ? device.slice(SERVER_MARK.length) : null;
}

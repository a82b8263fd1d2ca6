/** Owns which servers this build lets the page ask. Its policy says the same (core/security-policy.ts). */
import type { AllowedServers } from '../core/security-policy';

/** Written by vite.config.ts: what TIDEPOOL_SERVERS says. */
declare const __SERVERS__: AllowedServers;

export const ALLOWED_SERVERS: AllowedServers = __SERVERS__;

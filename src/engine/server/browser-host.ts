/** Owns what a server's engine takes from the browser: fetch, where the page stands, and the leave to ask this computer. */
import type { AllowedServers } from '../../core/security-policy';
import type { LocalNetworkLeave } from '../../core/server/server-problem';
import type { ServerHost } from './server-http';

/** Names of the permission, newest first; a browser that has none of them asks nobody. */
const PERMISSIONS = ['loopback-network', 'local-network-access'];

async function localNetworkLeave(): Promise<LocalNetworkLeave> {
  for (const name of PERMISSIONS) {
    try {
      return (await navigator.permissions.query({ name: name as PermissionName })).state;
    } catch {
      // Not known here.
    }
  }
  return null;
}

export function browserHost(
  allowed: AllowedServers,
  publishedTemplate: ServerHost['publishedTemplate'],
): ServerHost {
  return {
    fetch: (url, init) => fetch(url, init),
    page: { protocol: location.protocol, origin: location.origin, allowed },
    localNetworkLeave,
    publishedTemplate,
    now: () => new Date(),
  };
}

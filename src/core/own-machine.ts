/** Owns the question whether a page comes from the machine that it runs on. Pure. */

/** By the host's name in the address: `localhost` and names below it, 127.0.0.0/8, ::1 (RFC 6761, RFC 1122). */
export function isOwnMachine(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname)
  );
}

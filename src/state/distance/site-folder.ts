/** Owns the address of a model's folder on this site. Pure. */

export function siteFolder(id: string, baseUrl: string): string {
  return new URL(`models/${id}/`, baseUrl).href;
}

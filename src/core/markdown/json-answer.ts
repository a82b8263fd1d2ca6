/** Owns how an answer that is JSON stands among answers that are Markdown: as code, letter for letter. */

/**
 * The answer as Markdown. JSON becomes code: of what is held to a schema from its first letter on, else once it is whole.
 * While it grows its code stays open, so that each text begins as the one before.
 */
export function asMarkdown(answer: string, isHeldToSchema: boolean, isGrowing: boolean): string {
  if (!/^\s*[[{]/.test(answer)) return answer;
  if (!isHeldToSchema && (isGrowing || !isJson(answer))) return answer;
  return `\`\`\`json\n${answer.trimStart()}${isGrowing ? '' : '\n```'}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Owns the sentences by which a reply says how its thinking limit was kept. Pure. */
import { SERVER_TRAITS, type ClosingWay } from '../../core/server/server-kind';
import type { ServerFacts } from '../../core/server/server-target';

/** How the server was asked on after its thought was stopped from here. */
export function wayInWords(way: ClosingWay, { kind, place }: ServerFacts): string {
  const { name } = SERVER_TRAITS[kind];
  switch (way) {
    case 'template':
    case 'tokenize':
      return `The limit was kept from here: ${place} was stopped and asked to go on with the thought closed, in its own template.`;
    case 'published':
      return `The limit was kept from here: ${place} was stopped and asked to go on with the thought closed, in the model’s published template.`;
    case 'prefill':
      return `The limit was kept from here: ${place} was stopped and asked to go on, with the closed thought as the beginning of its answer.`;
    case 'again':
      return `The limit was kept from here, but ${name} cannot go on from a thought: it was asked again with thinking off and has not read the thought above.`;
  }
}

/** The server's own limit ended the thought. */
export function endInWords({ kind, place }: ServerFacts): string {
  return `${place} ended the thought by the limit of its own that ${SERVER_TRAITS[kind].name} has.`;
}

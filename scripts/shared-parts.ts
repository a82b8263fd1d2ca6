/**
 * Owns the other names of weights that several graphs of a model share. The repository keeps each part once, under one
 * graph's name; transformers.js looks for it under the name of the graph that it loads (`model_quantized.onnx_data` for
 * `model_quantized.onnx`). The built site has these names too, as links to the same bytes; the development server
 * answers them. The app itself reads the one name that manifest.json tells.
 */
import { copyFileSync, existsSync, linkSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { dataNameOf } from '../src/core/data-names.ts';

interface PartName {
  /** Relative to the folder of all models, with forward slashes. */
  readonly name: string;
  readonly part: string;
}

/** The names under which parts are looked for and don't lie, of all models below a folder. */
export function otherNames(models: string): readonly PartName[] {
  if (!existsSync(models)) return [];
  return readdirSync(models).flatMap((model) => {
    const path = join(models, model, 'manifest.json');
    if (!existsSync(path)) return [];
    const { parts = [], variants } = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly parts?: readonly string[];
      readonly variants: Readonly<Record<string, string>>;
    };
    return Object.values(variants).flatMap((graph) =>
      parts.flatMap((part, index) => {
        const folder = graph.slice(0, graph.lastIndexOf('/') + 1);
        const name = folder + dataNameOf(graph, part, index);
        return name === part ? [] : [{ name: `${model}/${name}`, part: `${model}/${part}` }];
      }),
    );
  });
}

/** Gives a folder of models the other names of their parts: links, where the disk can, else copies. */
function linkParts(models: string): void {
  for (const { name, part } of otherNames(models)) {
    const [from, to] = [join(models, part), join(models, name)];
    if (!existsSync(from) || existsSync(to)) continue;
    try {
      linkSync(from, to);
    } catch {
      copyFileSync(from, to);
    }
  }
}

export function sharedParts(): Plugin {
  let models = '';
  let built = '';
  return {
    name: 'tidepool:shared-parts',
    configResolved(config) {
      models = join(config.publicDir, 'models');
      built = join(resolve(config.root, config.build.outDir), 'models');
    },
    configureServer(server) {
      server.middlewares.use(
        (request: IncomingMessage, _response: ServerResponse, next: () => void) => {
          const [path = '', ...query] = (request.url ?? '').split('?');
          const found = /\.onnx_data(?:_\d+)?$/.test(path)
            ? otherNames(models).find(({ name }) => path.endsWith(`/models/${name}`))
            : undefined;
          if (found !== undefined) {
            const start = path.slice(0, path.length - found.name.length);
            request.url = [start + found.part, ...query].join('?');
          }
          next();
        },
      );
    },
    closeBundle() {
      linkParts(built);
    },
  };
}

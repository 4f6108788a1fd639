/** What the build adds for the first second: compressed files beside the built ones, and what a film needs first. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSED = /\.(js|css|wasm|svg)$/;
const LEAST_BYTES = 1024;
const STATIC_IMPORT = /(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g;

/** Writes `NAME.br` and `NAME.gz` beside every file that shrinks; `api/static_files.py` serves them. */
export function compressedFiles(): Plugin {
  return {
    name: 'compressed-files',
    apply: 'build',
    writeBundle(options) {
      for (const name of readdirSync(options.dir ?? '', { recursive: true, encoding: 'utf8' })) {
        if (!COMPRESSED.test(name)) continue;
        const path = join(options.dir ?? '', name);
        const content = readFileSync(path);
        if (content.length < LEAST_BYTES) continue;
        const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: quality }));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

/**
 * Writes `preload.json`: the modules that film.js imports, and the files that its decode worker fetches for an HTJ2K frame.
 * The page names them, so that they come side by side and not one after the other has been read.
 */
export function preloadList(): Plugin {
  return {
    name: 'preload-list',
    apply: 'build',
    writeBundle(options, bundle) {
      const names = Object.keys(bundle);
      const film = bundle['film.js'];
      const modules = film?.type === 'chunk' ? film.imports : [];
      const worker = closure(
        bundle,
        names.filter((name) => /^assets\/decode_worker.*-.*\.js$/.test(name)),
      );
      const codec = closure(
        bundle,
        names.filter((name) => /^assets\/htj2k-.*\.js$/.test(name)),
      );
      const wasm = names.filter((name) => /^assets\/openjph.*\.wasm$/.test(name));
      const list = { modules, worker, htj2k: [...codec, ...wasm].filter((name) => !worker.includes(name)) };
      writeFileSync(join(options.dir ?? '', 'preload.json'), JSON.stringify(list));
    },
  };
}

type Bundle = Record<
  string,
  { type: 'chunk'; code: string } | { type: 'asset'; source: string | Uint8Array }
>;

/** The files and what they import statically, each once. */
function closure(bundle: Bundle, roots: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const output = bundle[name];
    if (!output || found.has(name)) return;
    found.add(name);
    const code = output.type === 'chunk' ? output.code : output.source.toString();
    for (const [, imported] of code.matchAll(STATIC_IMPORT)) visit(`assets/${imported}`);
  };
  roots.forEach(visit);
  return [...found];
}

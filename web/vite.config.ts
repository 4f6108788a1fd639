/** Builds what the pages load into `api/static/dist`: fixed names for pages to link to, hashed ones for the rest. */

import { brotliCompressSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { compressedFiles, preloadList } from './build_plugins';

/** Prints what a phone downloads, and refuses a viewer that has grown beyond its budget (ARCHITECTURE, decision 10). */
function sizeBudget(limitKb: number): Plugin {
  return {
    name: 'size-budget',
    apply: 'build',
    writeBundle(_, bundle) {
      let viewer = 0;
      for (const [name, output] of Object.entries(bundle)) {
        const bytes = output.type === 'chunk' ? output.code : output.source;
        const kb = brotliCompressSync(bytes).length / 1000;
        if (/^film\.js$|^assets\/.*worker.*\.js$/.test(name)) viewer += kb;
        console.log(`${kb.toFixed(1).padStart(8)} kB brotli  ${name}`);
      }
      console.log(`${viewer.toFixed(1).padStart(8)} kB brotli  the viewer's scripts (budget ${limitKb})`);
      if (viewer > limitKb) throw new Error(`the viewer's scripts exceed ${limitKb} kB brotli`);
    },
  };
}

export default defineConfig({
  base: '/static/dist/',
  plugins: [sizeBudget(60), preloadList(), compressedFiles()],
  build: {
    outDir: '../api/static/dist',
    emptyOutDir: true,
    target: 'es2020',
    cssTarget: ['chrome111', 'safari16.4'],
    modulePreload: false,
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      checks: { eval: false, pluginTimings: false }, // htmx holds an eval that its settings forbid (pages/staff.ts)
      input: {
        film: 'src/pages/film.tsx',
        staff: 'src/pages/staff.ts',
        pages: 'src/styles/pages.css',
      },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: (asset) =>
          asset.names[0]?.endsWith('.css') ? '[name][extname]' : 'assets/[name]-[hash][extname]',
      },
    },
  },
  worker: {
    format: 'es',
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
});

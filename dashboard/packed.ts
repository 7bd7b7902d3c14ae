import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_IT = /\.(js|css|svg|json|wasm)$/;
const SMALL = 1024; // bytes: packing less saves no packet on the way

/** Packs what the build wrote, once and as small as can be; the server sends it as it lies there. */
export function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      if (!dir) return;
      for (const name of Object.keys(bundle)) {
        const file = join(dir, name);
        if (!WORTH_IT.test(name)) continue;
        const bytes = readFileSync(file);
        if (bytes.length < SMALL) continue;
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: size }));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

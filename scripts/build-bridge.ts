/**
 * npm run build:bridge: the bridge and all that it needs → dist/bridge.mjs, one file for Node 20.11 and later, with nothing
 * beside it. (Not .js: what that is depends on a package.json, and there is none where it goes.)
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { DIST, ROOT } from "./build.ts";

/** ws is CommonJS and requires Node's modules; Node 20 lacks a function that came with 22. */
const BANNER = `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};`;

const licence = (name: string) => `/* ${name}\n${readFileSync(join(ROOT, "node_modules", name, "LICENSE"), "utf8")}*/`;

/** @returns where the file is */
export async function buildBridge(outfile = join(DIST, "bridge.mjs")): Promise<string> {
  await build({
    entryPoints: [join(ROOT, "scripts/bridge.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // What ws uses if it is there.
    external: ["bufferutil", "utf-8-validate"],
    banner: { js: BANNER },
    footer: { js: ["ltx", "ws"].map(licence).join("\n") },
    legalComments: "inline",
    logLevel: "warning",
  });
  return outfile;
}

if (import.meta.main) console.log(await buildBridge());

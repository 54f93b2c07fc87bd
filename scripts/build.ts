/**
 * npm run build: src/worker.ts and the web pages inside it → dist/worker.js, one ES module for the cloud, for plain workerd
 * and for the tests alike.
 *
 * A page is a folder src/web/<name>/: <name>.ts becomes /<name>.js, <name>.css /<name>.css, index.html /<name>.html. They are
 * written to dist/web/ and embedded as text (module "enjamb:web"), so no assets binding is needed anywhere.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build as bundle, type Plugin } from "esbuild";
import { forBrowsers } from "./for-browsers.ts";
import { openapi } from "./openapi.ts";

export const ROOT = dirname(import.meta.dirname);
export const DIST = join(ROOT, "dist");
/** The bundle the other scripts run; `ENJAMB_WORKER` names another one, and then nothing is built. */
export const WORKER = process.env.ENJAMB_WORKER ?? join(DIST, "worker.js");

const TYPES: Record<string, string> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
};

/** Several test processes may build at once: nobody must read half a file. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, text);
  await rename(draft, path);
}

/** Builds every page. @returns path on the server → text */
async function buildPages(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const folder = join(ROOT, "src/web");
  const pages = existsSync(folder) ? await readdir(folder, { withFileTypes: true }) : [];
  for (const page of pages.filter((entry) => entry.isDirectory())) {
    const at = (name: string) => join(folder, page.name, name);
    for (const entry of [at(`${page.name}.ts`), at(`${page.name}.css`)].filter(existsSync)) {
      const kind = entry.endsWith(".css") ? "css" : "js";
      const { outputFiles } = await bundle({ ...forBrowsers, entryPoints: [entry], write: false });
      files.set(`/${page.name}.${kind}`, outputFiles[0]!.text);
    }
    if (existsSync(at("index.html"))) files.set(`/${page.name}.html`, await readFile(at("index.html"), "utf8"));
    for (const name of (await readdir(at("."))).filter((name) => name.endsWith(".svg"))) {
      files.set(`/${basename(name)}`, await readFile(at(name), "utf8"));
    }
  }
  files.set("/openapi.json", JSON.stringify(openapi()));
  for (const [path, text] of files) await write(join(DIST, "web", path), text);
  return files;
}

/** Module "enjamb:web": the built pages as text, typed in src/edge/web-files.d.ts. */
function embed(files: Map<string, string>): Plugin {
  const records = [...files].map(([path, text]) => {
    const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
    return [path, { type: TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain; charset=utf-8", etag, text }];
  });
  return {
    name: "enjamb:web",
    setup(build) {
      build.onResolve({ filter: /^enjamb:web$/ }, ({ path }) => ({ path, namespace: "enjamb" }));
      build.onLoad({ filter: /.*/, namespace: "enjamb" }, () => ({
        contents: `export const files = ${JSON.stringify(Object.fromEntries(records))};`,
        loader: "js",
      }));
    },
  };
}

/** Builds the worker. @returns its size in bytes and the milliseconds it took */
export async function build(
  entry = join(ROOT, "src/worker.ts"),
  outfile = join(DIST, "worker.js"),
): Promise<{ bytes: number; milliseconds: number }> {
  const start = performance.now();
  const result = await bundle({
    entryPoints: [entry],
    outfile,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
    alias: { events: "node:events" }, // ltx imports it by its old name
    loader: { ".html": "text", ".css": "text" },
    sourcemap: true,
    legalComments: "inline",
    logLevel: "warning",
    plugins: [embed(await buildPages())],
  });
  for (const file of result.outputFiles) await write(file.path, file.text);
  const bytes = result.outputFiles.find((file) => file.path.endsWith(".js"))!.contents.length;
  return { bytes, milliseconds: performance.now() - start };
}

if (import.meta.main) {
  const { bytes, milliseconds } = await build();
  console.log(`dist/worker.js  ${(bytes / 1024).toFixed(0)} KiB  ${milliseconds.toFixed(0)} ms`);
}

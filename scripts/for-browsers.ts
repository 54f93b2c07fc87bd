/** How a script or a style sheet is made for browsers. */
import { readFile } from "node:fs/promises";
import { type BuildOptions, type Plugin, transform } from "esbuild";

/** Styles that a script carries, in a file styles.ts, are made as small as those in a file of their own. */
const styles: Plugin = {
  name: "enjamb:styles",
  setup(build) {
    build.onLoad({ filter: /\/styles\.ts$/ }, async ({ path }) => {
      const [, before, css = "", after] = /^(.*?`)(.*)(`.*)$/s.exec(await readFile(path, "utf8")) ?? [];
      const { code } = await transform(css, { loader: "css", minify: true });
      return { contents: `${before}${code.replaceAll("\\", "\\\\")}${after}`, loader: "ts" };
    });
  },
};

/** lit-html asks for the document when it is loaded, which a server that renders pages may do. */
const NO_DOM = "var document=globalThis.document??{createTreeWalker(){}};";

export const forBrowsers: BuildOptions = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  loader: { ".svg": "dataurl" },
  banner: { js: NO_DOM },
  plugins: [styles],
  logLevel: "warning",
};

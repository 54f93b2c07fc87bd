/** What a page has to load: budgets in bytes, minified and gzipped as they are served. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const WEB = join(import.meta.dirname, "../../../src/web");

test.each([
  ["client/client.ts", 6_000],
  ["embed/embed.ts", 25_000],
  ["embed-tools/embed-tools.ts", 8_000],
  ["embed-strings/embed-strings.ts", 5_000],
  ["landing/landing.ts", 13_000],
])("%s stays within %i", async (entry, budget) => {
  const { outputFiles } = await build({
    entryPoints: [join(WEB, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
  });
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(budget);
});

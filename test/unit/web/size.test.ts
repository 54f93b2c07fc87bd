/** What a page has to load: budgets in bytes, minified and gzipped as they are served. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { forBrowsers } from "../../../scripts/for-browsers.ts";

const WEB = join(import.meta.dirname, "../../../src/web");

async function made(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({ ...forBrowsers, entryPoints: [join(WEB, entry)], write: false });
  return outputFiles[0]!.contents;
}

test.each([
  ["client/client.ts", 6_000],
  ["embed/embed.ts", 25_000],
  ["embed-tools/embed-tools.ts", 8_000],
  ["embed-files/embed-files.ts", 4_000],
  ["embed-strings/embed-strings.ts", 5_000],
  ["landing/landing.ts", 13_000],
])("%s stays within %i", async (entry, budget) => {
  expect(gzipSync(await made(entry), { level: 9 }).length).toBeLessThanOrEqual(budget);
});

test("the widget may be loaded where there is no page, and does nothing there", async () => {
  const text = Buffer.from(await made("embed/embed.ts")).toString("base64");
  await expect(import(`data:text/javascript;base64,${text}`)).resolves.toBeDefined();
});

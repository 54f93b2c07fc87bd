/** Tables of README.md that the code knows better. `UPDATE=1 npx vitest run test/readme.test.ts` rewrites them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addressOf, implemented } from "../scripts/specs.ts";
import { SETTING_NAMES, SETTINGS } from "../src/settings.ts";

const README = join(import.meta.dirname, "../README.md");

/** What stands between `<!-- name -->` and `<!-- /name -->` must be this table. */
function expectTable(name: string, rows: readonly (readonly string[])[]): void {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const table = [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
  const readme = readFileSync(README, "utf8");
  const place = new RegExp(`(<!-- ${name} -->\n)[^]*?\n?(<!-- /${name} -->)`);
  const wanted = readme.replace(place, (_, open: string, close: string) => `${open}${table}\n${close}`);
  if (process.env.UPDATE) writeFileSync(README, wanted);
  else expect(readme).toBe(wanted);
}

test("settings", () => {
  const rows = SETTING_NAMES.map((name) => {
    const { fallback, allowed, about } = SETTINGS[name];
    return [`\`${name}\``, fallback === "" ? "–" : `\`${fallback}\``, allowed, about];
  });
  expectTable("settings", [["variable", "default", "allowed", "what it does"], ...rows]);
});

test("specifications", () => {
  const rows = implemented().map(({ id, title, version, note }) => [`[${id}](${addressOf(id)})`, title, version, note]);
  expectTable("specifications", [["specification", "title", "version", "notes"], ...rows]);
});

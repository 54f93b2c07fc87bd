/** npm run spec-table: runs the conformance tests and prints which section of which specification each proves. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SpecRow } from "../test/support/spec.ts";

const ROOT = dirname(import.meta.dirname);
const folder = mkdtempSync(join(tmpdir(), "enjamb-spec-"));
const file = join(folder, "rows.ndjson");
const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", "--project", "conformance", "--reporter", "dot"], {
  cwd: ROOT,
  stdio: ["ignore", "ignore", "inherit"],
  env: { ...process.env, SPEC_TABLE: file },
});
const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
rmSync(folder, { recursive: true });

const natural = new Intl.Collator("en", { numeric: true });
const rows = lines
  .map((line) => JSON.parse(line) as SpecRow)
  .sort((a, b) => natural.compare(`${a.spec} ${a.section}`, `${b.spec} ${b.section}`));
console.log("| specification | section | what is proved | |\n| --- | --- | --- | --- |");
for (const { spec, section, requirement, passed } of rows) {
  console.log(`| ${spec} | ${section} | ${requirement.replaceAll("|", "\\|")} | ${passed ? "✓" : "✗"} |`);
}
process.exitCode = status ?? 1;

/** `npm run deploy` as far as it goes without a network. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { OBJECTS } from "../../scripts/objects.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Runs wrangler over the configuration as it is; no account, no login, nothing leaves the machine. */
async function dryRun(...args: string[]): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), "enjamb-deploy-"));
  try {
    const script = [join(ROOT, "scripts/deploy.ts"), "--dry-run", "--outdir", out, ...args];
    const { stdout } = await promisify(execFile)(process.execPath, script, {
      cwd: ROOT,
      env: { ...process.env, CLOUDFLARE_API_TOKEN: "", CI: "true" },
    });
    expect(existsSync(join(out, "worker.js"))).toBe(true);
    return stdout;
  } finally {
    rmSync(out, { recursive: true });
  }
}

test("the worker can be deployed: classes bound, no secret wanted", async () => {
  const secrets = existsSync(join(ROOT, ".secrets"));
  const said = await dryRun();
  for (const { binding, className } of OBJECTS) expect(said).toContain(`env.${binding} (${className})`);
  expect(existsSync(join(ROOT, ".secrets"))).toBe(secrets);
}, 60_000);

test("wrangler's own bundler takes it too", async () => {
  expect(await dryRun("--no-bundle=false")).toContain("Total Upload");
}, 60_000);

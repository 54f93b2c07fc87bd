/**
 * npm run deploy: from nothing to a worker on Cloudflare. What follows `--` goes to wrangler (`npm run deploy -- --dry-run`).
 *
 * No secret has to exist: ADMIN_TOKEN and JWT_SECRET are made into .secrets, which git ignores. The first deployment has no domain yet; it takes
 * the host name it is given, which is written into wrangler.toml and deployed again.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, ROOT } from "./build.ts";

const SECRETS = join(ROOT, ".secrets");
const CONFIG = join(ROOT, "wrangler.toml");
const NO_DOMAIN = /^XMPP_DOMAIN\s*=\s*""/m;

/** Runs wrangler in the terminal. @returns the addresses it deployed to */
function wrangler(args: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "enjamb-deploy-"));
  const report = join(folder, "report.ndjson");
  const { status } = spawnSync(
    process.execPath,
    [join(ROOT, "node_modules/wrangler/bin/wrangler.js"), "deploy", ...args],
    {
      cwd: ROOT,
      stdio: "inherit",
      env: { ...process.env, WRANGLER_OUTPUT_FILE_PATH: report, WRANGLER_SEND_METRICS: "false" },
    },
  );
  const lines = existsSync(report) ? readFileSync(report, "utf8").split("\n").filter(Boolean) : [];
  rmSync(folder, { recursive: true });
  if (status !== 0) process.exit(status ?? 1);
  return lines
    .map((line) => JSON.parse(line) as { type: string; targets?: string[] })
    .flatMap((entry) => (entry.type === "deploy" ? (entry.targets ?? []) : []))
    .map((target) => (target.startsWith("http") ? target : `https://${target.split(/[\s/]/, 1)[0]}`));
}

/** A new worker.dev name takes some seconds to be known everywhere. */
async function answers(url: string): Promise<boolean> {
  for (let tries = 0; tries < 30; tries++) {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (response?.ok) return true;
    await new Promise((resume) => setTimeout(resume, 1_000));
  }
  return false;
}

const args = process.argv.slice(2);
await build();
if (args.includes("--dry-run")) {
  wrangler(args);
  process.exit(0);
}
if (!existsSync(SECRETS)) {
  const secret = () => randomBytes(24).toString("base64url");
  const secrets = { ADMIN_TOKEN: secret(), JWT_SECRET: secret() };
  writeFileSync(SECRETS, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
}
const withSecrets = ["--secrets-file", SECRETS, ...args];
const [url] = wrangler(withSecrets);
if (url === undefined) {
  console.log("Deployed, but to no address: add a route or workers_dev = true to wrangler.toml.");
  process.exit(0);
}
const { host } = new URL(url);
const config = readFileSync(CONFIG, "utf8");
if (NO_DOMAIN.test(config)) {
  writeFileSync(CONFIG, config.replace(NO_DOMAIN, `XMPP_DOMAIN = "${host}"`));
  console.log(`\nXMPP_DOMAIN is now ${host} (wrangler.toml). Choose another before there are accounts.\n`);
  wrangler(withSecrets);
}
const up = await answers(url);
console.log(`
  ${up ? "It answers." : "It does not answer yet; new names can take some minutes."}

  Open         ${url}/
  Embed        <script type="module" src="${url}/embed.js"></script>
               <xmpp-chat src="${url}" room="lobby"></xmpp-chat>
               in pages of sites that ALLOWED_ORIGINS names (wrangler.toml)
  Admin token  in ${SECRETS}
  REST API     ${url}/docs
  Check it     npm run doctor -- ${url}
  Accounts     ENJAMB_URL=${url} npm run user -- add you@${host}
`);

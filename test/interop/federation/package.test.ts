/** The bridge as it is handed out: one file, run by whatever Node is there, with nothing beside it. */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildBridge } from "../../../scripts/build-bridge.ts";
import { stage } from "../fixture.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, startBridge } from "./bridge.ts";
import { header, Raw, STARTTLS } from "./raw.ts";

const on = stage({ settings: { BRIDGE_TOKEN } });
const built = mkdtempSync(join(tmpdir(), "enjamb-built-"));
/** The one that runs this, and the machine's own where it is new enough. */
const NODES = [process.execPath, "/usr/bin/node"].filter(
  (node) =>
    existsSync(node) && Number(/^v(\d+)/.exec(execFileSync(node, ["--version"], { encoding: "utf8" }))?.[1]) >= 20,
);

beforeAll(async () => {
  await buildBridge(join(built, "bridge.mjs"));
});

test.each(NODES)("from an empty folder, with %s and its token in a file", async (node) => {
  const folder = mkdtempSync(join(tmpdir(), "enjamb-package-"));
  const keys = mkdtempSync(join(tmpdir(), "enjamb-keys-"));
  const identity = new Authority(keys).issue("here", [on.server.domain]);
  const tokenFile = join(keys, "token");
  writeFileSync(tokenFile, `${BRIDGE_TOKEN}\n`);
  copyFileSync(join(built, "bridge.mjs"), join(folder, "bridge.mjs"));
  const env = { BRIDGE_TOKEN: "", BRIDGE_TOKEN_FILE: tokenFile, HEALTH_PORT: "0", NODE_PATH: "", NODE_OPTIONS: "" };
  const bridge = await startBridge(on.server, identity, env, { command: [node, "bridge.mjs"], cwd: folder });
  on.later(() => bridge.stop());

  const raw = await Raw.connect(bridge.ports.c2s);
  on.later(() => raw.close());
  raw.say(header("", on.server.domain, "jabber:client"));
  await raw.hears(/<\/stream:features>/);
  await raw.handshake(STARTTLS);
  raw.say(header("", on.server.domain, "jabber:client"));
  // These the server itself says, by way of the WebSocket.
  expect(await raw.hears(/<\/stream:features>/)).toContain("SCRAM-SHA-256-PLUS");
  expect(await (await fetch(`http://127.0.0.1:${bridge.ports.health}/health`)).text()).toBe("ok\n");
});

test.runIf(existsSync("/usr/bin/systemd-analyze"))("systemd understands its unit", () => {
  const unit = join(import.meta.dirname, "../../../bridge/enjamb-bridge.service");
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

/** `npm run doctor` before servers that are well, and before some that are not. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startServer, TARGET } from "./server.ts";

const ADMIN = "interop-admin-token-0123456789abcdef";

async function doctor(args: string[], env: Record<string, string> = {}) {
  const script = join(import.meta.dirname, "../../scripts/doctor.ts");
  const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += String(text)));
  const [code] = await once(child, "close");
  return { code, said };
}

const lines = (said: string, mark: string) =>
  said.split("\n").flatMap((line) => (line.startsWith(mark) ? [line.slice(5).trim().split(/\s/)[0]] : []));

test.skipIf(TARGET !== "ours")("a server that is well", async () => {
  const server = await startServer({ settings: { JWT_SECRET: "0123456789abcdef0123456789abcdef" } });
  try {
    const { code, said } = await doctor([server.http], { ADMIN_TOKEN: ADMIN });
    expect(lines(said, "FAIL"), said).toEqual([]);
    expect(lines(said, "–")).toEqual([]);
    expect(code).toBe(0);
    const users = await fetch(`${server.http}/api/v1/users`, { headers: { authorization: `Bearer ${ADMIN}` } });
    expect(await users.json()).toEqual({ users: [] });

    const stranger = await doctor([server.http, "--origin", "https://www.example.org"], {
      ADMIN_TOKEN: "x".repeat(20),
    });
    expect(stranger.code).toBe(1);
    expect(stranger.said).toContain("Add https://www.example.org to ALLOWED_ORIGINS.");
    expect(stranger.said).toContain("Give the server's own ADMIN_TOKEN.");
  } finally {
    await server.stop();
  }
});

test.skipIf(TARGET !== "ours")(
  "one that gives out an address it does not have, and has no tokens or guests",
  async () => {
    const server = await startServer({ settings: { PUBLIC_URL: "https://chat.example.org", ANONYMOUS: "off" } });
    try {
      const { code, said } = await doctor([server.http]);
      expect(code).toBe(1);
      expect(lines(said, "FAIL")).toEqual(["host-meta", "host-meta.json"]);
      expect(lines(said, "–")).toEqual(["guests", "storage", "tokens"]);
      expect(said).toContain(`Set PUBLIC_URL=${server.http}`);
    } finally {
      await server.stop();
    }
  },
);

test("one behind a proxy that swallows what it does not know, and whose clock is wrong", async () => {
  const proxy = createServer((request, response) => {
    response.setHeader("date", new Date(Date.now() - 600_000).toUTCString());
    response.end(request.url === "/info.json" ? '{"domain":"chat.example"}' : "hello");
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  try {
    const { code, said } = await doctor([`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`]);
    expect(code).toBe(1);
    expect(lines(said, "FAIL")).toEqual([
      "clock",
      "host-meta",
      "host-meta.json",
      "embed.js",
      "WebSocket",
      "mechanisms",
    ]);
    expect(said).toContain("Set both by NTP");
  } finally {
    proxy.close();
  }
});

test.each([
  [["http://127.0.0.1:1"], "no answer"],
  [["http://chat.example.org"], "is not encrypted"],
  [["chat"], "npm run doctor --"],
])("%s is nobody's server", async (args, words) => {
  const { code, said } = await doctor(args);
  expect([code, said.includes(words)]).toEqual([1, true]);
});

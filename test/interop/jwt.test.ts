/** Users of a web app log in with its token: the app is examples/login, the clients are the ones that people have. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { client, type XmppClient } from "@xmpp/client";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { event, stage } from "./fixture.ts";
import { type Server as Ours, startServer, TARGET } from "./server.ts";
import { make as makeAgent } from "./stanza-agent.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const on = stage({ settings: { JWT_SECRET: SECRET } });
let app: ChildProcess;
let url: string;

beforeAll(async () => {
  const example = join(import.meta.dirname, "../../examples/login/server.ts");
  const { http, domain } = on.server;
  const env = { ...process.env, PORT: "0", ENJAMB_URL: http, XMPP_DOMAIN: domain, JWT_SECRET: SECRET };
  app = spawn(process.execPath, [example], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: app.stdout as NodeJS.ReadableStream }), "line")) as [string];
  url = line.replace(/^Open (.*)\/$/, "$1");
});
afterAll(async () => {
  app?.kill();
});

/** As the page does it: logs in to the app, and asks it for a token. */
async function tokenOf(user: string): Promise<string> {
  const login = await fetch(`${url}/login?as=${user}`, { redirect: "manual" });
  const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] as string;
  const answer = (await (await fetch(`${url}/token`, { headers: { cookie } })).json()) as {
    token: string;
    nick: string;
  };
  expect(answer.nick).toBe(user);
  return answer.token;
}

async function login(username: string, password: string, server: Ours = on.server): Promise<XmppClient> {
  const { websocket: service, domain } = server;
  // Quirk: told nothing else, it would choose SCRAM, which is of no use with a token.
  const made = client({ service, domain, credentials: (auth) => auth({ username, password }, "PLAIN") });
  made.on("error", () => {});
  on.later(() => made.stop());
  await made.start();
  return made;
}

describe.skipIf(TARGET !== "ours")("the example app", () => {
  test("shows its page to those who are logged in, and gives nobody else a token", async () => {
    expect((await fetch(`${url}/token`)).status).toBe(401);
    const answer = await fetch(`${url}/login?as=juliet`, { redirect: "manual" });
    const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] as string;
    const page = await (await fetch(`${url}/`, { headers: { cookie } })).text();
    expect(page).toContain(`src="${on.server.http}/embed.js"`);
  });

  test("@xmpp/client: the token is the password; the account is made at its first use", async () => {
    const made = await login("mercutio", await tokenOf("mercutio"));
    expect(made.jid.bare().toString()).toBe(`mercutio@${on.server.domain}`);
  });

  test("a token is good for one login and for one user", async () => {
    const token = await tokenOf("paris");
    await expect(login("romeo", token)).rejects.toThrow("not-authorized");
    await login("paris", token);
    await expect(login("paris", token)).rejects.toThrow("not-authorized");
    await expect(login("paris", `${token.slice(0, -4)}AAAA`)).rejects.toThrow("not-authorized");
  });

  test("StanzaJS: by OAUTHBEARER", async () => {
    const token = await tokenOf("tybalt");
    const agent = makeAgent(on, {
      jid: `tybalt@${on.server.domain}`,
      credentials: { token },
      mechanism: "OAUTHBEARER",
    });
    const started = event(agent, "session:started");
    agent.connect();
    await started;
    expect(agent.jid).toMatch(/^tybalt@/);
  });
});

describe.skipIf(TARGET !== "ours")("an identity provider", () => {
  let provider: Server;
  let ours: Ours;
  const keys = new Map<string, CryptoKey>();

  beforeAll(async () => {
    const published: object[] = [];
    for (const alg of ["RS256", "ES256", "EdDSA"]) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      keys.set(alg, privateKey);
      published.push({ ...(await exportJWK(publicKey)), kid: alg, alg });
    }
    provider = createServer((_, response) => response.end(JSON.stringify({ keys: published })));
    provider.listen(0, "127.0.0.1");
    await once(provider, "listening");
    const { port } = provider.address() as AddressInfo;
    ours = await startServer({
      settings: {
        JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks.json`,
        JWT_ISSUER: "https://id.example",
        JWT_AUDIENCE: "chat",
      },
    });
  });
  afterAll(async () => {
    await ours?.stop();
    provider?.close();
  });

  const sign = (alg: string, claims: object = {}) =>
    new SignJWT({ sub: "nurse", iss: "https://id.example", aud: "chat", ...claims })
      .setProtectedHeader({ alg, kid: alg })
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(keys.get(alg) as CryptoKey);

  test.each(["RS256", "ES256", "EdDSA"])("its %s tokens log in", async (alg) => {
    const made = await login("nurse", await sign(alg), ours);
    expect(made.jid.bare().toString()).toBe(`nurse@${ours.domain}`);
    on.later(() => made.stop());
  });

  test("those for another service, and of another issuer, do not", async () => {
    await expect(login("nurse", await sign("ES256", { aud: "mail" }), ours)).rejects.toThrow("not-authorized");
    await expect(login("nurse", await sign("ES256", { iss: "https://x.example" }), ours)).rejects.toThrow(
      "not-authorized",
    );
  });
});

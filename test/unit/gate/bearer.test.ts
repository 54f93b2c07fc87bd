/** RFC 8725: everything that a token must not get away with; security.md C9, C10. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { judgeToken, looksLikeToken } from "../../../src/gate/bearer.ts";
import { parseSettings } from "../../../src/settings.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const OLD = "fedcba9876543210fedcba9876543210";
const DOMAIN = "capulet.example";
const settings = parseSettings({ XMPP_DOMAIN: DOMAIN, JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: OLD });

const now = () => Math.floor(Date.now() / 1000);
const good = (): JWTPayload => ({ sub: "juliet", aud: DOMAIN, iat: now(), exp: now() + 600 });
const bytes = (text: string) => new TextEncoder().encode(text);
const sign = (claims: JWTPayload, secret = SECRET, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: "HS256", ...header }).sign(bytes(secret));

async function reason(token: string, wanted = settings): Promise<string> {
  const verdict = await judgeToken(wanted, token);
  return verdict.ok ? "none" : verdict.reason;
}
async function jid(claims: JWTPayload, wanted = settings): Promise<string | undefined> {
  const verdict = await judgeToken(wanted, await sign(claims));
  return verdict.ok ? verdict.login.jid : undefined;
}

describe("a token that is good", () => {
  test("says who it is for, what they are called and which rooms they are in", async () => {
    const rooms = [{ room: "hall", affiliation: "admin" }, { room: `garden@rooms.${DOMAIN}` }];
    const claims = { ...good(), name: "Juliet C.", jti: "one", rooms };
    expect(await judgeToken(settings, await sign(claims))).toEqual({
      ok: true,
      login: {
        jid: `juliet@${DOMAIN}`,
        name: "Juliet C.",
        issued: (claims.iat ?? 0) * 1000,
        once: { id: "one", expires: ((claims.exp ?? 0) + 60) * 1000 },
        rooms: [
          { room: "hall", affiliation: "admin" },
          { room: `garden@rooms.${DOMAIN}`, affiliation: "member" },
        ],
      },
    });
  });

  test("may be signed with the secret of before", async () => {
    expect(await reason(await sign(good(), OLD))).toBe("none");
    expect(await reason(await sign({ ...good(), exp: now() - 61 }, OLD))).toBe("ERR_JWT_EXPIRED");
  });

  test.each([
    ["juliet", "juliet"],
    ["Juliet", "juliet"],
    [`juliet@${DOMAIN}`, "juliet"],
    ["juliet@example.org", "juliet\\40example.org"],
    ["auth0|1234", "auth0|1234"],
    ["juliet/balcony", "juliet\\2fbalcony"],
    // Else whoever may choose such an id would be somebody else.
    ["juliet\\40example.org", "juliet\\5c40example.org"],
  ])("%s is the account %s", async (sub, local) => {
    expect(await jid({ ...good(), sub })).toBe(`${local}@${DOMAIN}`);
  });

  test("may name its account in another claim", async () => {
    const other = parseSettings({ XMPP_DOMAIN: DOMAIN, JWT_SECRET: SECRET, JWT_USER_CLAIM: "preferred_username" });
    expect(await jid({ ...good(), sub: "0c1d", preferred_username: "juliet" }, other)).toBe(`juliet@${DOMAIN}`);
    expect(await reason(await sign(good()), other)).toContain("preferred_username missing");
  });
});

describe("what a token says is refused:", () => {
  const without = (claim: string) => {
    const { [claim]: _, ...claims } = good();
    return claims;
  };
  test.each<[string, () => JWTPayload, string]>([
    ["no exp", () => without("exp"), "exp missing"],
    ["no aud", () => without("aud"), "aud missing"],
    ["no sub", () => without("sub"), "sub missing"],
    ["expired", () => ({ ...good(), exp: now() - 61 }), "ERR_JWT_EXPIRED"],
    ["not yet", () => ({ ...good(), nbf: now() + 120 }), "nbf check_failed"],
    ["another audience", () => ({ ...good(), aud: "montague.example" }), "aud check_failed"],
    ["longer than a day", () => ({ ...good(), exp: now() + 86_400 + 120 }), "longer than a day"],
    ["longer, and no iat", () => ({ ...without("iat"), exp: now() + 86_400 + 120 }), "longer than a day"],
    ["a short life far away", () => ({ ...good(), iat: now() + 1e8, exp: now() + 1e8 + 60 }), "longer than a day"],
    ["a sub that is no text", () => ({ ...good(), sub: 7 as unknown as string }), "no name of an account"],
    ["an empty sub", () => ({ ...good(), sub: "" }), "no name of an account"],
    ["a sub with a space around", () => ({ ...good(), sub: " juliet" }), "no name of an account"],
    ["the server itself", () => ({ ...good(), sub: `@${DOMAIN}` }), "no name of an account"],
    ["a sub too long", () => ({ ...good(), sub: "x".repeat(1024) }), "no name of an account"],
    ["rooms that are none", () => ({ ...good(), rooms: "hall" }), "wrong shape"],
    [
      "an affiliation that is none",
      () => ({ ...good(), rooms: [{ room: "hall", affiliation: "king" }] }),
      "wrong shape",
    ],
    ["too many rooms", () => ({ ...good(), rooms: Array(51).fill({ room: "hall" }) }), "wrong shape"],
    ["an empty jti", () => ({ ...good(), jti: "" }), "wrong shape"],
  ])("%s", async (_, claims, why) => {
    expect(await reason(await sign(claims()))).toContain(why);
  });

  test("another issuer, or none, where one is set", async () => {
    const strict = parseSettings({ XMPP_DOMAIN: DOMAIN, JWT_SECRET: SECRET, JWT_ISSUER: "https://app.example" });
    expect(await reason(await sign(good()), strict)).toContain("iss missing");
    expect(await reason(await sign({ ...good(), iss: "https://evil.example" }), strict)).toContain("iss check_failed");
    expect(await reason(await sign({ ...good(), iss: "https://app.example" }), strict)).toBe("none");
  });
});

describe("how a token is signed is refused:", () => {
  test("not at all (alg none)", async () => {
    const token = new UnsecuredJWT(good()).encode();
    expect(await reason(token)).not.toBe("none");
    const parts = (await sign(good())).split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    expect(await reason(`${none}.${parts[1]}.`)).not.toBe("none");
    expect(await reason(`${none}.${parts[1]}.${parts[2]}`)).not.toBe("none");
  });

  test("with another secret", async () => {
    expect(await reason(await sign(good(), "another secret of the same length"))).toContain("SIGNATURE");
  });

  test("with another HMAC", async () => {
    const token = await new SignJWT(good()).setProtectedHeader({ alg: "HS512" }).sign(bytes(SECRET.repeat(2)));
    expect(await reason(token)).not.toBe("none");
  });

  test("over other claims", async () => {
    const [head, , tail] = (await sign(good())).split(".");
    const claims = Buffer.from(JSON.stringify({ ...good(), sub: "nurse" })).toString("base64url");
    expect(await reason(`${head}.${claims}.${tail}`)).toContain("SIGNATURE");
  });

  test.each(["logout+jwt", "dpop+jwt", "secevent+jwt"])("as %s", async (typ) => {
    expect(await reason(await sign(good(), SECRET, { typ }))).toContain("another type");
  });

  test.each([
    { jku: "http://127.0.0.1:1/" },
    { x5u: "http://127.0.0.1:1/" },
    { kid: "../../../../dev/null" },
    { kid: "http://127.0.0.1:1/" },
  ])("a key of its own choice is not fetched: %o", async (header) => {
    // The header is there and means nothing: the key is ours.
    expect(await reason(await sign(good(), SECRET, header))).toBe("none");
    expect(await reason(await sign(good(), "x".repeat(32), header))).toContain("SIGNATURE");
  });

  test("with an extension that nobody here knows (crit)", async () => {
    const header = Buffer.from('{"alg":"HS256","crit":["exp"],"exp":1}').toString("base64url");
    const claims = Buffer.from(JSON.stringify(good())).toString("base64url");
    const mac = createHmac("sha256", SECRET).update(`${header}.${claims}`).digest("base64url");
    expect(await reason(`${header}.${claims}.${mac}`)).not.toBe("none");
  });

  test.each([
    ["nothing", ""],
    ["no token", "a.b.c"],
    ["an empty one", "eyJhbGciOiJIUzI1NiJ9.."],
    ["half of JSON", "eyJ.eyJ.eyJ"],
    ["far too much", "x".repeat(10_000)],
  ])("as %s", async (_, token) => {
    expect(await reason(token)).not.toBe("none");
  });

  test("where no tokens are taken at all", async () => {
    expect(await reason(await sign(good()), parseSettings({ XMPP_DOMAIN: DOMAIN }))).toBe("ERR_JOSE_NOT_SUPPORTED");
  });
});

describe("an identity provider's key set", () => {
  let server: Server;
  let asked = 0;
  let answer: () => { status: number; body: string };
  let withKeys: (env?: Record<string, string>) => ReturnType<typeof parseSettings>;
  const pairs = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>();
  const by = (alg: string, kid = alg, as = alg) =>
    new SignJWT(good()).setProtectedHeader({ alg: as, kid }).sign(pairs.get(alg)?.privateKey as CryptoKey);

  beforeAll(async () => {
    const keys: object[] = [];
    for (const alg of ["RS256", "ES256", "EdDSA", "PS256"]) {
      const pair = await generateKeyPair(alg, { extractable: true });
      pairs.set(alg, pair);
      keys.push({ ...(await exportJWK(pair.publicKey)), kid: alg, use: "sig" });
    }
    answer = () => ({ status: 200, body: JSON.stringify({ keys }) });
    server = createServer((_, response) => {
      asked++;
      const { status, body } = answer();
      response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    let sets = 0;
    withKeys = (env = {}) =>
      // A path of its own each time: key sets are cached by address.
      parseSettings({ XMPP_DOMAIN: DOMAIN, JWT_JWKS_URL: `http://127.0.0.1:${port}/${sets++}`, ...env });
  });
  afterAll(() => void server.close());

  test.each(["RS256", "ES256", "EdDSA"])("%s is taken", async (alg) => {
    expect(await reason(await by(alg), withKeys())).toBe("none");
  });

  test("is fetched once for many tokens, and beside a secret", async () => {
    const both = withKeys({ JWT_SECRET: SECRET });
    asked = 0;
    expect(await reason(await by("RS256"), both)).toBe("none");
    expect(await reason(await by("ES256"), both)).toBe("none");
    expect(await reason(await sign(good()), both)).toBe("none");
    expect(asked).toBe(1);
  });

  test("an algorithm that is not on the list is refused", async () => {
    expect(await reason(await by("PS256"), withKeys())).toBe("ERR_JOSE_ALG_NOT_ALLOWED");
  });

  test("CVE-2022-29217: its public key is no secret of ours", async () => {
    const pem = await exportSPKI(pairs.get("RS256")?.publicKey as CryptoKey);
    for (const kid of ["RS256", "other"])
      expect(await reason(await sign(good(), pem, { kid }), withKeys({ JWT_SECRET: SECRET }))).not.toBe("none");
    expect(await reason(await sign(good(), pem, { kid: "RS256" }), withKeys())).toBe("ERR_JOSE_ALG_NOT_ALLOWED");
  });

  test("a stranger's key is refused, whatever kid it claims, and brings no key along", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(publicKey);
    const forged = (header: object) =>
      new SignJWT(good()).setProtectedHeader({ alg: "ES256", ...header }).sign(privateKey);
    const wanted = withKeys();
    expect(await reason(await forged({ kid: "ES256" }), wanted)).toContain("SIGNATURE");
    expect(await reason(await forged({ kid: "../ES256" }), wanted)).toBe("ERR_JWKS_NO_MATCHING_KEY");
    expect(await reason(await forged({ kid: "ES256", jwk }), wanted)).toContain("SIGNATURE");
  });

  test("tokens with unknown kids make nobody fetch it again and again", async () => {
    const wanted = withKeys();
    asked = 0;
    for (let i = 0; i < 5; i++) expect(await reason(await by("ES256", `k${i}`), wanted)).toContain("NO_MATCHING_KEY");
    expect(asked).toBe(1);
  });

  test.each([
    ["an error", { status: 500, body: "" }],
    ["a way elsewhere", { status: 302, body: "" }],
    ["no JSON", { status: 200, body: "<html>" }],
    ["no key set", { status: 200, body: "{}" }],
  ])("that is %s says nothing about the token: try again later", async (_, said) => {
    const before = answer;
    answer = () => said;
    try {
      expect(await judgeToken(withKeys(), await by("ES256"))).toMatchObject({
        ok: false,
        condition: "temporary-auth-failure",
      });
    } finally {
      answer = before;
    }
  });
});

test("a password that looks like a token is one; others are passwords", async () => {
  expect(looksLikeToken(await sign(good()))).toBe(true);
  for (const password of ["", "eyJ", "correct.horse.battery", "eyJ a.b.c"])
    expect(looksLikeToken(password)).toBe(false);
});

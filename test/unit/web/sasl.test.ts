import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { withToken } from "../../../src/web/client/bearer.ts";
import { anonymous, hashedToken, type Offer, SaslError } from "../../../src/web/client/sasl.ts";
import { withPassword } from "../../../src/web/client/scram.ts";

const romeo = withPassword("romeo", "pencil\u00a0case");
const offer = (mechanisms: string[], more: Partial<Offer> = {}): Offer => ({
  mechanisms,
  secure: true,
  pinned: false,
  ...more,
});

/** A server's side of RFC 5802, written with node:crypto. */
function server(hash: string, password: string, first: string, extra = "") {
  const bare = first.slice(3);
  const nonce = `${/r=(.*)/.exec(bare)![1]}server`;
  const challenge = `r=${nonce},s=${btoa("saltsalt")},i=4096${extra}`;
  const bytes = createHash(hash).digest().length;
  const salted = pbkdf2Sync(password, "saltsalt", 4096, bytes, hash);
  const mac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
  const clientKey = mac(salted, "Client Key");
  const signed = `${bare},${challenge},c=biws,r=${nonce}`;
  const mask = mac(createHash(hash).update(clientKey).digest(), signed);
  return {
    challenge,
    proof: `c=biws,r=${nonce},p=${Buffer.from(clientKey.map((byte, i) => byte ^ mask[i]!)).toString("base64")}`,
    signature: `v=${mac(mac(salted, "Server Key"), signed).toString("base64")}`,
  };
}

describe("SCRAM (RFC 5802, 7677)", () => {
  test.each([
    ["SHA-1", "sha1"],
    ["SHA-256", "sha256"],
    ["SHA-512", "sha512"],
  ])("%s proves itself, and wants proof", async (name, hash) => {
    const exchange = (await romeo(offer([`SCRAM-${name}`, "PLAIN"])))!;
    expect(exchange.mechanism).toBe(`SCRAM-${name}`);
    const { challenge, proof, signature } = server(hash, "pencil case", exchange.first);
    expect(await exchange.next(challenge)).toBe(proof);
    expect(await exchange.next(signature)).toBe("");
  });

  test("a server that does not know the password is left", async () => {
    const exchange = (await romeo(offer(["SCRAM-SHA-256"])))!;
    const { challenge, signature } = server("sha256", "guess", exchange.first);
    await exchange.next(challenge);
    await expect(exchange.next(signature)).rejects.toThrow(SaslError);
  });

  test("so is one that skips its proof, changes the nonce, or wants too many rounds", async () => {
    const fresh = async () => (await romeo(offer(["SCRAM-SHA-256"])))!;
    await expect((await fresh()).next("")).rejects.toThrow(SaslError);
    await expect((await fresh()).next(`r=mine,s=${btoa("salt")},i=4096`)).rejects.toThrow(SaslError);
    const exchange = await fresh();
    const { challenge } = server("sha256", "pencil case", exchange.first);
    await expect(exchange.next(challenge.replace("i=4096", "i=99999999"))).rejects.toThrow(SaslError);
  });

  test("XEP-0474: a list of mechanisms that was tampered with ends the login", async () => {
    const S = "PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256";
    const h = (text: string) => `,h=${createHash("sha256").update(text).digest("base64")}`;
    const login = async (extra: string, bindings?: string[]) => {
      const exchange = (await romeo(offer(["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"], { bindings })))!;
      return exchange.next(server("sha256", "pencil case", exchange.first, extra).challenge);
    };
    await expect(login(h(S))).resolves.toContain("p=");
    await expect(login(h(`${S}\x1ftls-exporter`), ["tls-exporter"])).resolves.toContain("p=");
    await expect(login(h(`${S}\x1eSCRAM-SHA-512`))).rejects.toThrow(SaslError);
  });
});

describe("a password in the clear", () => {
  test("is sent where it is safe", async () => {
    expect((await romeo(offer(["PLAIN"])))!.first).toBe("\0romeo\0pencil case");
  });
  test("is not sent without TLS, nor once SCRAM has been used", async () => {
    expect(await romeo(offer(["PLAIN"], { secure: false }))).toBeUndefined();
    expect(await romeo(offer(["PLAIN"], { pinned: true }))).toBeUndefined();
  });
});

test("a token goes by OAUTHBEARER, else as PLAIN's password", async () => {
  const bearer = withToken(async () => "e.y.J", "romeo");
  const first = async (mechanisms: string[]) => (await bearer(offer(mechanisms)))?.first;
  expect(await first(["PLAIN", "OAUTHBEARER"])).toBe("n,,\x01auth=Bearer e.y.J\x01\x01");
  expect(await first(["PLAIN"])).toBe("\0romeo\0e.y.J");
  expect(await bearer(offer(["OAUTHBEARER"], { secure: false }))).toBeUndefined();
});

test("a guest names nobody", async () => {
  expect(await anonymous(offer(["PLAIN", "ANONYMOUS"]))).toMatchObject({ mechanism: "ANONYMOUS", first: "" });
  expect(await anonymous(offer(["PLAIN"]))).toBeUndefined();
});

test("HT-SHA-256-NONE: both sides prove that they know the token (XEP-0484)", async () => {
  const mac = (role: string) => createHmac("sha256", "secret-token").update(role).digest("binary");
  const exchange = await hashedToken("romeo", "secret-token");
  expect(exchange.first).toBe(`romeo\0${mac("Initiator")}`);
  expect(await exchange.next(mac("Responder"))).toBe("");
  await expect(exchange.next(mac("Initiator"))).rejects.toThrow(SaslError);
});

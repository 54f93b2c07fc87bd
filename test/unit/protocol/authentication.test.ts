import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type AuthenticationState,
  begin,
  type ChannelBinding,
  conclude,
  type Environment,
  offeredMechanisms,
  respond,
  type Step,
  supply,
} from "../../../src/protocol/authentication.ts";
import { readBearer, readHashedToken, readPlain, verifyToken } from "../../../src/protocol/sasl-messages.ts";
import { deriveKeys, downgradeHash, HASHES, type Hash } from "../../../src/protocol/scram.ts";

const bytes = (text: string) => Buffer.from(text);
const EXPORTER: ChannelBinding = { type: "tls-exporter", data: bytes("exported keying material") };
const ENDPOINT: ChannelBinding = { type: "tls-server-end-point", data: bytes("certificate hash") };

function environment(offer: { bindings?: ChannelBinding[] } = {}): Environment {
  const everything = { scram: true, plain: true, oauthbearer: true, anonymous: true, external: true };
  return { mechanisms: offeredMechanisms({ ...everything, ...offer }), ...offer };
}

const ENV = environment();
const BOUND = environment({ bindings: [EXPORTER, ENDPOINT] });

/** The kind of step wanted, or a failure of the test. */
function expectStep<K extends Step["step"]>(step: Step, kind: K): Extract<Step, { step: K }> {
  expect(step).toMatchObject({ step: kind });
  return step as Extract<Step, { step: K }>;
}

/** As a socket attachment would: nothing but JSON crosses from one step to the next. */
const hibernate = (state: AuthenticationState): AuthenticationState => JSON.parse(JSON.stringify(state));

function clientFinal(hash: Hash, password: string, gs2: Uint8Array, bare: string, serverFirst: string): string {
  const digest = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" }[hash];
  const length = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 }[hash];
  const [, nonce = "", salt = "", iterations = ""] = /r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(iterations), length, digest);
  const clientKey = createHmac(digest, salted).update("Client Key").digest();
  const storedKey = createHash(digest).update(clientKey).digest();
  const unsigned = `c=${Buffer.from(gs2).toString("base64")},r=${nonce}`;
  const signature = createHmac(digest, storedKey).update(`${bare},${serverFirst},${unsigned}`).digest();
  return `${unsigned},p=${Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0))).toString("base64")}`;
}

describe("offered mechanisms", () => {
  test("strongest first, -PLUS only with something to bind to", () => {
    expect(offeredMechanisms({ scram: true, plain: true })).toEqual([
      "SCRAM-SHA-512",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
    ]);
    expect(BOUND.mechanisms.slice(0, 4)).toEqual([
      "SCRAM-SHA-512-PLUS",
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-1-PLUS",
      "EXTERNAL",
    ]);
    expect(offeredMechanisms({})).toEqual([]);
  });

  test("nothing else is accepted", () => {
    expect(begin("PLAIN", bytes("\0a\0b"), { mechanisms: ["SCRAM-SHA-1"] })).toMatchObject({
      condition: "invalid-mechanism",
    });
    expect(begin("HT-SHA-256-NONE", bytes("a\0b"), ENV)).toMatchObject({ condition: "invalid-mechanism" });
    expect(begin("SCRAM-SHA-1-PLUS", bytes("p=tls-exporter,,n=a,r=b"), ENV)).toMatchObject({
      condition: "invalid-mechanism",
    });
  });
});

describe.each(HASHES)("SCRAM-%s", (hash) => {
  const credentials = deriveKeys("pencil", { iterations: 4096 }) ?? {};

  test("from the first message to success", () => {
    const keys = expectStep(begin(`SCRAM-${hash}`, bytes("n,a=romeo@x,n=romeo,r=abc"), ENV), "keys");
    expect(keys).toMatchObject({ username: "romeo", authzid: "romeo@x" });
    const challenge = expectStep(supply(hibernate(keys.state), credentials), "challenge");
    expect(challenge.data).toContain(`,h=${downgradeHash(hash, ENV.mechanisms)}`);
    const final = clientFinal(hash, "pencil", bytes("n,a=romeo@x,"), "n=romeo,r=abc", challenge.data);
    const success = expectStep(respond(hibernate(challenge.state), bytes(final), ENV), "success");
    expect(success).toMatchObject({ username: "romeo", authzid: "romeo@x", data: expect.stringMatching(/^v=/) });
  });

  test("a wrong password fails", () => {
    const keys = expectStep(begin(`SCRAM-${hash}`, bytes("n,,n=romeo,r=abc"), ENV), "keys");
    const challenge = expectStep(supply(keys.state, credentials), "challenge");
    const final = clientFinal(hash, "pen", bytes("n,,"), "n=romeo,r=abc", challenge.data);
    expect(respond(challenge.state, bytes(final), ENV)).toMatchObject({ step: "failure", condition: "not-authorized" });
  });

  test("channel binding: the right data passes, other data fails", () => {
    for (const [data, outcome] of [
      [EXPORTER.data, "success"],
      [ENDPOINT.data, "failure"],
    ] as const) {
      const keys = expectStep(begin(`SCRAM-${hash}-PLUS`, bytes("p=tls-exporter,,n=romeo,r=abc"), BOUND), "keys");
      const challenge = expectStep(supply(hibernate(keys.state), credentials), "challenge");
      const types = ["tls-exporter", "tls-server-end-point"];
      expect(challenge.data).toContain(`,h=${downgradeHash(hash, BOUND.mechanisms, types)}`);
      const gs2 = Buffer.concat([bytes("p=tls-exporter,,"), data]);
      const final = clientFinal(hash, "pencil", gs2, "n=romeo,r=abc", challenge.data);
      expect(respond(hibernate(challenge.state), bytes(final), BOUND).step).toBe(outcome);
    }
  });

  test("an account without keys of this hash fails", () => {
    const keys = expectStep(begin(`SCRAM-${hash}`, bytes("n,,n=romeo,r=abc"), ENV), "keys");
    expect(supply(keys.state, {})).toMatchObject({ step: "failure", condition: "not-authorized" });
  });
});

describe("RFC 5802 §6: gs2 flags", () => {
  test.each([
    ["SCRAM-SHA-1", "n,,n=a,r=b", ENV, "keys", undefined],
    ["SCRAM-SHA-1", "y,,n=a,r=b", ENV, "keys", undefined],
    ["SCRAM-SHA-1", "p=tls-exporter,,n=a,r=b", ENV, "failure", "malformed-request"],
    ["SCRAM-SHA-1", "n,,n=a,r=b", BOUND, "keys", undefined],
    ["SCRAM-SHA-1", "y,,n=a,r=b", BOUND, "failure", "not-authorized"],
    ["SCRAM-SHA-1-PLUS", "n,,n=a,r=b", BOUND, "failure", "malformed-request"],
    ["SCRAM-SHA-1-PLUS", "p=tls-unique,,n=a,r=b", BOUND, "failure", "not-authorized"],
  ] as const)("%s %s", (mechanism, message, env, step, condition) => {
    expect(begin(mechanism, bytes(message), env)).toMatchObject({ step, ...(condition && { condition }) });
  });
});

describe("RFC 4616: PLAIN", () => {
  test("is the caller's to judge, and the state keeps no password", () => {
    const step = expectStep(begin("PLAIN", bytes("\0romeo\0pencil"), ENV), "password");
    expect(step).toMatchObject({ username: "romeo", password: "pencil", authzid: undefined });
    expect(JSON.stringify(step.state)).not.toContain("pencil");
    expect(conclude(hibernate(step.state), { ok: true })).toMatchObject({ step: "success", username: "romeo" });
    expect(conclude(step.state, { ok: false, reason: "wrong" })).toMatchObject({ condition: "not-authorized" });
    expect(conclude(step.state, { ok: false, reason: "off", condition: "account-disabled" })).toMatchObject({
      condition: "account-disabled",
    });
  });

  test("without an initial response it is asked for", () => {
    const challenge = expectStep(begin("PLAIN", undefined, ENV), "challenge");
    expect(challenge.data).toBe("");
    expectStep(respond(hibernate(challenge.state), bytes("romeo@x\0romeo\0pencil"), ENV), "password");
  });

  test.each(["", "romeo\0pencil", "\0romeo\0", "\0\0pencil", "\0romeo\0pen\0cil", `\0${"r".repeat(1024)}\0p`])(
    "%j is malformed",
    (message) => expect(readPlain(bytes(message))).toBeUndefined(),
  );

  test("bytes that are no UTF-8 are malformed", () => {
    expect(readPlain(Buffer.concat([bytes("\0romeo\0"), Buffer.of(0xc0, 0x80)]))).toBeUndefined();
  });
});

describe("RFC 7628: OAUTHBEARER", () => {
  const example =
    "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";

  test("§4.1: the example", () => {
    expect(readBearer(bytes(example))).toEqual({
      authzid: "user@example.com",
      token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
    });
  });

  test("success names whom the token is for", () => {
    const step = expectStep(begin("OAUTHBEARER", bytes("n,,\x01auth=Bearer t.o.k\x01\x01"), ENV), "bearer");
    expect(step).toMatchObject({ token: "t.o.k", authzid: undefined });
    expect(conclude(hibernate(step.state), { ok: true, username: "romeo" })).toMatchObject({ username: "romeo" });
  });

  test("§3.2.3: a refusal is told, answered, and then fails", () => {
    const step = expectStep(begin("OAUTHBEARER", bytes("n,,\x01auth=Bearer t.o.k\x01\x01"), ENV), "bearer");
    const told = expectStep(conclude(step.state, { ok: false, reason: "expired" }), "challenge");
    expect(JSON.parse(told.data)).toEqual({ status: "invalid_token" });
    expect(respond(hibernate(told.state), bytes("\x01"), ENV)).toMatchObject({ condition: "not-authorized" });
  });

  test.each([
    "\x01",
    "n,,\x01\x01",
    "n,,\x01auth=Basic abc\x01\x01",
    "n,,\x01auth=Bearer \x01\x01",
    "n,,\x01auth=Bearer a b\x01\x01",
    "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
    "n,,\x01auth=Bearer a\x01",
    "p=tls-exporter,,\x01auth=Bearer a\x01\x01",
    "n,a=x=y,\x01auth=Bearer a\x01\x01",
  ])("%j is malformed", (message) => expect(readBearer(bytes(message))).toBeUndefined());
});

describe("ANONYMOUS and EXTERNAL", () => {
  test("RFC 4505: a trace may be left out, but has a limit", () => {
    for (const trace of [undefined, bytes(""), bytes("sirhc")]) {
      expect(begin("ANONYMOUS", trace, ENV)).toEqual({
        step: "success",
        username: undefined,
        authzid: undefined,
        data: undefined,
      });
    }
    expect(begin("ANONYMOUS", bytes("x".repeat(256)), ENV)).toMatchObject({ condition: "malformed-request" });
  });

  test("RFC 4422 appendix A: with and without an authzid", () => {
    expect(begin("EXTERNAL", bytes(""), ENV)).toMatchObject({ step: "external", authzid: undefined });
    const step = expectStep(begin("EXTERNAL", bytes("montague.example"), ENV), "external");
    expect(conclude(step.state, { ok: true, username: "montague.example" })).toMatchObject({
      step: "success",
      authzid: "montague.example",
    });
  });
});

describe("HT-SHA-256", () => {
  const token = "secret-token";
  const message = (side: string, binding: Uint8Array = bytes("")) =>
    createHmac("sha256", token)
      .update(Buffer.concat([bytes(side), binding]))
      .digest();

  test("NONE: the token's holder passes and gets the responder's hash", () => {
    const initial = Buffer.concat([bytes("romeo\0"), message("Initiator")]);
    const step = expectStep(begin("HT-SHA-256-NONE", initial, { ...ENV, fast: ["HT-SHA-256-NONE"] }), "token");
    expect(step.username).toBe("romeo");
    const proof = JSON.parse(JSON.stringify(step.proof));
    expect(verifyToken("other", proof)).toBeUndefined();
    const data = verifyToken(token, proof);
    const success = expectStep(conclude(hibernate(step.state), { ok: true, data: data ?? "" }), "success");
    expect(Buffer.from(success.data ?? "")).toEqual(message("Responder"));
  });

  test("EXPR signs the channel binding too", () => {
    const env = { ...BOUND, fast: ["HT-SHA-256-EXPR"] };
    for (const [data, good] of [
      [EXPORTER.data, true],
      [ENDPOINT.data, false],
    ] as const) {
      const initial = Buffer.concat([bytes("romeo\0"), message("Initiator", data)]);
      const step = expectStep(begin("HT-SHA-256-EXPR", initial, env), "token");
      expect(verifyToken(token, step.proof) !== undefined).toBe(good);
    }
    expect(
      begin("HT-SHA-256-EXPR", bytes(`a\0${"x".repeat(32)}`), { ...ENV, fast: ["HT-SHA-256-EXPR"] }),
    ).toMatchObject({
      condition: "not-authorized",
    });
  });

  test.each(["", "romeo", "romeo\0short", `\0${"x".repeat(32)}`, `romeo\0${"x".repeat(33)}`])(
    "%j is malformed",
    (text) => expect(readHashedToken(bytes(text))).toBeUndefined(),
  );
});

test("a step out of turn fails", () => {
  const { state } = expectStep(begin("PLAIN", bytes("\0a\0b"), ENV), "password");
  expect(respond(state, bytes(""), ENV)).toMatchObject({ step: "failure", condition: "malformed-request" });
  expect(supply(state, {})).toMatchObject({ step: "failure", condition: "malformed-request" });
  expect(conclude({ at: "refused" }, { ok: true })).toMatchObject({ step: "failure", condition: "malformed-request" });
});

import { describe, expect, test } from "vitest";
import {
  type Credentials,
  deriveKeys,
  downgradeHash,
  fakeKeys,
  HASHES,
  type Hash,
  ITERATIONS,
  MAX_ITERATIONS,
  parseClientFirst,
  serverFirst,
  verifyFinal,
  verifyPlain,
} from "../../../src/protocol/scram.ts";

/** A dialogue printed in a specification: what the server says must come out of ours to the letter. */
interface Dialogue {
  hash: Hash;
  clientFirst: string;
  serverFirst: string;
  clientFinal: string;
  serverFinal: string;
  binding?: string;
}

const DIALOGUES: Record<string, Dialogue> = {
  "RFC 5802 §5": {
    hash: "SHA-1",
    clientFirst: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    clientFinal: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    serverFinal: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  "RFC 7677 §3": {
    hash: "SHA-256",
    clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    clientFinal:
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
  "XEP-0474 §6.3, with downgrade protection and an extension": {
    hash: "SHA-1",
    clientFirst: "p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6",
    serverFirst:
      "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=",
    clientFinal:
      "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=",
    serverFinal: "v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=",
    binding: Buffer.from("THIS IS FAKE CB DATA").toString("base64"),
  },
};

function play(dialogue: Dialogue) {
  const [, nonce = "", salt = "", iterations = ""] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(dialogue.serverFirst) ?? [];
  const first = parseClientFirst(dialogue.clientFirst);
  const keys = deriveKeys("pencil", { salt, iterations: Number(iterations) })?.[dialogue.hash];
  if (!first || !keys) throw new Error("vector does not parse");
  return serverFirst(dialogue.hash, first, keys, {
    nonce: nonce.slice(first.nonce.length),
    bindingData: Buffer.from(dialogue.binding ?? "", "base64"),
    downgrade: /h=(.+)$/.exec(dialogue.serverFirst)?.[1],
  });
}

describe.each(Object.entries(DIALOGUES))("%s", (_name, dialogue) => {
  const { message, challenge } = play(dialogue);

  test("server-first-message", () => expect(message).toBe(dialogue.serverFirst));

  test("a state survives JSON, and the proof is accepted", () => {
    const revived = JSON.parse(JSON.stringify(challenge));
    expect(verifyFinal(revived, dialogue.clientFinal)).toEqual({ ok: true, serverFinal: dialogue.serverFinal });
  });

  test.each([
    ["another proof", /p=.(.*)$/, "p=A$1", "not-authorized"],
    ["a short proof", /p=.*$/, "p=AAAA", "not-authorized"],
    ["another nonce", /,r=./, ",r=_", "not-authorized"],
    ["another gs2 header", /^c=[^,]+/, "c=eSws", "not-authorized"],
    ["another extension", /,p=/, ",x=1,p=", "not-authorized"],
    ["no proof", /,p=.*$/, "", "malformed-request"],
    ["something behind the proof", /$/, ",x=1", "malformed-request"],
  ])("%s is refused", (_what, pattern, replacement, condition) => {
    expect(verifyFinal(challenge, dialogue.clientFinal.replace(pattern, replacement))).toMatchObject({
      ok: false,
      condition,
    });
  });
});

describe("client-first-message", () => {
  test.each<[string, object]>([
    ["n,,n=user,r=abc", { flag: "n", username: "user", nonce: "abc", gs2: "n,,", bare: "n=user,r=abc" }],
    ["y,,n=user,r=abc", { flag: "y" }],
    ["n,a=u=2Cv=3Dw@x,n=a=2Cb=3Dc,r=abc", { authzid: "u,v=w@x", username: "a,b=c", gs2: "n,a=u=2Cv=3Dw@x," }],
    ["p=tls-exporter,,n=user,r=abc,x=1", { flag: "p", binding: "tls-exporter", bare: "n=user,r=abc,x=1" }],
  ])("%s", (message, expected) => expect(parseClientFirst(message)).toMatchObject(expected));

  test.each([
    "",
    "n=user,r=abc",
    "n,n=user,r=abc",
    "x,,n=user,r=abc",
    "p=,,n=user,r=abc",
    "n,,n=,r=abc",
    "n,,n=user",
    "n,,n=user,r=",
    "n,,n=us=er,r=abc",
    "n,,n=us=2cer,r=abc",
    "n,,r=abc,n=user",
    "n,,m=must,n=user,r=abc",
    "n,,n=user,r=a\u00e9",
    "n,,n=user,r=abc,",
  ])("%j is malformed", (message) => expect(parseClientFirst(message)).toBeUndefined());

  test("has limits", () => {
    expect(parseClientFirst(`n,,n=user,r=${"a".repeat(257)}`)).toBeUndefined();
    expect(parseClientFirst(`n,,n=${"a".repeat(5000)},r=abc`)).toBeUndefined();
  });
});

describe("server nonce", () => {
  test("has 128 random bits or more and begins with the client's", () => {
    const first = parseClientFirst("n,,n=user,r=abc");
    const keys = fakeKeys("secret", "user")["SHA-1"];
    if (!first || !keys) throw new Error("unreachable");
    const nonces = Array.from({ length: 50 }, () => serverFirst("SHA-1", first, keys).challenge.nonce);
    expect(new Set(nonces).size).toBe(50);
    for (const nonce of nonces) expect(nonce).toMatch(/^abc[A-Za-z0-9+/]{22,}$/);
  });
});

describe("stored passwords", () => {
  const stored = deriveKeys("pencil");

  test("have keys of each hash under one random salt", () => {
    expect(Object.keys(stored ?? {})).toEqual([...HASHES]);
    for (const hash of HASHES) expect(stored?.[hash]?.iterations).toBe(ITERATIONS);
    expect(Buffer.from(stored?.["SHA-1"]?.salt ?? "", "base64")).toHaveLength(16);
    expect(deriveKeys("pencil")?.["SHA-1"]?.salt).not.toBe(stored?.["SHA-1"]?.salt);
  });

  test("verify PLAIN, whichever hash there is", () => {
    for (const hashes of [HASHES, ["SHA-1"], ["SHA-512"]] as const) {
      const credentials = deriveKeys("pencil", { hashes, iterations: 4096 }) ?? {};
      expect(verifyPlain(credentials, "pencil")).toBe(true);
      expect(verifyPlain(credentials, "Pencil")).toBe(false);
      expect(verifyPlain(credentials, "")).toBe(false);
    }
    expect(verifyPlain({}, "pencil")).toBe(false);
  });

  test("are prepared by SASLprep on both ways", () => {
    const credentials = deriveKeys("I\u00adX \u2168", { iterations: 1 }) ?? {};
    expect(verifyPlain(credentials, "IX\u00a0IX")).toBe(true);
    expect(deriveKeys("\u00ad")).toBeUndefined();
    expect(deriveKeys("")).toBeUndefined();
    expect(deriveKeys("bell\u0007")).toBeUndefined();
  });

  test("refuse more iterations than production runs", () => {
    expect(() => deriveKeys("pencil", { iterations: MAX_ITERATIONS + 1 })).toThrow(RangeError);
    expect(() => deriveKeys("pencil", { iterations: 0 })).toThrow(RangeError);
    const foreign: Credentials = { "SHA-256": { salt: "AAAA", iterations: 600_000, storedKey: "", serverKey: "" } };
    expect(() => verifyPlain(foreign, "pencil")).toThrow(RangeError);
  });
});

describe("names without an account", () => {
  test("get the same keys each time, shaped like real ones", () => {
    const fake = fakeKeys("secret", "nobody");
    expect(fakeKeys("secret", "nobody")).toEqual(fake);
    expect(fakeKeys("other", "nobody")).not.toEqual(fake);
    expect(fakeKeys("secret", "noone")["SHA-1"]?.salt).not.toBe(fake["SHA-1"]?.salt);
    const real = deriveKeys("pencil");
    for (const hash of HASHES) {
      for (const key of ["salt", "storedKey", "serverKey"] as const) {
        expect(fake[hash]?.[key]).toHaveLength(real?.[hash]?.[key].length ?? 0);
      }
      expect(fake[hash]?.iterations).toBe(real?.[hash]?.iterations);
    }
    expect(verifyPlain(fake, "pencil")).toBe(false);
  });
});

describe("XEP-0474", () => {
  const mechanisms = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"];

  test("§6.3: the example's hash, in whatever order the lists came", () => {
    expect(downgradeHash("SHA-1", mechanisms, ["tls-server-end-point", "tls-exporter"])).toBe(
      "G6k/rBLDqgOhRRaCuuatSDFkJ08=",
    );
  });

  test("§6.1: no channel binding feature and an empty one differ", () => {
    expect(downgradeHash("SHA-1", mechanisms)).not.toBe(downgradeHash("SHA-1", mechanisms, []));
  });
});

/** RFC 5802 and RFC 7677: SCRAM, the server's side — https://www.rfc-editor.org/rfc/rfc5802; XEP-0474: SASL SCRAM Downgrade Protection, v0.5 */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import type { SaslCondition } from "./errors.ts";
import { saslprep } from "./saslprep.ts";

export const HASHES = ["SHA-1", "SHA-256", "SHA-512"] as const;
export type Hash = (typeof HASHES)[number];

/** For new passwords. RFC 7677 §4 asks for 4,096 at least. */
export const ITERATIONS = 10_000;
/** Cloudflare refuses PBKDF2 above this in production (and not locally): a record beyond it would lock its owner out. */
export const MAX_ITERATIONS = 100_000;
/** What one SCRAM message may hold, in characters; keeps a state of ours well inside a socket attachment. */
const MAX_MESSAGE = 4096;
const MAX_NONCE = 256;

const DIGEST = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" } as const;
const LENGTH = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 } as const;

/** What is stored of a password for one hash; binary values in base64. */
export interface Keys {
  salt: string;
  iterations: number;
  storedKey: string;
  serverKey: string;
}

/** An account's stored password. Accounts brought from elsewhere may have keys for some hashes only. */
export type Credentials = { readonly [H in Hash]?: Keys };

function hmac(hash: Hash, key: Uint8Array, data: string | Uint8Array): Buffer {
  return createHmac(DIGEST[hash], key).update(data).digest();
}

function digest(hash: Hash, data: string | Uint8Array): Buffer {
  return createHash(DIGEST[hash]).update(data).digest();
}

function saltedPassword(hash: Hash, prepared: string, salt: string, iterations: number): Buffer {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
    throw new RangeError(`SCRAM iterations must be 1 to ${MAX_ITERATIONS}, not ${iterations}`);
  }
  return pbkdf2Sync(prepared, Buffer.from(salt, "base64"), iterations, LENGTH[hash], DIGEST[hash]);
}

/**
 * Derives what is stored of a password. `salt` is base64, by default 16 random bytes. Returns undefined for a password
 * that SASLprep refuses (empty, control characters); throws RangeError for iterations out of range.
 */
export function deriveKeys(
  password: string,
  options: { salt?: string; iterations?: number; hashes?: readonly Hash[] } = {},
): Credentials | undefined {
  const prepared = saslprep(password);
  if (prepared === undefined) return undefined;
  const { salt = randomBytes(16).toString("base64"), iterations = ITERATIONS, hashes = HASHES } = options;
  const credentials: { [H in Hash]?: Keys } = {};
  for (const hash of hashes) {
    const salted = saltedPassword(hash, prepared, salt, iterations);
    const storedKey = digest(hash, hmac(hash, salted, "Client Key")).toString("base64");
    const serverKey = hmac(hash, salted, "Server Key").toString("base64");
    credentials[hash] = { salt, iterations, storedKey, serverKey };
  }
  return credentials;
}

/**
 * Credentials for a name that has no account: the same at every try and shaped like real ones, so that neither the salt
 * nor the number of steps nor the work done tells that nobody is there. `serverSecret`: at least 128 random bits;
 * `iterations`: as new passwords of this server get. An account that was brought along without keys for some hash is
 * told apart unless SCRAM gets its keys spread over these.
 */
export function fakeKeys(serverSecret: string, username: string, iterations: number = ITERATIONS): Credentials {
  const derive = (purpose: string, length: number) =>
    createHmac("sha512", serverSecret)
      .update(`${purpose}\0${username}`)
      .digest()
      .subarray(0, length)
      .toString("base64");
  const salt = derive("salt", 16);
  const credentials: { [H in Hash]?: Keys } = {};
  for (const hash of HASHES) {
    credentials[hash] = {
      salt,
      iterations,
      storedKey: derive(`stored ${hash}`, LENGTH[hash]),
      serverKey: derive(`server ${hash}`, LENGTH[hash]),
    };
  }
  return credentials;
}

/**
 * Whether `password` is the stored one, by SHA-256 (the cheapest of ours) or whatever an import left, in constant time.
 * Throws RangeError for imported keys with more iterations than MAX_ITERATIONS.
 */
export function verifyPlain(credentials: Credentials, password: string): boolean {
  const hash = (["SHA-256", "SHA-1", "SHA-512"] as const).find((candidate) => credentials[candidate] !== undefined);
  const keys = hash && credentials[hash];
  const prepared = saslprep(password);
  if (hash === undefined || keys === undefined || prepared === undefined) return false;
  const salted = saltedPassword(hash, prepared, keys.salt, keys.iterations);
  return equal(digest(hash, hmac(hash, salted, "Client Key")), Buffer.from(keys.storedKey, "base64"));
}

/** Constant-time comparison; only the lengths may show. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The parts of a client-first-message (RFC 5802 §7). */
export interface ClientFirst {
  /** `n`: no channel binding; `y`: the client believes we have none; `p`: it binds. */
  flag: "n" | "y" | "p";
  /** The channel binding type named after `p=`. */
  binding?: string;
  authzid?: string;
  username: string;
  nonce: string;
  /** The gs2 header and the rest, verbatim: both are signed. */
  gs2: string;
  bare: string;
}

/** Decodes a saslname (§5.1): `=2C` and `=3D` and no other `=`. */
function saslname(text: string): string | undefined {
  if (text === "" || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

const CLIENT_FIRST =
  /^((n|y|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*)$/;

/** Undefined when malformed. A message that begins with the reserved `m=` is refused, as §5.1 says. */
export function parseClientFirst(message: string): ClientFirst | undefined {
  if (message.length > MAX_MESSAGE) return undefined;
  const match = CLIENT_FIRST.exec(message);
  if (match === null) return undefined;
  const [, gs2, gs2Flag, binding, rawAuthzid, bare, rawUsername, nonce] = match;
  if (gs2 === undefined || gs2Flag === undefined || bare === undefined || nonce === undefined) return undefined;
  const username = saslname(rawUsername ?? "");
  const authzid = rawAuthzid === undefined ? undefined : saslname(rawAuthzid);
  if (username === undefined || nonce.length > MAX_NONCE) return undefined;
  if (rawAuthzid !== undefined && authzid === undefined) return undefined;
  const flag = gs2Flag.startsWith("p") ? "p" : (gs2Flag as "n" | "y");
  return {
    flag,
    ...(binding !== undefined && { binding }),
    ...(authzid !== undefined && { authzid }),
    username,
    nonce,
    gs2,
    bare,
  };
}

/**
 * XEP-0474 §6.1: the value of `h`, over what this stream's features offered in the SASL profile in use.
 * `bindings`: the types announced by XEP-0440, undefined when that feature was absent.
 */
export function downgradeHash(hash: Hash, mechanisms: readonly string[], bindings?: readonly string[]): string {
  // i;octet is the order of code units here: mechanism and binding names are ASCII.
  let text = [...mechanisms].sort().join("\x1e");
  if (bindings !== undefined) text += `\x1f${[...bindings].sort().join("\x1e")}`;
  return digest(hash, text).toString("base64");
}

/** What must be kept between the server-first-message and the client's proof. Plain data, below 4 KiB in practice. */
export interface Challenge {
  hash: Hash;
  /** The first two messages, as they go into AuthMessage. */
  signed: string;
  nonce: string;
  /** The `c=` value that must come back. */
  binding: string;
  storedKey: string;
  serverKey: string;
}

export interface ServerFirstOptions {
  /** Bytes of the channel binding the client named; only with flag `p`. */
  bindingData?: Uint8Array | undefined;
  /** From `downgradeHash`. */
  downgrade?: string | undefined;
  /** The server's part of the nonce; fixed only by test vectors. */
  nonce?: string | undefined;
}

/** The server-first-message and what to keep until the answer. */
export function serverFirst(
  hash: Hash,
  first: ClientFirst,
  keys: Keys,
  options: ServerFirstOptions = {},
): { message: string; challenge: Challenge } {
  const nonce = first.nonce + (options.nonce ?? randomBytes(18).toString("base64"));
  const downgrade = options.downgrade === undefined ? "" : `,h=${options.downgrade}`;
  const message = `r=${nonce},s=${keys.salt},i=${keys.iterations}${downgrade}`;
  const binding = Buffer.concat([Buffer.from(first.gs2), options.bindingData ?? new Uint8Array()]).toString("base64");
  const { storedKey, serverKey } = keys;
  return { message, challenge: { hash, signed: `${first.bare},${message}`, nonce, binding, storedKey, serverKey } };
}

const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[A-Za-z]=[^,]+)*),p=([A-Za-z0-9+/]+={0,2})$/;

export type Verdict = { ok: true; serverFinal: string } | { ok: false; condition: SaslCondition; reason: string };

/** Judges the client-final-message. The reasons are for the log: the client sees only the condition. */
export function verifyFinal(challenge: Challenge, message: string): Verdict {
  const refuse = (condition: SaslCondition, reason: string): Verdict => ({ ok: false, condition, reason });
  const match = message.length > MAX_MESSAGE ? null : CLIENT_FINAL.exec(message);
  if (match === null) return refuse("malformed-request", "client-final-message does not parse");
  const [, unsigned = "", binding = "", nonce = "", proofText = ""] = match;
  // §6: the header a man in the middle may have changed comes back here, signed.
  if (binding !== challenge.binding) return refuse("not-authorized", "channel binding or gs2 header does not match");
  if (nonce !== challenge.nonce) return refuse("not-authorized", "nonce does not match");

  const { hash } = challenge;
  const authMessage = `${challenge.signed},${unsigned}`;
  const storedKey = Buffer.from(challenge.storedKey, "base64");
  const proof = Buffer.from(proofText, "base64");
  const signature = hmac(hash, storedKey, authMessage);
  if (proof.length !== signature.length) return refuse("not-authorized", "proof has the wrong length");
  const clientKey = signature.map((byte, index) => byte ^ (proof[index] ?? 0));
  if (!equal(digest(hash, clientKey), storedKey)) return refuse("not-authorized", "wrong password");
  const verifier = hmac(hash, Buffer.from(challenge.serverKey, "base64"), authMessage).toString("base64");
  return { ok: true, serverFinal: `v=${verifier}` };
}

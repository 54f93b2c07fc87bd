/** The one-message SASL mechanisms: PLAIN (RFC 4616), OAUTHBEARER (RFC 7628), HT-SHA-256-* (draft-schmaus-kitten-sasl-ht-09) */
import { createHmac } from "node:crypto";
import { equal } from "./scram.ts";

/** An authzid is a JID: 3 × 1,023 bytes and two separators. Usernames are localparts. */
const MAX_AUTHZID = 3071;
const MAX_USERNAME = 1023;

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes a message strictly: a replacement character would let two passwords pass for one. */
export function utf8(data: Uint8Array): string | undefined {
  try {
    return STRICT.decode(data);
  } catch {
    return undefined;
  }
}

export interface Plain {
  authzid: string | undefined;
  username: string;
  password: string;
}

/** RFC 4616 §2: `[authzid] NUL authcid NUL passwd`, nothing else empty. The password may be a token of some kilobytes. */
export function readPlain(data: Uint8Array): Plain | undefined {
  const parts = utf8(data)?.split("\0");
  if (parts?.length !== 3) return undefined;
  const [authzid = "", username = "", password = ""] = parts;
  if (username === "" || password === "") return undefined;
  if (username.length > MAX_USERNAME || authzid.length > MAX_AUTHZID) return undefined;
  return { authzid: authzid || undefined, username, password };
}

export interface Bearer {
  authzid: string | undefined;
  token: string;
}

const BEARER = /^[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)$/;

/** RFC 7628 §3.1: a gs2 header and key/value pairs set apart by %x01; `host` and `port` say nothing we do not know. */
export function readBearer(data: Uint8Array): Bearer | undefined {
  const match = utf8(data)?.match(/^([ny]),(?:a=([^,]+))?,\x01((?:[A-Za-z]+=[^\x00\x01]*\x01)+)\x01$/);
  if (!match) return undefined;
  const [, , rawAuthzid, pairs = ""] = match;
  if (rawAuthzid !== undefined && (rawAuthzid.length > MAX_AUTHZID || /=(?!2C|3D)/.test(rawAuthzid))) return undefined;
  const auth = pairs.split("\x01").filter((pair) => pair.startsWith("auth="));
  const token = BEARER.exec(auth[0]?.slice(5) ?? "")?.[1];
  if (auth.length !== 1 || token === undefined) return undefined;
  return { authzid: rawAuthzid?.replaceAll("=2C", ",").replaceAll("=3D", "="), token };
}

/** RFC 7628 §3.2.2: the challenge that tells why, before the client's empty answer draws the failure. */
export function bearerRefusal(
  status: "invalid_token" | "invalid_request" | "insufficient_scope",
  scope?: string,
): string {
  return JSON.stringify({ status, ...(scope !== undefined && { scope }) });
}

/** Channel binding types by the endings of HT mechanism names. */
const HT_BINDINGS: Readonly<Record<string, string>> = {
  NONE: "",
  ENDP: "tls-server-end-point",
  EXPR: "tls-exporter",
  UNIQ: "tls-unique",
};

/** The channel binding type that an HT mechanism needs, "" for none, undefined if the name is no HT mechanism of ours. */
export function tokenBinding(mechanism: string): string | undefined {
  return mechanism.startsWith("HT-SHA-256-") ? HT_BINDINGS[mechanism.slice("HT-SHA-256-".length)] : undefined;
}

/** What a client offers for a token. Plain data: the account's object, which knows the tokens, judges it. */
export interface TokenProof {
  mechanism: string;
  /** The client's HMAC, base64. */
  hash: string;
  /** Channel binding bytes, base64, "" for none. */
  binding: string;
}

/** draft-schmaus-kitten-sasl-ht §3.1: `authcid NUL HMAC`. */
export function readHashedToken(data: Uint8Array): { username: string; hash: Uint8Array } | undefined {
  const end = data.indexOf(0);
  const username = end < 1 ? undefined : utf8(data.subarray(0, end));
  if (username === undefined || username.length > MAX_USERNAME) return undefined;
  const hash = data.subarray(end + 1);
  return hash.length === 32 ? { username, hash } : undefined;
}

/**
 * Whether `proof` was made with `token` (its text, as given to the client), in constant time. Returns the responder's
 * hash to send with success, in base64. That the token belongs to the mechanism and lives is the caller's to know.
 */
export function verifyToken(token: string, proof: TokenProof): string | undefined {
  const binding = Buffer.from(proof.binding, "base64");
  const sign = (side: string) => createHmac("sha256", token).update(side).update(binding).digest();
  if (!equal(sign("Initiator"), Buffer.from(proof.hash, "base64"))) return undefined;
  return sign("Responder").toString("base64");
}

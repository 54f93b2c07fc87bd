/** RFC 4422 on WebCrypto: what mechanisms have in common, and the two that need no password: ANONYMOUS and HT-SHA-256-NONE (XEP-0484). */

/**
 * Begins the best mechanism both sides have; undefined when there is none. `anonymous`, or made by `withPassword` (scram.ts) or
 * `withToken` (bearer.ts).
 */
export type Credentials = (offer: Offer) => Exchange | undefined | Promise<Exchange | undefined>;

export interface Offer {
  mechanisms: readonly string[];
  /** XEP-0440 types, when the server listed them. */
  bindings?: readonly string[] | undefined;
  /** TLS, or loopback: a password may be sent in the clear. */
  secure: boolean;
  /** This account has used SCRAM before: XEP-0474 §rules forbid PLAIN from then on. */
  pinned: boolean;
}

export interface Exchange {
  mechanism: string;
  first: string;
  /** Answers a challenge, or checks the server's last word (the answer is then ignored). Throws when the server is not who it claims to be. */
  next: (challenge: string) => Promise<string> | string;
}

/** No mechanism fits, or the other side failed to prove itself; never worth a retry. */
export class SaslError extends Error {}

const encoder = new TextEncoder();

export const anonymous: Credentials = ({ mechanisms }) =>
  mechanisms.includes("ANONYMOUS") ? once("ANONYMOUS", "") : undefined;

/** XEP-0484: logs in with a token in one step; the server proves in return that it knows the token too. */
export async function hashedToken(username: string, token: string): Promise<Exchange> {
  const proof = (role: string) => hmac("SHA-256", encoder.encode(token), role).then(octets);
  const expected = proof("Responder");
  return {
    mechanism: "HT-SHA-256-NONE",
    first: `${octets(encoder.encode(username))}\0${await proof("Initiator")}`,
    next: async (data) => (same(data, await expected) ? "" : refuse()),
  };
}

export const once = (mechanism: string, text: string): Exchange => ({
  mechanism,
  first: octets(encoder.encode(text)),
  next: () => "",
});

export async function hmac(hash: string, secret: BufferSource, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, octetBytes(text)));
}

export function same(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return !difference;
}

export function refuse(): never {
  throw new SaslError("the server could not prove that it is the right one");
}

/** Bytes as a string of characters below 256, which is what atob and btoa speak. */
export const octets = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
export const octetBytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** RFC 5802, 7677, 7628, 4616, 4505 and XEP-0484 (HT-SHA-256-NONE): the client's side of SASL on WebCrypto. */

export interface Password {
  username: string;
  password: string;
}
/** A bearer token (JWT), given anew at every login because it may be short-lived. */
export interface Bearer {
  /** Only needed where the server takes tokens as a password (PLAIN). */
  username?: string;
  token: () => Promise<string> | string;
}
export type Credentials = Password | Bearer | "anonymous";

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
const HASHES = ["SHA-512", "SHA-256", "SHA-1"];

/** Begins the best mechanism both sides have. */
export async function begin(credentials: Credentials, offer: Offer): Promise<Exchange> {
  const has = (name: string) => offer.mechanisms.includes(name);
  if (credentials === "anonymous") {
    if (has("ANONYMOUS")) return once("ANONYMOUS", "");
  } else if ("token" in credentials) {
    const token = await credentials.token();
    if (has("OAUTHBEARER") && offer.secure) {
      // A refusal is a challenge with a JSON text, to be answered with one octet (RFC 7628 §3.2.3).
      return { mechanism: "OAUTHBEARER", first: `n,,\x01auth=Bearer ${token}\x01\x01`, next: () => "\x01" };
    }
    if (has("PLAIN") && offer.secure) return once("PLAIN", `\0${credentials.username ?? ""}\0${token}`);
  } else {
    const hash = HASHES.find((name) => has(`SCRAM-${name}`));
    if (hash) return scram(hash, credentials, offer);
    if (has("PLAIN") && offer.secure && !offer.pinned) {
      return once("PLAIN", `\0${credentials.username}\0${prepare(credentials.password)}`);
    }
  }
  throw new SaslError(`no mechanism in common: ${offer.mechanisms.join(" ") || "none"}`);
}

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

const once = (mechanism: string, text: string): Exchange => ({
  mechanism,
  first: octets(encoder.encode(text)),
  next: () => "",
});

function scram(hash: string, { username, password }: Password, offer: Offer): Exchange {
  const nonce = btoa(octets(crypto.getRandomValues(new Uint8Array(18))));
  const name = octets(encoder.encode(username.replace(/=/g, "=3D").replace(/,/g, "=2C")));
  const bare = `n=${name},r=${nonce}`;
  let signature: string | undefined;
  let proven = false;

  const next = async (challenge: string): Promise<string> => {
    const fields = new Map(challenge.split(",").map((field) => [field[0], field.slice(2)]));
    if (proven) return "";
    if (signature) return (proven = same(fields.get("v") ?? "", signature)) ? "" : refuse();
    const [serverNonce = "", salt = "", rounds = ""] = ["r", "s", "i"].map((key) => fields.get(key));
    // The upper bound keeps a hostile server from freezing the page.
    if (fields.has("m") || !serverNonce.startsWith(nonce) || !(+rounds > 0 && +rounds <= 1e6)) refuse();
    const downgrade = fields.get("h");
    if (downgrade && downgrade !== btoa(octets(await digest(hash, octetBytes(listed(offer)))))) refuse();

    const key = await crypto.subtle.importKey("raw", encoder.encode(prepare(password)), "PBKDF2", false, [
      "deriveBits",
    ]);
    const bits = hash === "SHA-1" ? 160 : Number(hash.slice(4));
    const salted = await crypto.subtle.deriveBits(
      { name: "PBKDF2", hash, salt: octetBytes(atob(salt)), iterations: +rounds },
      key,
      bits,
    );
    const clientKey = await hmac(hash, salted, "Client Key");
    const withoutProof = `c=biws,r=${serverNonce}`;
    const signed = `${bare},${challenge},${withoutProof}`;
    const mask = await hmac(hash, await digest(hash, clientKey), signed);
    signature = btoa(octets(await hmac(hash, await hmac(hash, salted, "Server Key"), signed)));
    return `${withoutProof},p=${btoa(octets(clientKey.map((byte, i) => byte ^ mask[i]!)))}`;
  };
  return { mechanism: `SCRAM-${hash}`, first: `n,,${bare}`, next };
}

/** XEP-0474 §hash: what the server must have seen us being offered. */
function listed({ mechanisms, bindings }: Offer): string {
  const list = (items: readonly string[]) => [...items].sort().join("\x1e");
  return list(mechanisms) + (bindings ? `\x1f${list(bindings)}` : "");
}

/** RFC 8265 OpaqueString, as far as it maps. */
const prepare = (password: string) => password.replace(/\p{Zs}/gu, " ").normalize("NFC");

const digest = async (hash: string, data: BufferSource) => new Uint8Array(await crypto.subtle.digest(hash, data));

async function hmac(hash: string, secret: BufferSource, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, octetBytes(text)));
}

function same(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return !difference;
}

function refuse(): never {
  throw new SaslError("the server could not prove that it is the right one");
}

/** Bytes as a string of characters below 256, which is what atob and btoa speak. */
export const octets = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
export const octetBytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** RFC 5802 and 7677 on WebCrypto, with XEP-0474: SCRAM-SHA-512, -256 and -1, and PLAIN (RFC 4616) where it is safe. */
import { type Credentials, type Exchange, hmac, type Offer, octetBytes, octets, once, refuse, same } from "./sasl.ts";

const encoder = new TextEncoder();
const HASHES = ["SHA-512", "SHA-256", "SHA-1"];

export const withPassword =
  (username: string, password: string): Credentials =>
  (offer) => {
    const hash = HASHES.find((name) => offer.mechanisms.includes(`SCRAM-${name}`));
    if (hash) return exchange(hash, username, prepare(password), offer);
    const plain = offer.mechanisms.includes("PLAIN") && offer.secure && !offer.pinned;
    return plain ? once("PLAIN", `\0${username}\0${prepare(password)}`) : undefined;
  };

function exchange(hash: string, username: string, password: string, offer: Offer): Exchange {
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

    const key = await crypto.subtle.importKey("raw", encoder.encode(password), "PBKDF2", false, ["deriveBits"]);
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

const digest = async (hash: string, data: BufferSource) => new Uint8Array(await crypto.subtle.digest(hash, data));

/** RFC 8265 OpaqueString, as far as it maps. */
const prepare = (password: string) => password.replace(/\p{Zs}/gu, " ").normalize("NFC");

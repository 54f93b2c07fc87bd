/** RFC 5802: SCRAM, the client's side, without channel binding — https://www.rfc-editor.org/rfc/rfc5802 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

const HASHES = {
  "SCRAM-SHA-1": { name: "sha1", bytes: 20 },
  "SCRAM-SHA-256": { name: "sha256", bytes: 32 },
  "SCRAM-SHA-512": { name: "sha512", bytes: 64 },
} as const;

export type ScramMechanism = keyof typeof HASHES;

/** One exchange: send `first`, answer the challenge with `final`, then check the server's signature with `verify`. */
export interface ScramExchange {
  first: string;
  final(challenge: string): string;
  verify(success: string): boolean;
}

/** Salted passwords by salt, since a load test logs the same accounts in again and again. */
const salted = new Map<string, Buffer>();

export function scram(mechanism: ScramMechanism, username: string, password: string): ScramExchange {
  const hash = HASHES[mechanism];
  const hmac = (key: Buffer, text: string) => createHmac(hash.name, key).update(text).digest();
  const bare = `n=${username.replace(/=/g, "=3D").replace(/,/g, "=2C")},r=${randomBytes(18).toString("base64")}`;
  let signature = "";

  return {
    first: `n,,${bare}`,
    final(challenge) {
      const fields = new Map(challenge.split(",").map((field) => [field[0], field.slice(2)]));
      const [salt, iterations] = [fields.get("s") ?? "", Number(fields.get("i"))];
      const cached = `${hash.name} ${iterations} ${salt} ${password}`;
      const secret =
        salted.get(cached) ?? pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, hash.bytes, hash.name);
      salted.set(cached, secret);
      const withoutProof = `c=biws,r=${fields.get("r")}`;
      const authMessage = `${bare},${challenge},${withoutProof}`;
      const clientKey = hmac(secret, "Client Key");
      const proof = hmac(createHash(hash.name).update(clientKey).digest(), authMessage);
      for (const [at, byte] of clientKey.entries()) proof[at] = (proof[at] ?? 0) ^ byte;
      signature = hmac(hmac(secret, "Server Key"), authMessage).toString("base64");
      return `${withoutProof},p=${proof.toString("base64")}`;
    },
    verify: (success) => success === `v=${signature}`,
  };
}

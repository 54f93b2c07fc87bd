/** RFC 5802, client side, just enough to log an actor in. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

const DIGESTS = { "SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512" } as const;

export type ScramMechanism = keyof typeof DIGESTS;

/** The client's side of one exchange: `first` is sent, `final` answers the challenge, `verify` judges the server. */
export function scramClient(mechanism: ScramMechanism, username: string, password: string, authzid = "") {
  const digest = DIGESTS[mechanism];
  const hmac = (key: Buffer | string, data: Buffer | string) => createHmac(digest, key).update(data).digest();
  const nonce = randomBytes(18).toString("base64");
  const bare = `n=${username.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
  const header = authzid ? `n,a=${authzid},` : "n,,";
  let expected = "";
  return {
    first: header + bare,
    final(challenge: string): string {
      const {
        r = "",
        s = "",
        i = "",
      } = Object.fromEntries(challenge.split(",").map((part) => [part[0], part.slice(2)]));
      if (!r.startsWith(nonce)) throw new Error(`the server changed the nonce: ${challenge}`);
      const length = createHash(digest).digest().length;
      const salted = pbkdf2Sync(password.normalize("NFC"), Buffer.from(s, "base64"), Number(i), length, digest);
      const clientKey = hmac(salted, "Client Key");
      const withoutProof = `c=${Buffer.from(header).toString("base64")},r=${r}`;
      const message = `${bare},${challenge},${withoutProof}`;
      const signature = hmac(createHash(digest).update(clientKey).digest(), message);
      expected = `v=${hmac(hmac(salted, "Server Key"), message).toString("base64")}`;
      const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!));
      return `${withoutProof},p=${proof.toString("base64")}`;
    },
    verify(serverFinal: string): void {
      if (serverFinal !== expected) throw new Error(`the server does not know the password: ${serverFinal}`);
    },
  };
}

/** XEP-0185: Dialback Key Generation and Validation, v1.0 — https://xmpp.org/extensions/xep-0185.html */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A key that only who has `secret` can make, for one stream between two domains. */
export function dialbackKey(secret: string, receiving: string, originating: string, streamId: string): string {
  const key = createHash("sha256").update(secret).digest("hex");
  // The spaces keep "b"+"ber.example" and "bb"+"er.example" apart (CVE-2016-0756).
  return createHmac("sha256", key).update(`${receiving} ${originating} ${streamId}`).digest("hex");
}

export function isDialbackKey(given: string, ...of: Parameters<typeof dialbackKey>): boolean {
  const expected = Buffer.from(dialbackKey(...of));
  const actual = Buffer.from(given.trim());
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** XEP-0124 §15: a sequence of keys, so that who reads a request on its way cannot make the next one — https://xmpp.org/extensions/xep-0124.html#keys */
import { createHash } from "node:crypto";
import type { Element } from "../../xml/element.ts";

export interface Keys {
  /** What the next request's key hashes to, in lower case (§15.3); "" while none is wanted. */
  key: string;
}

/** SHA-1 in hexadecimal is of 40 characters. */
const LONGEST = 64;
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

/** §15.4, §15.5: whether a request has the key that is its turn; if so, the one after it is waited for. */
export function fits(keys: Keys, request: Element): boolean {
  const { key, newkey } = request.attrs;
  const wanted = keys.key !== "";
  if (wanted && (typeof key !== "string" || key.length > LONGEST || sha1(key) !== keys.key)) return false;
  if (typeof newkey === "string") keys.key = newkey.slice(0, LONGEST).toLowerCase();
  else if (wanted) keys.key = String(key).toLowerCase();
  return true;
}

/** XEP-0484: Fast Authentication Streamlining Tokens, v0.2 — https://xmpp.org/extensions/xep-0484.html. No TLS 0-RTT. */
import { randomBytes } from "node:crypto";
import { type Element, xml } from "../xml/element.ts";
import { formatDateTime } from "./datetime.ts";
import type { SaslCondition } from "./errors.ts";
import { FAST } from "./ns.ts";
import { type TokenProof, tokenBinding, verifyToken } from "./sasl-messages.ts";

const MECHANISMS = ["HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"];

/** Token mechanisms for a stream with these channel binding types. */
export function fastMechanisms(bindings: readonly string[] = []): string[] {
  return MECHANISMS.filter((name) => {
    const type = tokenBinding(name);
    return type === "" || (type !== undefined && bindings.includes(type));
  });
}

/** Goes into `<inline/>` of the SASL2 feature (§3.1). */
export function fastFeature(mechanisms: readonly string[]): Element {
  return xml("fast", { xmlns: FAST }, ...mechanisms.map((name) => xml("mechanism", {}, name)));
}

/** What an `<authenticate/>` says by its `<fast/>`. */
export interface FastRequest {
  /** Undefined when the client does not count; 0, which no attempt may have, when it is no positive number. */
  count: number | undefined;
  invalidate: boolean;
}

export function readFast(authenticate: Element): FastRequest | undefined {
  const fast = authenticate.getChild("fast", FAST);
  if (fast === undefined) return undefined;
  const { count, invalidate } = fast.attrs;
  return {
    count: count === undefined ? undefined : /^\d{1,10}$/.test(count) ? Number(count) : 0,
    invalidate: invalidate === "true" || invalidate === "1",
  };
}

/** The mechanism an `<authenticate/>` wants a token for (§3.2). */
export function readTokenRequest(authenticate: Element): string | undefined {
  return authenticate.getChild("request-token", FAST)?.attrs.mechanism;
}

export function tokenElement(token: Token): Element {
  return xml("token", { xmlns: FAST, token: token.secret, expiry: formatDateTime(token.expires) });
}

/** A token of one client. Its text is the HMAC key, so it has to be kept as it is. */
export interface Token {
  secret: string;
  /** Good for this mechanism only (§3.4). */
  mechanism: string;
  /** Milliseconds since 1970. */
  expires: number;
  /** The highest count seen. */
  count: number;
}

/** `lifetime` in milliseconds. */
export function newToken(mechanism: string, now: number, lifetime: number): Token {
  return { secret: randomBytes(32).toString("base64url"), mechanism, expires: now + lifetime, count: 0 };
}

/** §3.5: from half its life on, a token that is used should be replaced. */
export const isDue = ({ expires }: Token, now: number, lifetime: number): boolean => expires - now < lifetime / 2;

/** The tokens of one client: `fresh` was given but not used yet, so `current` must still work (§3.5, §5.1). */
export interface TokenSlots {
  current?: Token | undefined;
  fresh?: Token | undefined;
}

export type TokenVerdict =
  /** `slots` is what to keep now, if it has changed; `data` (base64) goes back with success. */
  | { ok: true; slots: TokenSlots; changed: boolean; token: Token; data: string }
  | { ok: false; condition: SaslCondition; reason: string };

/** Judges an attempt against a client's tokens. Pure: the caller stores `slots`, or empties them on `invalidate`. */
export function useToken(slots: TokenSlots, proof: TokenProof, now: number, count?: number): TokenVerdict {
  for (const held of [slots.fresh, slots.current]) {
    if (held === undefined || held.mechanism !== proof.mechanism) continue;
    const data = verifyToken(held.secret, proof);
    if (data === undefined) continue;
    if (held.expires <= now) return { ok: false, condition: "credentials-expired", reason: "token has expired" };
    if (count !== undefined && count <= held.count) {
      return { ok: false, condition: "not-authorized", reason: "count was seen before" };
    }
    const token = { ...held, count: count ?? held.count };
    // A fresh token that was used puts an end to the one before it.
    const fresh = held === slots.fresh;
    const kept = fresh ? { current: token } : { ...slots, current: token };
    return { ok: true, slots: kept, changed: fresh || count !== undefined, token, data };
  }
  return { ok: false, condition: "not-authorized", reason: "no such token" };
}

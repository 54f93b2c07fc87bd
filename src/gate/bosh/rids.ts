/** XEP-0124 §9, §14: requests in the order of their rid, and responses kept until the client has them — https://xmpp.org/extensions/xep-0124.html#rids */
import { createHash } from "node:crypto";

/** A response, the hash of its request, and how many stanzas its client had been sent with it (see `Stream.sent`). */
export type Kept = [rid: number, hash: string, text: string, sent: number];

/** What a session knows of its requests. JSON, kept in its row. */
export interface Rids {
  /** Every request up to this one was taken; every one up to `answered` has its response. */
  rid: number;
  answered: number;
  /** Hashes of requests without a response, and requests that came before their turn. */
  hashes: Record<number, string>;
  early: Record<number, string>;
  responses: Kept[];
}

/** Where a request stands: its turn, before its turn, come before and not answered yet, answered, or nowhere. */
export type Place = "next" | "early" | "open" | "unknown" | Kept;

/** Responses kept for a client that did not get them: as many as it may have requests open, of so many characters in all. */
const KEPT = 2;
const KEPT_CHARACTERS = 400_000;

export const newRids = (rid: number): Rids => ({
  rid: rid - 1,
  answered: rid - 1,
  hashes: {},
  early: {},
  responses: [],
});

export const hashOf = (text: string) => createHash("sha256").update(text).digest("base64url").slice(0, 22);

/** §14.2, §14.3: what to do with a request, when `requests` may be open at a time. */
export function place(rids: Rids, rid: number, hash: string, requests: number): Place {
  const kept = rids.responses.find(([other]) => other === rid);
  if (kept) return kept[1] === hash ? kept : "unknown";
  if (rid <= rids.answered || rid > rids.rid + requests) return "unknown";
  if (rid <= rids.rid || rid in rids.early) return (rids.hashes[rid] ?? hash) === hash ? "open" : "unknown";
  return rid === rids.rid + 1 ? "next" : "early";
}

/** The oldest request without a response gets this one. @returns its rid */
export function respond(rids: Rids, text: string, sent: number): number {
  const rid = ++rids.answered;
  const { responses, hashes } = rids;
  responses.push([rid, hashes[rid] ?? "", text, sent]);
  delete hashes[rid];
  const size = () => responses.reduce((sum, [, , kept]) => sum + kept.length, 0);
  while (responses.length > KEPT || (responses.length > 1 && size() > KEPT_CHARACTERS)) responses.shift();
  return rid;
}

/** What a request says of the responses before it. */
export interface Receipt {
  rid: number;
  /** Its attribute, and whether the client acknowledges at all (§7.1). */
  ack: number | undefined;
  acks: boolean;
  /** How many requests may be open, and whether this one may come beside them, for it pauses or terminates (§11). */
  requests: number;
  extra: boolean;
}

/**
 * The rid up to which a request proves that its client has the responses: what it acknowledges, or, since it may not have
 * more requests open than so many, those of all that came before these.
 */
export function received({ answered }: Rids, { rid, ack, acks, requests, extra }: Receipt): number {
  if (acks && ack !== undefined) return Math.min(ack, answered);
  // §9.2: the client has all, and need not say so.
  if (acks && answered === rid - 1) return answered;
  return Math.min(rid - requests - (extra ? 1 : 0), answered);
}

/** How many stanzas were sent with the responses up to this one; undefined when none of them is kept any more. */
export const sentBy = ({ responses }: Rids, upTo: number): number | undefined =>
  responses.findLast(([rid]) => rid <= upTo)?.[3];

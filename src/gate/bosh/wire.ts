/** XEP-0124: BOSH, v1.11.2 — https://xmpp.org/extensions/xep-0124.html; XEP-0206: XMPP Over BOSH, v1.4. The `<body/>` on the wire. */
import * as NS from "../../protocol/ns.ts";
import type { Element } from "../../xml/element.ts";
import { escapeAttribute } from "../../xml/writer.ts";

export const HTTPBIND = "http://jabber.org/protocol/httpbind";
export const XBOSH = "urn:xmpp:xbosh";

/** §14.1: a rid stays within what a double holds exactly. */
const MAX_RID = Number.MAX_SAFE_INTEGER;

/** §17.2. */
export type Terminal =
  | ""
  | "bad-request"
  | "host-unknown"
  | "improper-addressing"
  | "internal-server-error"
  | "item-not-found"
  | "other-request"
  | "policy-violation"
  | "remote-stream-error";

/** An attribute that is a whole number; undefined when it is absent or none. */
export function integer(body: Element, name: string): number | undefined {
  const text: unknown = body.attrs[name];
  if (typeof text !== "string" || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_RID ? value : undefined;
}

/**
 * Attributes of XEP-0206. The reader names a foreign attribute by the prefix it came with and declares the prefix beside
 * it, so any prefix of that namespace will do.
 */
export function xbosh(body: Element, name: string): string | undefined {
  for (const [key, value] of Object.entries(body.attrs)) {
    const [prefix, local] = key.split(":");
    if (local === name && body.attrs[`xmlns:${prefix}`] === XBOSH) return value;
  }
  return undefined;
}

/** Some clients leave stanzas in the namespace of the wrapper that they stand in: they mean jabber:client. */
export function adopt(payload: Element): Element {
  if (payload.attrs.xmlns !== HTTPBIND) return payload;
  payload.attrs.xmlns = NS.CLIENT;
  for (const child of payload.getChildElements()) adopt(child);
  return payload;
}

/** A wrapper around payloads that say their own namespaces. */
export function body(attrs: Record<string, string | number | undefined>, payloads: readonly string[] = []): string {
  let head = `<body xmlns="${HTTPBIND}"`;
  for (const [name, value] of Object.entries(attrs))
    if (value !== undefined) head += ` ${name}="${escapeAttribute(String(value))}"`;
  // XEP-0206 §2, §6: features and errors of the stream want their prefix declared here.
  if (payloads.some((text) => text.startsWith("<stream:"))) head += ` xmlns:stream="${NS.STREAMS}"`;
  return payloads.length === 0 ? `${head}/>` : `${head}>${payloads.join("")}</body>`;
}

export function terminate(condition: Terminal, payloads: readonly string[] = []): string {
  return body({ type: "terminate", condition: condition || undefined }, payloads);
}

/** §17.3: the client is to send its open requests again. */
export const RECOVERABLE = body({ type: "error" });

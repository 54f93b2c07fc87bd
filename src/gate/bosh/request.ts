/** XEP-0124 §6: reading a request — https://xmpp.org/extensions/xep-0124.html#wrapper */
import type { Element } from "../../xml/element.ts";
import { type Limits, read, XmlError } from "../../xml/reader.ts";
import { hashOf } from "./rids.ts";
import { HTTPBIND, integer } from "./wire.ts";

/** Beside its stanzas a wrapper has room for its own attributes. */
const WRAPPER = 4096;

export interface Request {
  rid: number;
  body: Element;
  text: string;
  /** Of the text: what comes again under the same rid is the same request if this is. */
  hash: string;
}

/** The sid that a request names, which is looked at before anything is read; undefined in one for a session. */
export function sidOf(text: string): string | undefined {
  const found = /^(?:<\?xml[^>]*>\s*)?[^>]*?\ssid=(?:"([^"]*)"|'([^']*)')/.exec(text);
  return found ? (found[1] ?? found[2]) : undefined;
}

/** A request under the limits of its stream; or why it is none. */
export function readRequest(text: string, limits: Limits): Request | "bad-request" | "policy-violation" {
  let body: Element;
  try {
    body = read(text, { ...limits, bytes: limits.bytes + WRAPPER, depth: limits.depth + 1 });
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return error.condition === "policy-violation" ? error.condition : "bad-request";
  }
  const rid = integer(body, "rid");
  // §6: a wrapper has elements, and no text of its own.
  const loose = body.children.some((child) => typeof child === "string" && child.trim() !== "");
  if (body.name !== "body" || body.attrs.xmlns !== HTTPBIND || rid === undefined || loose) return "bad-request";
  return { rid, body, text, hash: hashOf(text) };
}

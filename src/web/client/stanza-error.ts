/** RFC 6120 §8.3: stanza errors. */
import type { Element } from "./element.ts";

export const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

/** An error stanza (RFC 6120 §8.3), or "timeout" and "disconnected" of our own. */
export class StanzaError extends Error {
  condition: string;
  /** The whole answer, when there was one. */
  stanza: Element | undefined;
  constructor(condition: string, text?: string, stanza?: Element) {
    super(text || condition);
    this.condition = condition;
    this.stanza = stanza;
  }
}

/** Reads the error out of a stanza of type error. */
export function stanzaError(stanza: Element): StanzaError {
  const error = stanza.child("error");
  const condition = error?.all("", STANZAS).find((el) => el.name !== "text");
  return new StanzaError(condition?.name ?? "undefined-condition", error?.text("text", STANZAS), stanza);
}

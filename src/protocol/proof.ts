/** XEP-0199: XMPP Ping, v2.0.1 — https://xmpp.org/extensions/xep-0199.html: the question whose answer proves that all before it was read. */

import { type Element, xml } from "../xml/element.ts";

const PREFIX = "proof-";
const PING = "urn:xmpp:ping";

/** A question to a server, with an id that nobody guesses; in the namespace of the stream it is sent on. */
export function askProof(from: string, to: string): { id: string; iq: Element } {
  const id = PREFIX + crypto.randomUUID();
  return { id, iq: xml("iq", { type: "get", id, from, to }, xml("ping", { xmlns: PING })) };
}

/** The id of the question that this answers: an error, too, says that it was read. */
export function proofIn({ name, attrs }: Element): string | undefined {
  const { type, id, to } = attrs;
  const answers = name === "iq" && (type === "result" || type === "error") && id?.startsWith(PREFIX);
  // A client of ours may choose ids as it likes; only servers ask this.
  return answers && !/[@/]/.test(String(to)) ? id : undefined;
}

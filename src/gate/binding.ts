/** RFC 6120 §7, XEP-0386 v1.1.0, XEP-0198 v1.6.3 §3–5: a stream gets its resource, new or back — https://xmpp.org/extensions/xep-0198.html */
import { isTrue } from "../protocol/boolean.ts";
import { Jid } from "../protocol/jid.ts";
import { equal } from "../protocol/scram.ts";
import type { Element } from "../xml/element.ts";
import type { BindRequest, Bound } from "./calls.ts";
import {
  acknowledge,
  enabledElement,
  failedElement,
  Ledger,
  readH,
  readResumptionId,
  resumedElement,
} from "./management.ts";
import { isGuestHost, sessionFeatures } from "./negotiation.ts";
import type { Stream } from "./stream.ts";

/** Binds a resource of an account; of a guest, whose only server is its gate, right here. */
export async function bindResource(
  stream: Stream,
  jid: string,
  wanted: Omit<BindRequest, "gate" | "sid">,
): Promise<Bound> {
  const { gate, sid } = stream;
  const bound: Bound = isGuestHost(stream)
    ? { ok: true, resource: Jid.tryParse(`${jid}/${wanted.resource ?? ""}`)?.resource || crypto.randomUUID() }
    : await gate.accounts(jid).bind(jid, { ...wanted, gate: gate.name, sid });
  if (bound.ok)
    stream.become({
      at: "bound",
      jid: `${jid}/${bound.resource}`,
      directed: [],
      available: false,
      csi: false,
      held: [],
      ...(bound.photo !== undefined && { photo: bound.photo }),
    });
  return bound;
}

/** `<enable/>` on a bound stream (§3). */
export function enable(stream: Stream, element: Element): void {
  if (stream.ledger) stream.write(failedElement("unexpected-request"));
  else stream.write(enableInline(stream, element));
}

export function enableInline(stream: Stream, element: Element): Element {
  const { gate, sid } = stream;
  stream.ledger = Ledger.enabled(isTrue(element.attrs.resume) && gate.settings.resumeSeconds > 0);
  return enabledElement(gate.name, resumptionKey(stream, sid), stream.ledger, gate.settings.resumeSeconds);
}

/**
 * What a resumption names a stream by. An account's is bound to the account; a guest is nobody until it comes back, and its
 * address, which rooms show to their moderators, contains the stream's id: so there is a seal on it (security.md C12).
 */
function resumptionKey(stream: Stream, sid: string): string {
  return isGuestHost(stream) ? `${sid}.${stream.gate.seal(sid)}` : sid;
}

/** The stream that a resumption may take back. */
function readKey(stream: Stream, key: string): string | undefined {
  const [sid = "", seal = ""] = key.split(".");
  if (!isGuestHost(stream)) return key;
  return equal(Buffer.from(seal), Buffer.from(stream.gate.seal(sid))) ? sid : undefined;
}

/** `<resume/>` on an authenticated stream that is not bound (§5). */
export async function resumeStream(stream: Stream, jid: string, element: Element): Promise<void> {
  const { ok, element: answer } = await takeBack(stream, jid, element);
  stream.write(answer);
  if (ok) stream.gate.opened(stream);
  else stream.write(sessionFeatures(stream));
}

/**
 * Takes an earlier stream's place. Its account points the resource here and waits until nothing is on its way to the old
 * gate; what is delivered meanwhile waits here; then the old gate hands the stream over. So the order is kept.
 */
export async function takeBack(
  stream: Stream,
  jid: string,
  element: Element,
): Promise<{ ok: boolean; element: Element }> {
  const { gate } = stream;
  const previd = String(element.attrs.previd ?? "");
  const h = readH(element);
  const id = readResumptionId(previd);
  const sid = id && readKey(stream, id.sid);
  if (!id || sid === undefined || h === undefined) return { ok: false, element: failedElement("item-not-found") };
  gate.expect(sid);
  const guest = isGuestHost(stream);
  // The id names the gate where the stream began; it may have gone on to others since.
  const from = guest ? id.gate : await gate.accounts(jid).resume(jid, sid, gate.name);
  const given = from === undefined ? undefined : await gate.fetch(from, sid, guest ? undefined : jid);
  const phase = given?.state.phase;
  if (!given || phase?.at !== "bound" || !phase.management) {
    gate.unexpect(sid);
    return { ok: false, element: failedElement("item-not-found") };
  }
  const ledger = new Ledger(phase.management);
  ledger.restore(given.queue);
  gate.adopt(stream, given.state, ledger);
  acknowledge(ledger, h);
  return { ok: true, element: resumedElement(previd, ledger) };
}

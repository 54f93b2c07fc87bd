/** RFC 6120 §7, XEP-0386 v1.1.0, XEP-0198 v1.6.3 §3–5: a stream gets its resource, new or back — https://xmpp.org/extensions/xep-0198.html */
import { guestName } from "../kernel/placement.ts";
import { isTrue } from "../protocol/boolean.ts";
import { equal } from "../protocol/scram.ts";
import type { Element } from "../xml/element.ts";
import type { BindRequest, Bound, HandOver } from "./calls.ts";
import {
  acknowledge,
  enabledElement,
  failedElement,
  Ledger,
  readH,
  readMax,
  readResumptionId,
  resumedElement,
} from "./management.ts";
import { isGuestHost, sayFeatures } from "./negotiation.ts";
import type { Stream } from "./stream.ts";

/** Binds a resource of an account, or of a guest. */
export async function bindResource(
  stream: Stream,
  jid: string,
  wanted: Omit<BindRequest, "gate" | "sid">,
): Promise<Bound> {
  const { gate, sid } = stream;
  const { site } = stream.state;
  const bound = await gate.logins(jid).bind(jid, { ...wanted, gate: gate.name, sid, ...(site && { site }) });
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
  if (stream.managed) stream.write(failedElement("unexpected-request"));
  else stream.write(enableInline(stream, element));
}

export function enableInline(stream: Stream, element: Element): Element {
  const { gate } = stream;
  const most = gate.settings.resumeSeconds;
  const seconds = Math.min(most, readMax(element));
  stream.ledger = Ledger.enabled(isTrue(element.attrs.resume) && seconds > 0, seconds < most ? seconds : undefined);
  return enabledElement(gate.name, resumptionKey(stream), stream.ledger, seconds);
}

/**
 * What a resumption names a stream by. An account's is bound to the account; a guest may be nobody until it comes back, and
 * its address, which rooms show to their moderators, can contain the stream's id: so there is a seal on both (security.md C12).
 */
function resumptionKey(stream: Stream): string {
  const { gate, sid, jid } = stream;
  if (!isGuestHost(stream)) return sid;
  const name = `${jid?.local}.${sid}`;
  return `${name}.${gate.seal(name)}`;
}

/** The stream that a resumption may take back, and whose it is. */
function readKey(stream: Stream, jid: string, key: string): { sid: string; jid: string } | undefined {
  if (!isGuestHost(stream)) return { sid: key, jid };
  const dot = key.lastIndexOf(".");
  const name = key.slice(0, dot);
  if (!equal(Buffer.from(key.slice(dot + 1)), Buffer.from(stream.gate.seal(name)))) return undefined;
  const end = name.lastIndexOf(".");
  const owner = `${name.slice(0, end)}@${stream.state.host}`;
  // A newcomer becomes whoever has the key; one that has said by its token who it is does not.
  return jid === owner || jid === newGuest(stream) ? { sid: name.slice(end + 1), jid: owner } : undefined;
}

/** Who an anonymous stream is: somebody new. */
export const newGuest = ({ gate, state }: Stream): string =>
  `${guestName(gate.name, state.sid.toLowerCase())}@${state.host}`;

/** `<resume/>` on an authenticated stream that is not bound (§5). */
export async function resumeStream(stream: Stream, jid: string, element: Element): Promise<void> {
  const { ok, element: answer } = await takeBack(stream, jid, element);
  stream.write(answer);
  if (ok) stream.gate.opened(stream);
  else sayFeatures(stream);
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
  const key = id && readKey(stream, jid, id.sid);
  if (!key || h === undefined) return { ok: false, element: failedElement("item-not-found") };
  const { sid } = key;
  const earlier = gate.expect(sid);
  let given: HandOver | undefined;
  try {
    // The id names the gate where the stream began; it may have gone on to others since.
    const from = await gate.logins(key.jid).resume(key.jid, sid, gate.name);
    if (from === gate.name) await earlier;
    given = from === undefined ? undefined : await gate.fetch(from, sid, key.jid);
  } catch (error) {
    gate.unexpect(sid);
    throw error;
  }
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

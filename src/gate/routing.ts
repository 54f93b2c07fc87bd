/** RFC 6120 §8.1, §10: a stanza from a bound client, and the way it goes — https://www.rfc-editor.org/rfc/rfc6120#section-10 */
import { StanzaError, StreamError, stanzaError } from "../protocol/errors.ts";
import { Jid } from "../protocol/jid.ts";
import * as NS from "../protocol/ns.ts";
import { withPhoto } from "../protocol/photo.ts";
import { QUESTION, Stanza } from "../protocol/stanza.ts";
import type { Element } from "../xml/element.ts";
import { enable } from "./binding.ts";
import { ASK_EVERY, acknowledge, failedElement, readH } from "./management.ts";
import { isGuestHost } from "./negotiation.ts";
import type { Bound } from "./state.ts";
import type { Stream } from "./stream.ts";

/** What a client has displayed, which its account keeps even if it tells a room at the same time (XEP-0490 §5). */
const DISPLAYED = "urn:xmpp:mds:displayed:0";

/** Rooms and others that one stream may show itself to: what its attachment has room for. */
const DIRECTED = 64;

/** An element on a bound stream. */
export function route(stream: Stream, phase: Bound, element: Element): undefined {
  const ns = element.attrs.xmlns;
  if (ns === NS.CLIENT) {
    if (element.name !== "message" && element.name !== "presence" && element.name !== "iq")
      throw new StreamError("unsupported-stanza-type");
    return stanza(stream, phase, element);
  }
  if (ns === NS.SM) management(stream, element);
  else if (ns === NS.CSI) {
    phase.csi = element.name === "inactive";
    if (!phase.csi) stream.release();
  } else throw new StreamError("unsupported-stanza-type"); // §4.9.3.24
  return undefined;
}

function management(stream: Stream, element: Element): void {
  const ledger = stream.managed ? stream.ledger : undefined;
  if (element.name === "enable") return enable(stream, element);
  if (element.name === "resume" || !ledger) return stream.write(failedElement("unexpected-request"));
  if (element.name === "r") {
    const answer = ledger.asked();
    if (answer) stream.acknowledge(answer);
  } else if (element.name === "a") {
    const h = readH(element);
    if (h === undefined) throw new StreamError("bad-format", "An <a/> has an h.");
    acknowledge(ledger, h);
    // A long queue is asked for again at once: the next page of somebody's mail may wait for it.
    if (ledger.queue.length >= ASK_EVERY) stream.ask();
  } else throw new StreamError("unsupported-stanza-type");
}

function stanza(stream: Stream, phase: Bound, element: Element): undefined {
  const { gate, ledger } = stream;
  const jid = stream.jid as Jid;
  const number = ledger?.receive();
  stream.open++;
  const done = (error?: Error) => {
    stream.open--;
    if (!stream.pending) stream.socket?.settled?.();
    if (number !== undefined && ledger) {
      const answer = ledger.handle(number);
      if (answer) stream.acknowledge(answer);
      // Its row must not say that this is still on its way.
      if (!stream.socket) gate.touch(stream);
    }
    if (error) gate.log.error("a stanza could not be passed on", error);
  };
  checkFrom(element, jid);
  let read: Stanza | undefined;
  try {
    const address = element.attrs.to;
    const to = typeof address === "string" && address !== "" ? parseTo(address) : undefined;
    read = Stanza.read(element, jid, to, [gate.name, stream.sid]);
    forward(stream, phase, read, (error) => {
      if (error && read)
        bounce(
          stream,
          read,
          stanzaError("resource-constraint", "The server is busy; try again.", undefined, { type: "wait" }),
        );
      done(error);
    });
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    bounce(stream, read ?? unread(element, jid), error);
    done();
  }
  return undefined;
}

/**
 * §8.1.2.1: a client may say who it is, but not that it is somebody else. Its address is overridden either way.
 * COMPAT Converse.js 14: after a resumption it names the resource that it asked for, not the one that it got back.
 */
function checkFrom(element: Element, jid: Jid): void {
  const { from } = element.attrs;
  if (from === undefined || from === jid.toString() || from === jid.bare.toString()) return;
  if (!Jid.tryParse(String(from))?.bare.equals(jid.bare))
    throw new StreamError("invalid-from", "This is not your address.");
}

function parseTo(address: string): Jid {
  const to = Jid.tryParse(address);
  if (!to) throw stanzaError("jid-malformed", `"${address.slice(0, 64)}" is no address.`);
  return to;
}

/** As much of a malformed stanza as its error needs. */
function unread(element: Element, from: Jid): Stanza {
  const { type, id } = element.attrs;
  const known = type === "result" || type === "error" ? { type } : {};
  return new Stanza({ kind: element.name as Stanza["kind"], id: String(id ?? ""), from, to: undefined, ...known });
}

function bounce(stream: Stream, stanza: Stanza, error: StanzaError): void {
  const answer = stanza.error(error);
  if (answer) stream.deliver(answer);
}

/** Sends a stanza where it belongs; `done` runs when it is in custody, or was answered here. */
function forward(stream: Stream, phase: Bound, stanza: Stanza, done: (error?: Error) => void): void {
  const { gate } = stream;
  const { to, kind } = stanza;
  const { post, settings } = gate;
  const guest = isGuestHost(stream);
  const own = !to || to.equals(stanza.from.bare) || (to.local === "" && to.domain === stream.state.host && !to.full);

  if (kind === "presence" && stanza.type === "" && phase.photo) stanza = withPhoto(stanza, phase.photo);

  if (kind === "iq" && own) {
    // Answers to pushes are of no interest to anybody.
    if (!stanza.asks && !stanza.id.startsWith(QUESTION)) return done();
    const place = gate.kernel.answers("stream", stanza) ? "stream" : "host";
    if (place === "stream" || (to?.local === "" && gate.kernel.answers("host", stanza))) {
      stream.deliver(gate.answer(place, stanza));
      return done();
    }
  }
  if (own && guest) {
    if (kind === "presence") phase.available = stanza.type === "";
    else if (kind === "iq") throw stanzaError("service-unavailable", "Guests have rooms, and nothing else.");
    if (kind === "presence" && stanza.type === "unavailable") leaveRooms(stream, phase, stanza);
    return done();
  }
  if (own) {
    if (kind === "presence") {
      phase.available = stanza.type === "";
      if (stanza.type === "unavailable") leaveRooms(stream, phase, stanza);
    } else if (kind === "message" && to && to.local === "") {
      throw stanzaError("service-unavailable", "The server itself reads no messages.");
    }
    return post.submit(stanza, done);
  }
  if (to.domain === settings.domain && to.local === "")
    throw stanzaError("item-not-found", "The server has no resources.");

  const room = to.domain === settings.mucDomain;
  if (guest && !room && to.domain !== settings.guestDomain)
    throw stanzaError("not-allowed", "Guests have rooms, and nothing else."); // security.md C11
  if (kind === "presence" && room && (stanza.type === "" || stanza.type === "unavailable")) direct(phase, stanza);
  // A guest has another name each time: rooms know it again by its address.
  if (kind !== "message" && room && guest) stanza = stanza.with({ via: [gate.name, stream.sid, stream.state.address] });
  // What no account has to see goes straight there: no archive, no copies, nobody to block.
  const plain = stanza.type === "groupchat" && !stanza.inner.includes(DISPLAYED);
  const straight = guest || (room && (kind !== "message" || plain));
  if (straight) post.send(stanza, done);
  else post.submit(stanza, done);
}

function direct(phase: Bound, { to, type }: Stanza): void {
  const address = String(to);
  phase.directed = phase.directed.filter((other) => other !== address);
  if (type !== "") return;
  if (phase.directed.length >= DIRECTED)
    throw stanzaError("resource-constraint", `One stream joins at most ${DIRECTED} rooms.`);
  phase.directed.push(address);
}

/** RFC 6121 §4.6.4: who was sent presence directly is sent the unavailable, too. */
export function leaveRooms(stream: Stream, phase: Bound, stanza?: Stanza): void {
  const jid = stream.jid as Jid;
  for (const address of phase.directed) {
    const to = Jid.parse(address);
    const via = [stream.gate.name, stream.sid] as const;
    const leaving = stanza?.with({ to }) ?? new Stanza({ kind: "presence", type: "unavailable", from: jid, to, via });
    stream.gate.post.send(leaving);
  }
  phase.directed = [];
}

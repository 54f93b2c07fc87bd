/** XEP-0045 §7.2.15, §8.1: what a room is about — https://xmpp.org/extensions/xep-0045.html */
import type { Feature } from "../../kernel/feature.ts";
import { type Arrival, type Passage, room } from "../../muc/hooks.ts";
import type { Room } from "../../muc/room.ts";
import { delayElement } from "../../protocol/delay.ts";
import { stanzaError } from "../../protocol/errors.ts";
import { Jid } from "../../protocol/jid.ts";
import { CLIENT } from "../../protocol/ns.ts";
import { Stanza } from "../../protocol/stanza.ts";
import { serialise } from "../../xml/writer.ts";

const LONGEST = 4096;

/** A subject alone changes it; with a body or a thread it is a message like any other (§8.1). */
function change(room: Room, { stanza, occupant }: Passage): void {
  const subject = stanza.child("subject", CLIENT);
  if (!subject || stanza.child("body", CLIENT) || stanza.child("thread", CLIENT)) return;
  const { role } = occupant;
  if (role !== "moderator" && !(room.config.changeSubject && role === "participant"))
    throw stanzaError("forbidden", "You may not change the subject.");
  const text = subject.getText();
  if (text.length > LONGEST) throw stanzaError("not-acceptable", `A subject has at most ${LONGEST} characters.`);
  const inner = stanza.children.filter((child) => child.name === "subject" && child.attrs.xmlns === CLIENT);
  room.setSubject({
    inner: inner.map((child) => serialise(child, CLIENT)).join(""),
    text,
    from: room.jid.with(occupant.nick).toString(),
    at: room.now,
  });
}

function tell(room: Room, { session }: Arrival): void {
  const { subject } = room;
  const delay = subject && serialise(delayElement({ stamp: new Date(subject.at), from: room.jid.toString() }), CLIENT);
  const inner = subject ? subject.inner + delay : "<subject/>";
  const from = subject ? Jid.parse(subject.from) : room.jid;
  room.tell(session, new Stanza({ kind: "message", type: "groupchat", from, inner }));
}

export const subject: Feature = {
  name: "subject",
  implements: [{ id: "XEP-0045", note: "§8.1 subject" }],
  handles: [room.hook("join:after", tell), room.hook("groupchat", change)],
};

/** RFC 6121 — https://www.rfc-editor.org/rfc/rfc6121 — with XEP-0280, 0085 and 0184: a roster, who of it is there, and talking to one of them. */
import type { Client } from "./client.ts";
import { type Element, xml } from "./element.ts";
import { nonce } from "./negotiate.ts";

const ROSTER = "jabber:iq:roster";
const CARBONS = "urn:xmpp:carbons:2";
const CHAT_STATES = "http://jabber.org/protocol/chatstates";

export interface Contact {
  jid: string;
  name: string | undefined;
  subscription: string;
  /** Resources that are online, with their `show`: "" = available. */
  resources: Map<string, string>;
}

export interface Said {
  /** Bare JID of the other side. */
  with: string;
  own: boolean;
  id: string;
  body: string | undefined;
  time: number;
  /** The chat state it carries, when it does. */
  typing: boolean;
}

/** Loads the roster at every new session, and follows it. */
export class Contacts {
  readonly roster = new Map<string, Contact>();
  #client: Client;
  #changed: () => void;
  #said: (said: Said) => void;

  /** `accept` decides on requests to see our presence. */
  constructor(
    client: Client,
    changed: () => void,
    said: (said: Said) => void,
    accept: (jid: string) => boolean = () => false,
  ) {
    this.#client = client;
    this.#changed = changed;
    this.#said = said;
    client.on("online", ({ resumed }) => {
      if (!resumed) void this.#load();
    });
    client.on("stanza", (stanza) => {
      if (stanza.name === "message") this.#message(stanza);
      else this.#presence(stanza, accept);
    });
    client.responders.set(ROSTER, (iq) => this.#push(iq));
  }

  /** Asks to see somebody's presence, and lets them see ours. */
  add(jid: string): void {
    this.#client.send(xml("presence", { to: jid, type: "subscribed" }));
    this.#client.send(xml("presence", { to: jid, type: "subscribe" }));
  }

  /** Returns the message's id: it is in the server's hands when the client says "acked". */
  say(to: string, body: string): string {
    const id = nonce();
    const state = xml("active", { xmlns: CHAT_STATES });
    this.#client.send(xml("message", { to, type: "chat", id }, xml("body", null, body), state));
    return id;
  }

  typing(to: string, is: boolean): void {
    const state = xml(is ? "composing" : "paused", { xmlns: CHAT_STATES });
    this.#client.send(xml("message", { to, type: "chat", id: nonce() }, state));
  }

  async #load(): Promise<void> {
    const answer = await this.#client.iq("get", undefined, xml("query", { xmlns: ROSTER })).catch(() => undefined);
    this.roster.clear();
    for (const item of answer?.child("query")?.all("item") ?? []) this.#item(item);
    this.#client.send(xml("presence"));
    this.#changed();
  }

  #push(iq: Element): true | undefined {
    // RFC 6121 §2.1.6: only from our own account.
    if ((iq.attrs.from ?? this.#client.bare) !== this.#client.bare) return undefined;
    for (const item of iq.child("query")?.all("item") ?? []) this.#item(item);
    this.#changed();
    return true;
  }

  #item({ attrs }: Element): void {
    const { jid = "", name, subscription = "none" } = attrs;
    if (subscription === "remove") this.roster.delete(jid);
    else this.roster.set(jid, { jid, name, subscription, resources: this.roster.get(jid)?.resources ?? new Map() });
  }

  #presence(presence: Element, accept: (jid: string) => boolean): void {
    const { from = "", type } = presence.attrs;
    const [jid = "", resource = ""] = from.split("/");
    const contact = this.roster.get(jid);
    if (type === "subscribe" && accept(jid)) this.#client.send(xml("presence", { to: jid, type: "subscribed" }));
    else if (contact && !type) contact.resources.set(resource, presence.text("show") ?? "");
    else if (contact && type === "unavailable") contact.resources.delete(resource);
    this.#changed();
  }

  #message(stanza: Element): void {
    const carbon = stanza.child("sent", CARBONS) ?? stanza.child("received", CARBONS);
    // XEP-0280 §security: a copy is believed only from our own account.
    if (carbon && stanza.attrs.from !== this.#client.bare) return;
    const message = carbon ? carbon.child("forwarded")?.child("message", "jabber:client") : stanza;
    if (message?.attrs.type !== "chat") return;
    const own = carbon?.name === "sent";
    const stamp = message.child("delay", "urn:xmpp:delay")?.attrs.stamp;
    this.#said({
      with: ((own ? message.attrs.to : message.attrs.from) ?? "").split("/")[0]!,
      own,
      id: message.attrs.id ?? "",
      body: message.text("body"),
      time: stamp ? Date.parse(stamp) : Date.now(),
      typing: !!message.child("composing", CHAT_STATES),
    });
  }
}

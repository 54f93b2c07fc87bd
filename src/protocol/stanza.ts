/** RFC 6120 §8: XML stanzas — https://www.rfc-editor.org/rfc/rfc6120#section-8 */
import type { Element } from "../xml/element.ts";
import { readFragment } from "../xml/reader.ts";
import { escapeAttribute, inner as innerOf, serialise } from "../xml/writer.ts";
import { errorElement, type StanzaError, stanzaError } from "./errors.ts";
import { Jid } from "./jid.ts";
import { traitsOf } from "./message.ts";
import * as NS from "./ns.ts";

export type Kind = "message" | "presence" | "iq";

/** The gate and the stream that a client's stanza came in by; of a guest in a room, also its address, as a keyed hash. */
export type Via = readonly [gate: string, sid: string, address?: string];

/**
 * A stanza as it travels between objects: its header in fields, its children as text in the context of
 * jabber:client. Plain data, because class instances do not cross a call.
 */
export interface Envelope {
  kind: Kind;
  type: string;
  id: string;
  from: string;
  to: string;
  lang: string;
  inner: string;
  /** For an IQ that asks: "namespace name" of its payload. */
  about: string;
  /** For a message: what `traitsOf` saw in it, a set of `Trait` bits. */
  traits: number;
  via?: Via;
}

interface Fields {
  kind: Kind;
  type?: string;
  id?: string;
  from: Jid;
  to?: Jid | undefined;
  lang?: string;
  inner?: string;
  about?: string;
  traits?: number;
  via?: Via | undefined;
}

/** How the ids of the questions begin that an account itself asks its clients: their answers must reach it. */
export const QUESTION = "ask-";

const IQ_TYPES = new Set(["get", "set", "result", "error"]);
const MESSAGE_TYPES = new Set(["chat", "groupchat", "headline", "error"]);
const PRESENCE_TYPES = new Set([
  "",
  "unavailable",
  "subscribe",
  "subscribed",
  "unsubscribe",
  "unsubscribed",
  "probe",
  "error",
]);

/** One stanza: parsed header, children as text, and as elements once somebody looks inside. Immutable. */
export class Stanza {
  readonly kind: Kind;
  readonly type: string;
  readonly id: string;
  readonly from: Jid;
  readonly to: Jid | undefined;
  readonly lang: string;
  readonly inner: string;
  readonly about: string;
  readonly traits: number;
  readonly via: Via | undefined;
  #children: readonly Element[] | undefined;
  #head: string | undefined;

  constructor(fields: Fields, children?: readonly Element[]) {
    this.kind = fields.kind;
    this.type = fields.type ?? "";
    this.id = fields.id ?? "";
    this.from = fields.from;
    this.to = fields.to;
    this.lang = fields.lang ?? "";
    this.inner = fields.inner ?? "";
    this.about = fields.about ?? "";
    this.traits = fields.traits ?? 0;
    this.via = fields.via;
    this.#children = children;
  }

  /**
   * The stanza that a parsed element is, sent by `from`. A malformed one throws the StanzaError its sender gets.
   * An unknown message type counts as "normal" (RFC 6121 §5.2.2), which is written as no type.
   */
  static read(element: Element, from: Jid, to: Jid | undefined, via?: Via): Stanza {
    const kind = element.name as Kind;
    const attrs = element.attrs as Record<string, string | undefined>;
    const children = element.getChildElements();
    let type = attrs.type ?? "";
    let about = "";
    let traits = 0;
    if (kind === "iq") {
      if (!IQ_TYPES.has(type)) throw stanzaError("bad-request", "An IQ's type is get, set, result or error.");
      if (!attrs.id) throw stanzaError("bad-request", "An IQ needs an id.");
      if (type === "get" || type === "set") {
        const [payload, second] = children;
        if (!payload || second) throw stanzaError("bad-request", "An IQ that asks has exactly one child."); // §8.2.3
        about = `${payload.attrs.xmlns} ${payload.name}`;
      }
    } else if (kind === "message") {
      if (!MESSAGE_TYPES.has(type)) type = "";
      traits = traitsOf(type, children);
    } else if (!PRESENCE_TYPES.has(type)) {
      throw stanzaError("bad-request", `There is no presence of type "${type.slice(0, 32)}".`);
    }
    const lang = attrs["xml:lang"] ?? "";
    const inner = innerOf(element, NS.CLIENT);
    return new Stanza({ kind, type, id: attrs.id ?? "", from, to, lang, inner, about, traits, via }, children);
  }

  static open(envelope: Envelope): Stanza {
    return new Stanza({
      ...envelope,
      from: Jid.parse(envelope.from),
      to: envelope.to ? Jid.parse(envelope.to) : undefined,
    });
  }

  pack(): Envelope {
    const { kind, type, id, lang, inner, about, traits, via } = this;
    const packed = {
      kind,
      type,
      id,
      from: this.from.toString(),
      to: this.to?.toString() ?? "",
      lang,
      inner,
      about,
      traits,
    };
    return via ? { ...packed, via } : packed;
  }

  get children(): readonly Element[] {
    this.#children ??= this.inner ? readFragment(this.inner, NS.CLIENT) : [];
    return this.#children;
  }

  /** The first child of that name and namespace; without a name, the first in that namespace. */
  child(name: string | undefined, ns: string): Element | undefined {
    if (this.#children === undefined && !this.inner.includes(ns === NS.CLIENT ? `<${name}` : ns)) return undefined;
    return this.children.find((child) => child.attrs.xmlns === ns && (name === undefined || child.name === name));
  }

  /** An IQ's payload. */
  get payload(): Element {
    const [payload] = this.children;
    if (!payload) throw stanzaError("bad-request", "This IQ has no payload.");
    return payload;
  }

  /** A copy with other header fields or children. */
  with(changes: Partial<Fields>): Stanza {
    return new Stanza({ ...this, ...changes }, changes.inner === undefined ? this.#children : undefined);
  }

  /** A copy with more children behind the ones it has. */
  plus(...more: readonly Element[]): Stanza {
    return this.with({ inner: this.inner + more.map((child) => serialise(child, NS.CLIENT)).join("") });
  }

  /** A copy without the children that `drop` names. */
  without(drop: (child: Element) => boolean): Stanza {
    const kept = this.children.filter((child) => !drop(child));
    if (kept.length === this.children.length) return this;
    return this.with({ inner: kept.map((child) => serialise(child, NS.CLIENT)).join("") });
  }

  /** The stanza's text for one reader. What does not depend on the reader is written once. */
  text(to = this.to?.toString() ?? ""): string {
    this.#head ??= this.#write();
    return `${this.#head}${to ? ` to="${escapeAttribute(to)}"` : ""}${this.inner ? `>${this.inner}</${this.kind}>` : "/>"}`;
  }

  #write(): string {
    let head = `<${this.kind} xmlns="${NS.CLIENT}"`;
    if (this.type) head += ` type="${this.type}"`;
    if (this.id) head += ` id="${escapeAttribute(this.id)}"`;
    head += ` from="${escapeAttribute(this.from.toString())}"`;
    if (this.lang) head += ` xml:lang="${escapeAttribute(this.lang)}"`;
    return head;
  }

  /** An IQ that waits for an answer. */
  get asks(): boolean {
    return this.kind === "iq" && (this.type === "get" || this.type === "set");
  }

  /** The answer to an IQ that asks, from the address it was sent to. */
  result(payload?: Element): Stanza {
    return new Stanza({
      kind: "iq",
      type: "result",
      id: this.id,
      from: this.to ?? this.from.bare,
      to: this.from,
      inner: payload ? serialise(payload, NS.CLIENT) : "",
    });
  }

  /** The error that goes back to the sender, or nothing where an error must not be answered (§8.3.1). */
  error(error: StanzaError): Stanza | undefined {
    if (this.type === "error" || this.type === "result") return undefined;
    // §8.3.1: the original payload may ride along; an IQ's helps clients, a message's is only weight.
    const original = this.kind === "iq" ? this.inner : "";
    return new Stanza({
      kind: this.kind,
      type: "error",
      id: this.id,
      from: this.to ?? this.from.bare,
      to: this.from,
      inner: original + serialise(errorElement(error), NS.CLIENT),
      ...(this.via ? { via: this.via } : {}),
    });
  }
}

/** A new stanza from elements: what the server itself has to say. */
export function stanza(
  kind: Kind,
  header: Omit<Fields, "kind" | "inner">,
  ...children: readonly (Element | undefined)[]
): Stanza {
  const present = children.filter((child) => child !== undefined);
  const traits = kind === "message" ? traitsOf(header.type ?? "", present) : 0;
  const about = kind === "iq" && present[0] ? `${present[0].attrs.xmlns} ${present[0].name}` : "";
  const inner = present.map((child) => serialise(child, NS.CLIENT)).join("");
  return new Stanza({ ...header, kind, traits, about, inner });
}

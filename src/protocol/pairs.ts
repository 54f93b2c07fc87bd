/** XEP-0220: Server Dialback, v1.1.1 — https://xmpp.org/extensions/xep-0220.html. For whom another server may speak on one stream. */
import type { Element } from "../xml/element.ts";
import { xml } from "../xml/element.ts";
import { isDialbackKey } from "./dialback.ts";
import { domainpart } from "./domain.ts";
import { errorElement, type StanzaCondition, StreamError, stanzaError } from "./errors.ts";
import { Jid } from "./jid.ts";
import * as NS from "./ns.ts";

/** Domains that may be verified at one time, and that one stream may be verified for. */
const PENDING = 8;
const PAIRS = 64;
/** Each makes us ask some other server, which is work that a stranger gives us. */
const KEYS = 256;
const KEY_LENGTH = 1_024;

/** Plain data, for who keeps it. */
export interface Proved {
  /** "from to" of what was verified (security.md F5). */
  pairs: string[];
  /** Keys that were shown. */
  keys: number;
}

export interface PairsPorts {
  /** What may be written to. */
  hosts: ReadonlySet<string>;
  /** No other server speaks for these. */
  isOurs(domain: string): boolean;
  /** Of dialback keys. */
  secret: string;
  /** Keys prove nothing here: a certificate does. */
  certificatesOnly: boolean;
  /** Asks the server of `remote` whether it made that key. @throws {Unverifiable} */
  verify(local: string, remote: string, id: string, key: string): Promise<boolean>;
  send(element: Element): void;
  verified(from: string, to: string): void;
  /** That key was not made by who has shown it. */
  refused(from: string, to: string): void;
}

/** The key could not be shown to its maker; says nothing about the key. */
export class Unverifiable extends Error {
  readonly condition: StanzaCondition;
  constructor(condition: StanzaCondition, message = "") {
    super(message);
    this.condition = condition;
  }
}

export class Pairs {
  readonly #proved: Proved;
  /** The stream's, which keys are made for. */
  readonly #id: string;
  readonly #ports: PairsPorts;
  /** The domain that a certificate stands for: it may write to all our hosts. */
  certified: string | undefined;
  #pending = 0;

  constructor(proved: Proved, id: string, ports: PairsPorts) {
    this.#proved = proved;
    this.#id = id;
    this.#ports = ports;
  }

  get some(): boolean {
    return this.certified !== undefined || this.#proved.pairs.length > 0;
  }

  add(from: string, to: string): void {
    const { pairs } = this.#proved;
    if (!pairs.includes(`${from} ${to}`)) pairs.push(`${from} ${to}`);
  }

  /** Between whom a stanza goes. @throws {StreamError} when nothing on this stream has proved that it may */
  addresses({ attrs }: Element): { from: Jid; to: Jid } {
    const from = Jid.tryParse(attrs.from ?? "");
    const to = Jid.tryParse(attrs.to ?? "");
    if (!this.some) throw new StreamError("not-authorized"); // RFC 6120 §4.9.3.12
    if (!from || !to) throw new StreamError("improper-addressing"); // RFC 6120 §8.1.1.2
    if (!this.#ports.hosts.has(to.domain)) throw new StreamError("host-unknown");
    if (from.domain !== this.certified && !this.#proved.pairs.includes(`${from.domain} ${to.domain}`))
      throw new StreamError("invalid-from", "This domain was not verified here.");
    return { from, to };
  }

  /** What is asked by dialback: to be believed, or whether a key is ours. */
  dialback(element: Element): void {
    const { name, attrs } = element;
    const { hosts, isOurs, secret, certificatesOnly } = this.#ports;
    const from = domainpart(attrs.from ?? "");
    const to = domainpart(attrs.to ?? "");
    if (from === undefined || to === undefined) throw new StreamError("improper-addressing");
    // security.md F1: an answer is for where somebody waits for it.
    if (attrs.type !== undefined) throw new StreamError("not-authorized", "Nothing was asked.");
    if (name !== "verify" && name !== "result") throw new StreamError("unsupported-stanza-type");
    const key = element.getText().trim();
    const fail = (condition: StanzaCondition, text?: string) =>
      this.#answer(element, from, to, "error", asError(condition, text));
    // §2.4: no stream error, for the stream may be good for other domains.
    if (!hosts.has(to)) return fail("item-not-found", `${to} is not here.`);
    if (name === "verify") {
      const good = isDialbackKey(key, secret, from, to, attrs.id ?? "");
      return this.#answer(element, from, to, good ? "valid" : "invalid");
    }
    if (isOurs(from)) throw new StreamError("invalid-from", "That is us.");
    if (certificatesOnly) return fail("policy-violation", "A certificate is needed here.");
    if (this.#pending >= PENDING || this.#proved.pairs.length >= PAIRS || key.length > KEY_LENGTH)
      return fail("resource-constraint");
    if (++this.#proved.keys > KEYS) throw new StreamError("policy-violation", "Too many keys.");
    this.#pending++;
    this.#verify(element, from, to, key).finally(() => {
      this.#pending--;
    });
  }

  async #verify(element: Element, from: string, to: string, key: string): Promise<void> {
    const { verify, verified, refused } = this.#ports;
    let valid: boolean;
    try {
      valid = await verify(to, from, this.#id, key);
    } catch (error) {
      const { condition, message } =
        error instanceof Unverifiable ? error : new Unverifiable("remote-server-timeout", "");
      return this.#answer(element, from, to, "error", asError(condition, message || undefined));
    }
    if (valid) this.add(from, to);
    this.#answer(element, from, to, valid ? "valid" : "invalid");
    if (valid) verified(from, to);
    else refused(from, to);
  }

  #answer({ name, attrs }: Element, from: string, to: string, type: string, error?: Element): void {
    const id = name === "verify" ? attrs.id : undefined;
    this.#ports.send(xml(`db:${name}`, { "xmlns:db": NS.DIALBACK, from: to, to: from, id, type }, error));
  }
}

function asError(condition: StanzaCondition, text?: string): Element {
  const error = errorElement(stanzaError(condition, text));
  error.attrs.xmlns = NS.SERVER;
  return error;
}

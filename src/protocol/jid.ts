/** RFC 7622: JIDs, the addresses of XMPP — https://www.rfc-editor.org/rfc/rfc7622 */
import { domainpart } from "./domain.ts";
import { opaqueString, usernameCaseMapped } from "./precis.ts";

/** Text that is no address. A stanza addressed so is answered with `jid-malformed`. */
export class JidError extends Error {
  override readonly name = "JidError";
  readonly condition = "jid-malformed";
}

/** An address in its normal form. Immutable, and equal ones are mostly the same object; compare with `equals`. */
export class Jid {
  /** "" where there is none. */
  readonly local: string;
  readonly domain: string;
  /** "" where there is none. */
  readonly resource: string;
  /** Without the resource: this same object if it has none. */
  readonly bare: Jid;
  /** Whether there is a resource. */
  readonly full: boolean;
  readonly #text: string;

  private constructor(local: string, domain: string, resource: string, text: string) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.full = resource !== "";
    this.#text = text;
    this.bare = this.full ? Jid.#intern(local, domain, "") : this;
  }

  /**
   * Reads an address, ours or another server's. A localpart or resourcepart that PRECIS does not allow is taken all
   * the same if the older stringprep profiles did, as servers that still use those will send it: see `isUsername`
   * for names given out here. Throws JidError.
   */
  static parse(text: string): Jid {
    const known = recall(text);
    if (known !== undefined) return known;
    if (text.length > 3071) throw new JidError("An address has at most 3071 bytes.");
    const slash = text.indexOf("/");
    const bare = slash === -1 ? text : text.slice(0, slash);
    const at = bare.indexOf("@");
    if (at === 0) throw new JidError("There is nothing before the @ of the address.");
    if (slash === text.length - 1) throw new JidError("There is nothing after the / of the address.");
    const jid = Jid.of(
      at === -1 ? "" : bare.slice(0, at),
      bare.slice(at + 1),
      slash === -1 ? "" : text.slice(slash + 1),
    );
    if (text !== jid.#text) remember(copy(text), jid);
    return jid;
  }

  static tryParse(text: string): Jid | undefined {
    // The usual ways to say nothing; an exception is dear.
    if (text === "" || text.endsWith("/")) return undefined;
    try {
      return Jid.parse(text);
    } catch (error) {
      if (error instanceof JidError) return undefined;
      throw error;
    }
  }

  /** An address of parts, which are brought to their normal forms; "" leaves out local or resource. Throws JidError. */
  static of(local: string, domain: string, resource = ""): Jid {
    const name = local === "" ? "" : localpart(local);
    const host = domainpart(domain);
    const at = resource === "" ? "" : resourcepart(resource);
    if (name === undefined) throw new JidError("The part before the @ has characters that no address has.");
    if (host === undefined) throw new JidError("The address has no valid domain.");
    if (at === undefined) throw new JidError("The part after the / has characters that no address has.");
    if (tooLong(name) || tooLong(host) || tooLong(at)) {
      throw new JidError("A part of an address has at most 1023 bytes.");
    }
    return Jid.#intern(name, host, at);
  }

  /** The same account or room with another resource. Throws JidError. */
  with(resource: string): Jid {
    if (resource === "") return this.bare;
    return recall(`${this.bare.#text}/${resource}`) ?? Jid.of(this.local, this.domain, resource);
  }

  equals(other: Jid | undefined): boolean {
    return this === other || (other !== undefined && this.#text === other.#text);
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }

  static #intern(local: string, domain: string, resource: string): Jid {
    const bare = local === "" ? domain : `${local}@${domain}`;
    const text = resource === "" ? bare : `${bare}/${resource}`;
    const known = recall(text);
    if (known !== undefined) return known;
    const own = copy(text);
    const at = local.length === 0 ? 0 : local.length + 1;
    const end = at + domain.length;
    const jid = new Jid(own.slice(0, local.length), own.slice(at, end), own.slice(end + 1), own);
    remember(own, jid);
    return jid;
  }
}

/**
 * Whether an account or a room may be given this name here: stricter than what an address may have, so that no two
 * names look alike by width, ligature or emoji (RFC 8265 §3.3). Judges what the user typed or its normal form.
 */
export function isUsername(local: string): boolean {
  const name = usernameCaseMapped(local);
  return name !== undefined && !EXCLUDED.test(name) && !tooLong(name);
}

/** XEP-0106: a localpart for any text, such as an e-mail address. Undefined if it begins or ends with a space. */
export function escapeLocal(text: string): string | undefined {
  if (text.startsWith(" ") || text.endsWith(" ")) return undefined;
  return text.replace(/[ "&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/g, (char) => {
    return `\\${char.charCodeAt(0).toString(16)}`;
  });
}

/** XEP-0106: the text that an escaped localpart stands for, to be shown and never to be sent or compared. */
export function unescapeLocal(local: string): string {
  return local.replace(/\\(20|22|26|27|2f|3a|3c|3e|40|5c)/g, (sequence, hex: string, at: number) => {
    if (hex === "20" && (at === 0 || at === local.length - 3)) return sequence;
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
}

/** RFC 7622 §3.3.1: what a localpart never has, whatever it was before its normal form. */
const EXCLUDED = /["&'/:<>@ ]/;

// RFC 3454: what the stringprep profiles of RFC 6122 leave out, and what they refuse (C.2 to C.9, and unassigned).
const LEFT_OUT = /[\u034f\u180b-\u180d\ufe00-\ufe0f\u00ad\u1806\u200b-\u200d\u2060\ufeff]/g;
const REFUSED = /[\u0340\u0341\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u2ff0-\u2ffb\ufff9-\ufffd]/u;

function localpart(text: string): string | undefined {
  const strict = usernameCaseMapped(text);
  if (strict !== undefined) return EXCLUDED.test(strict) ? undefined : strict;
  const name = text.replace(LEFT_OUT, "").toLowerCase().normalize("NFKC").toLowerCase().normalize("NFKC");
  return name === "" || EXCLUDED.test(name) || /\p{Z}/u.test(name) || REFUSED.test(name) ? undefined : name;
}

function resourcepart(text: string): string | undefined {
  const strict = opaqueString(text);
  if (strict !== undefined) return strict;
  const resource = text
    .replace(LEFT_OUT, "")
    .replace(/\p{Zs}/gu, " ")
    .normalize("NFC");
  return resource === "" || REFUSED.test(resource) ? undefined : resource;
}

const encoder = new TextEncoder();

function tooLong(part: string): boolean {
  return part.length * 3 > 1023 && (part.length > 1023 || encoder.encode(part).length > 1023);
}

/** A string that is not, as V8 has it, a window on the stanza it was cut from, which would then be kept with it. */
const copy = (text: string): string => ` ${text}`.slice(1);

/** Two generations of addresses: when the young one is full it becomes the old, and what was not asked for goes. */
const GENERATION = 4096;
let young = new Map<string, Jid>();
let old = new Map<string, Jid>();

function recall(text: string): Jid | undefined {
  const known = young.get(text);
  if (known !== undefined) return known;
  const aged = old.get(text);
  if (aged !== undefined) remember(copy(text), aged);
  return aged;
}

function remember(text: string, jid: Jid): void {
  if (text.length > 512) return; // longer ones are rare, and a flood of them would hold megabytes
  if (young.size >= GENERATION) {
    old = young;
    young = new Map();
  }
  young.set(text, jid);
}

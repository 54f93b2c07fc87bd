/** RFC 6120 §11.1: the tree under construction, and everything XMPP forbids in it — https://www.rfc-editor.org/rfc/rfc6120#section-11.1 */
import { SaxesParser, type SaxesTagNS } from "saxes";
import { Element } from "./element.ts";
import { type Limits, XmlError } from "./limits.ts";
import { FRAMING, NAME, NAMESPACE_REFUSED } from "./names.ts";

/** Before the root: a declaration, which has no ">" in it, and then one of the things that XMPP does without. */
const FORBIDDEN_PROLOG = /^[ \t\r\n]*(?:<\?[^>]*>[ \t\r\n]*)?<!/;

/** Refuses what the parser would let pass, given the text from the beginning of the document to its root at least. */
export function checkProlog(text: string): void {
  if (text.startsWith("\ufeff")) refuse("not-well-formed", "XMPP has no byte order mark."); // §11.6
  if (FORBIDDEN_PROLOG.test(text)) refuse("restricted-xml", "XMPP has no document type declarations.");
}

/** Told what has been read. Elements at depth 1 are the top level; depth 0 is a stream's own element. */
export interface Sink {
  top(element: Element): void;
  /** A stream begins. The map is of prefixes to namespaces, "" being the default, that of stanzas. */
  open?(stream: Element, namespaces: { readonly [prefix: string]: string }): void;
  close?(): void;
}

/** A SAX parser that makes trees. After it has thrown it is of no further use. */
export class TreeParser {
  limits: Limits;
  readonly #saxes = new SaxesParser({ xmlns: true });
  readonly #sink: Sink;
  readonly #outermost: 0 | 1;
  #depth: number;
  #current: Element | null = null;
  /** Whether it is the sink that runs, whose errors are its own. */
  #telling = false;
  #elements = 0;
  /** The size of the namespaces that the writer will spell out, where a prefix may have stood for them. */
  #repeated = 0;

  constructor(sink: Sink, limits: Limits, outermost: 0 | 1) {
    this.#sink = sink;
    this.limits = limits;
    this.#outermost = outermost;
    this.#depth = outermost - 1;
    const saxes = this.#saxes;
    // Six handlers and no more: with the seventh V8 keeps the parser in a dictionary and every character costs four times
    // as much. The declaration is looked at when the root opens, a document type by `checkProlog`.
    saxes.on("opentag", (tag) => this.#open(tag));
    saxes.on("closetag", () => this.#close());
    saxes.on("text", (text) => this.#text(text));
    saxes.on("cdata", (text) => this.#text(text));
    saxes.on("comment", () => refuse("restricted-xml", "XMPP has no comments."));
    saxes.on("processinginstruction", () => refuse("restricted-xml", "XMPP has no processing instructions."));
  }

  /** Characters read so far: at the end of an element, the place after it. */
  get position(): number {
    return this.#saxes.position;
  }

  write(text: string): void {
    this.#run(text);
  }

  /** The document is complete; the parser is ready for the next. */
  end(): void {
    this.#run(null);
    this.#depth = this.#outermost - 1;
  }

  #run(text: string | null): void {
    try {
      this.#saxes.write(text as string);
    } catch (error) {
      if (this.#telling || error instanceof XmlError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new XmlError(message.includes("doctype") ? "restricted-xml" : "not-well-formed", message);
    }
  }

  #open(tag: SaxesTagNS): void {
    const { limits } = this;
    const { local, uri, attributes } = tag;
    const depth = ++this.#depth;
    if (depth === this.#outermost) this.#checkDeclaration();
    if (depth <= 1) {
      this.#elements = 0;
      this.#repeated = 0;
    } else {
      if (depth > limits.depth) refuse("policy-violation", `Elements are nested more than ${limits.depth} deep.`);
      if (FRAMING.has(uri)) refuse("policy-violation", "A stream's framing has no place inside a stanza.");
    }
    if (++this.#elements > limits.elements) {
      refuse("policy-violation", `There are more than ${limits.elements} elements.`);
    }
    this.#checkName(tag.name);
    const parent = this.#current;
    if (uri !== parent?.attrs.xmlns) this.#repeats(uri);

    const element = new Element(local);
    const { attrs } = element;
    attrs.xmlns = uri;
    let count = 0;
    for (const name in attributes) {
      if (++count > limits.attributes) {
        refuse("policy-violation", `There are more than ${limits.attributes} attributes.`);
      }
      const { prefix, value, uri: ns } = attributes[name]!;
      this.#checkName(name);
      if (prefix === "xmlns" || name === "xmlns") {
        if (NAMESPACE_REFUSED.test(value)) refuse("policy-violation", "A namespace has white space in it.");
        continue;
      }
      if (prefix !== "" && prefix !== "xml") {
        if (depth > 1 && FRAMING.has(ns)) {
          refuse("policy-violation", "A stream's framing has no place inside a stanza.");
        }
        attrs[`xmlns:${prefix}`] = ns;
        this.#repeats(ns);
      }
      if (name === "__proto__") Object.defineProperty(attrs, name, { value, enumerable: true, writable: true });
      else attrs[name] = value;
    }

    if (depth === 0) {
      this.#telling = true;
      this.#sink.open?.(element, tag.ns);
      this.#telling = false;
      return;
    }
    if (parent !== null) {
      element.parent = parent;
      parent.children.push(element);
    }
    this.#current = element;
  }

  #close(): void {
    const depth = this.#depth--;
    const element = this.#current;
    this.#telling = true;
    if (element === null) {
      this.#sink.close?.();
    } else {
      this.#current = element.parent;
      if (depth === 1) this.#sink.top(element);
    }
    this.#telling = false;
  }

  #text(text: string): void {
    const element = this.#current;
    if (element === null) {
      if (this.#outermost === 0 && /[^ \t\r\n]/.test(text)) refuse("bad-format", "There is text between stanzas.");
      return;
    }
    const { children } = element;
    const last = children.length - 1;
    const before = children[last];
    if (typeof before === "string") children[last] = before + text;
    else children.push(text);
  }

  #checkDeclaration(): void {
    const { version, encoding } = this.#saxes.xmlDecl;
    if (version !== undefined && version !== "1.0") refuse("not-well-formed", "XMPP is XML 1.0.");
    if (encoding !== undefined && !/^utf-8$/i.test(encoding)) {
      refuse("unsupported-encoding", "XMPP is encoded in UTF-8.");
    }
  }

  #checkName(name: string): void {
    if (name.length > this.limits.name) {
      refuse("policy-violation", `A name is longer than ${this.limits.name} characters.`);
    }
    if (!NAME.test(name)) refuse("policy-violation", "A name has characters that not every XML parser takes.");
  }

  #repeats(ns: string): void {
    this.#repeated += ns.length;
    if (this.#repeated > this.limits.bytes) refuse("policy-violation", "Written out, the namespaces are too long.");
  }
}

function refuse(condition: XmlError["condition"], message: string): never {
  throw new XmlError(condition, message);
}

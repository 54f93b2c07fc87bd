/**
 * XEP-0115: Entity Capabilities, v1.6 — https://xmpp.org/extensions/xep-0115.html
 * XEP-0390: Entity Capabilities 2.0, v0.3.2 — https://xmpp.org/extensions/xep-0390.html
 */
import { createHash } from "node:crypto";
import { type Element, xml } from "../xml/element.ts";
import { CAPS, CAPS2, DISCO_INFO, FORMS } from "./ns.ts";

const HASHES_NS = "urn:xmpp:hashes:2";
const DIGEST = { "sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512" } as const;
export type CapsHash = keyof typeof DIGEST;

export function isCapsHash(name: string | undefined): name is CapsHash {
  return name !== undefined && Object.hasOwn(DIGEST, name);
}

/** i;octet: the order of the UTF-8 bytes, which JavaScript's own is not above U+FFFF. */
function octets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

interface Identity {
  category: string;
  type: string;
  lang: string;
  name: string;
}

interface Extension {
  /** Undefined when the form does not follow XEP-0068. */
  formType: string | undefined;
  /** More than one FORM_TYPE, not all the same. */
  ambiguous: boolean;
  /** With `<reported/>` or `<item/>`. */
  table: boolean;
  fields: { name: string; values: string[] }[];
}

interface Info {
  identities: Identity[];
  features: string[];
  extensions: Extension[];
  /** Something was in it that neither hash covers. */
  other: boolean;
}

/** `inherited`: the language of identities that say none. */
function readInfo(query: Element, inherited: string): Info {
  const info: Info = { identities: [], features: [], extensions: [], other: false };
  for (const child of query.getChildElements()) {
    const { attrs } = child;
    if (child.is("identity", DISCO_INFO)) {
      const { category = "", type = "", name = "" } = attrs;
      info.identities.push({ category, type, lang: attrs["xml:lang"] ?? inherited, name });
    } else if (child.is("feature", DISCO_INFO)) info.features.push(attrs.var ?? "");
    else if (child.is("x", FORMS)) info.extensions.push(readExtension(child));
    else info.other = true;
  }
  return info;
}

function readExtension(form: Element): Extension {
  const extension: Extension = { formType: undefined, ambiguous: false, table: false, fields: [] };
  for (const child of form.getChildElements()) {
    if (child.is("reported", FORMS) || child.is("item", FORMS)) extension.table = true;
    if (!child.is("field", FORMS)) continue;
    const values = child.getChildren("value", FORMS).map((value) => value.getText());
    const name = child.attrs.var ?? "";
    if (name === "FORM_TYPE" && child.attrs.type === "hidden") {
      if (extension.formType !== undefined || values.some((value) => value !== values[0])) extension.ambiguous = true;
      extension.formType = values[0];
    }
    extension.fields.push({ name, values });
  }
  return extension;
}

/**
 * XEP-0115 §5.1: the string that is hashed, or undefined if the answer is ill-formed (§5.4): an identity, feature or
 * FORM_TYPE twice. Also refused is a "<" in any part, or a "/" in an identity's first three: the string would read two
 * ways. That features can still pass for form fields is the format's own flaw, so never let one format's hash vouch
 * for the other's.
 */
export function verificationString(query: Element): string | undefined {
  // §5.1 counts a language only where an identity says it.
  const { identities, features, extensions } = readInfo(query, "");
  const parts: string[] = [];
  const keyed = identities.map((identity) => {
    const { category, type, lang, name } = identity;
    return { key: [category, type, lang, name].join("\0"), path: [category, type, lang], name };
  });
  for (const { path, name } of keyed.sort((a, b) => octets(a.key, b.key))) {
    if (path.some((part) => part.includes("/"))) return undefined;
    parts.push([...path, name].join("/"));
  }
  parts.push(...features.sort(octets));
  const forms = extensions.filter(({ formType }) => formType !== undefined);
  if (repeats(keyed.map(({ key }) => key)) || repeats(features) || repeats(forms.map(({ formType }) => formType))) {
    return undefined;
  }
  for (const { formType = "", ambiguous, fields } of forms.sort((a, b) => octets(a.formType ?? "", b.formType ?? ""))) {
    if (ambiguous) return undefined;
    parts.push(formType);
    for (const { name, values } of fields.sort((a, b) => octets(a.name, b.name))) {
      if (name !== "FORM_TYPE") parts.push(name, ...values.sort(octets));
    }
  }
  return parts.some((part) => part.includes("<")) ? undefined : parts.map((part) => `${part}<`).join("");
}

function repeats(values: readonly (string | undefined)[]): boolean {
  return new Set(values).size < values.length;
}

/** The `ver` of XEP-0115 for a disco#info answer; undefined for an ill-formed one, which must not be cached. */
export function capsVersion(query: Element, hash: CapsHash = "sha-1"): string | undefined {
  const text = verificationString(query);
  return text === undefined ? undefined : createHash(DIGEST[hash]).update(text).digest("base64");
}

/** For presence and stream features. `node`: a URI that names the software. */
export function capsElement(node: string, version: string, hash: CapsHash = "sha-1"): Element {
  return xml("c", { xmlns: CAPS, hash, node, ver: version });
}

export interface Caps {
  node: string;
  version: string;
  hash: CapsHash;
}

/** The `<c/>` among a presence's children, if it is of the hashed kind and of a hash we can check (§5.4). */
export function readCaps(children: readonly Element[]): Caps | undefined {
  const element = children.find((child) => child.name === "c" && child.attrs.xmlns === CAPS);
  const { hash, node, ver } = element?.attrs ?? {};
  if (!isCapsHash(hash) || !node || !ver || node.length > 1024 || ver.length > 128) return undefined;
  return { node, version: ver, hash };
}

/**
 * XEP-0390 §4.1: the text that is hashed, or undefined where the algorithm ends in an error.
 * `lang`: the language in scope around `query`.
 */
export function caps2Input(query: Element, lang = ""): string | undefined {
  const { identities, features, extensions, other } = readInfo(query, query.attrs["xml:lang"] ?? lang);
  if (other || extensions.some(({ formType, ambiguous, table }) => formType === undefined || ambiguous || table)) {
    return undefined;
  }
  const join = (parts: string[], end: string) => parts.sort(octets).join("") + end;
  const unit = (text: string) => `${text}\x1f`;
  const identityParts = identities.map(
    ({ category, type, lang, name }) => `${[category, type, lang, name].map(unit).join("")}\x1e`,
  );
  const formParts = extensions.map(({ fields }) =>
    join(
      fields.map(({ name, values }) => unit(name) + join(values.map(unit), "\x1e")),
      "\x1d",
    ),
  );
  return join(features.map(unit), "\x1c") + join(identityParts, "\x1c") + join(formParts, "\x1c");
}

/** The hash of XEP-0390 for a disco#info answer, base64. */
export function caps2Hash(query: Element, hash: CapsHash, lang = ""): string | undefined {
  const input = caps2Input(query, lang);
  return input === undefined ? undefined : createHash(DIGEST[hash]).update(input).digest("base64");
}

/** XEP-0390 §4.3: the disco node that stands for a hash. */
export function caps2Node(hash: CapsHash, value: string): string {
  return `${CAPS2}#${hash}.${value}`;
}

export function caps2Element(hashes: Readonly<Partial<Record<CapsHash, string>>>): Element {
  return xml(
    "c",
    { xmlns: CAPS2 },
    ...Object.entries(hashes).map(([algo, value]) => xml("hash", { xmlns: HASHES_NS, algo }, value)),
  );
}

/** Hashes we can check in the `<c/>` of XEP-0390 among a presence's children. */
export function readCaps2(children: readonly Element[]): Partial<Record<CapsHash, string>> {
  const hashes: Partial<Record<CapsHash, string>> = {};
  const element = children.find((child) => child.name === "c" && child.attrs.xmlns === CAPS2);
  for (const child of element?.getChildren("hash", HASHES_NS) ?? []) {
    const { algo } = child.attrs;
    const value = child.getText().trim();
    if (isCapsHash(algo) && value !== "" && value.length <= 128) hashes[algo] = value;
  }
  return hashes;
}

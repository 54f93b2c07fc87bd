/** RFC 6120 §13.12: what one piece of XML may cost, and how it is refused — https://www.rfc-editor.org/rfc/rfc6120#section-13.12 */

/** Bounds of one document, or of one stanza in a stream. */
export interface Limits {
  /** Its size in UTF-8. The namespaces that are spelt out when it is written again have the same bound. */
  readonly bytes: number;
  /** Elements inside elements; the parser's own cost is quadratic in it. */
  readonly depth: number;
  readonly elements: number;
  /** Of one element, namespace declarations included. */
  readonly attributes: number;
  /** Characters in the name of an element or attribute, prefix included. */
  readonly name: number;
}

/** For clients that have authenticated. */
export const DEFAULT_LIMITS: Limits = { bytes: 262_144, depth: 64, elements: 10_000, attributes: 64, name: 256 };

/** For anybody: enough to authenticate with, and the least that §13.12 lets a server accept. */
export const PRE_AUTH_LIMITS: Limits = { bytes: 10_000, depth: 16, elements: 32, attributes: 32, name: 256 };

/** For other servers. */
export const SERVER_LIMITS: Limits = { ...DEFAULT_LIMITS, bytes: 524_288 };

/** For text our own writer made, which may have wrapped what came in: forwarded, delayed, archived. */
export const TRUSTED_LIMITS: Limits = { bytes: 16_777_216, depth: 128, elements: 100_000, attributes: 128, name: 256 };

/** The stream errors that XML alone can cause (RFC 6120 §4.9.3). */
export type XmlCondition =
  | "bad-format"
  | "not-well-formed"
  | "policy-violation"
  | "restricted-xml"
  | "unsupported-encoding";

/** XML that was refused. `condition` is the stream error its sender gets, the message says why. */
export class XmlError extends Error {
  override readonly name = "XmlError";
  readonly condition: XmlCondition;

  constructor(condition: XmlCondition, message: string) {
    super(message);
    this.condition = condition;
  }
}

const encoder = new TextEncoder();

/** Refuses text over the limit; exact, but counts bytes only when the length leaves a doubt. */
export function checkSize(text: string, limit: number): void {
  if (text.length * 3 <= limit) return;
  if (text.length > limit || utf8Length(text) > limit) {
    throw new XmlError("policy-violation", `This is more than ${limit} bytes of XML.`);
  }
}

export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

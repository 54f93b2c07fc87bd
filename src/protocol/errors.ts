/** RFC 6120: XMPP Core, §4.9 stream errors, §6.5 SASL errors, §8.3 stanza errors — https://www.rfc-editor.org/rfc/rfc6120 */
import { type Element, xml } from "../xml/element.ts";
import { STANZA_ERRORS, STREAM_ERRORS, STREAMS } from "./ns.ts";

export type ErrorType = "auth" | "cancel" | "continue" | "modify" | "wait";

/** §8.3.3: every defined condition with its recommended type; where the RFC leaves a choice, the first it names. */
const TYPES = {
  "bad-request": "modify",
  conflict: "cancel",
  "feature-not-implemented": "cancel",
  forbidden: "auth",
  gone: "cancel",
  "internal-server-error": "cancel",
  "item-not-found": "cancel",
  "jid-malformed": "modify",
  "not-acceptable": "modify",
  "not-allowed": "cancel",
  "not-authorized": "auth",
  "policy-violation": "modify",
  "recipient-unavailable": "wait",
  redirect: "modify",
  "registration-required": "auth",
  "remote-server-not-found": "cancel",
  "remote-server-timeout": "wait",
  "resource-constraint": "wait",
  "service-unavailable": "cancel",
  "subscription-required": "auth",
  "undefined-condition": "cancel",
  "unexpected-request": "wait",
} as const satisfies Record<string, ErrorType>;

export type StanzaCondition = keyof typeof TYPES;

export interface StanzaErrorDetail {
  /** Overrides the table's type. */
  type?: ErrorType;
  /** The entity that made the error, when it is not the stanza's `from` (§8.3.2). */
  by?: string;
  /** New address, for `gone` and `redirect` (§8.3.3.5, §8.3.3.14). */
  uri?: string;
}

/** What a handler throws to have its stanza answered by an error. Never crosses between objects: there errors are data. */
export class StanzaError extends Error {
  override readonly name = "StanzaError";
  readonly condition: StanzaCondition;
  readonly type: ErrorType;
  readonly text: string | undefined;
  readonly app: Element | undefined;
  readonly by: string | undefined;
  readonly uri: string | undefined;

  constructor(condition: StanzaCondition, text?: string, app?: Element, detail: StanzaErrorDetail = {}) {
    super(text === undefined ? condition : `${condition}: ${text}`);
    this.condition = condition;
    this.type = detail.type ?? TYPES[condition];
    this.text = text;
    this.app = app;
    this.by = detail.by;
    this.uri = detail.uri;
  }
}

/** `throw stanzaError("item-not-found", "No such room")`; `app` is an application condition (§8.3.4). */
export function stanzaError(
  condition: StanzaCondition,
  text?: string,
  app?: Element,
  detail?: StanzaErrorDetail,
): StanzaError {
  return new StanzaError(condition, text, app, detail);
}

/** The `<error/>` child of a stanza of type error. */
export function errorElement(error: StanzaError): Element {
  return xml(
    "error",
    { type: error.type, by: error.by },
    xml(error.condition, { xmlns: STANZA_ERRORS }, error.uri),
    error.text !== undefined && xml("text", { xmlns: STANZA_ERRORS, "xml:lang": "en" }, error.text),
    error.app,
  );
}

/**
 * Reads the `<error/>` of a stanza received from elsewhere. An unknown or missing condition is `undefined-condition`
 * (§8.3.2 obliges us to understand nothing but `type`), a wrong type the condition's own.
 */
export function readError(error: Element | undefined): StanzaError {
  let condition: StanzaCondition = "undefined-condition";
  let text: string | undefined;
  let uri: string | undefined;
  let app: Element | undefined;
  for (const child of error?.getChildElements() ?? []) {
    if (child.attrs.xmlns !== STANZA_ERRORS) app ??= child;
    else if (child.name === "text") text = child.getText();
    else if (Object.hasOwn(TYPES, child.name)) {
      condition = child.name as StanzaCondition;
      uri = child.getText() || undefined;
    }
  }
  const type: unknown = error?.attrs.type;
  const detail: StanzaErrorDetail = {};
  if (type === "auth" || type === "cancel" || type === "continue" || type === "modify" || type === "wait") {
    detail.type = type;
  }
  if (typeof error?.attrs.by === "string") detail.by = error.attrs.by;
  if (uri !== undefined) detail.uri = uri;
  return new StanzaError(condition, text, app, detail);
}

/** §4.9.3. */
export type StreamCondition =
  | "bad-format"
  | "bad-namespace-prefix"
  | "conflict"
  | "connection-timeout"
  | "host-gone"
  | "host-unknown"
  | "improper-addressing"
  | "internal-server-error"
  | "invalid-from"
  | "invalid-namespace"
  | "invalid-xml"
  | "not-authorized"
  | "not-well-formed"
  | "policy-violation"
  | "remote-connection-failed"
  | "reset"
  | "resource-constraint"
  | "restricted-xml"
  | "see-other-host"
  | "system-shutdown"
  | "undefined-condition"
  | "unsupported-encoding"
  | "unsupported-feature"
  | "unsupported-stanza-type"
  | "unsupported-version";

/** Ends the stream it is thrown in. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly condition: StreamCondition;
  readonly text: string | undefined;
  readonly app: Element | undefined;
  /** Address for `see-other-host` (§4.9.3.19). */
  readonly host: string | undefined;

  constructor(condition: StreamCondition, text?: string, app?: Element, host?: string) {
    super(text === undefined ? condition : `${condition}: ${text}`);
    this.condition = condition;
    this.text = text;
    this.app = app;
    this.host = host;
  }
}

/** With the `stream:` prefix declared on the element itself: clients look for the name as every server has written it. */
export function streamErrorElement(error: StreamError): Element {
  return xml(
    "stream:error",
    { "xmlns:stream": STREAMS },
    xml(error.condition, { xmlns: STREAM_ERRORS }, error.host),
    error.text !== undefined && xml("text", { xmlns: STREAM_ERRORS, "xml:lang": "en" }, error.text),
    error.app,
  );
}

/** §6.5. */
export type SaslCondition =
  | "aborted"
  | "account-disabled"
  | "credentials-expired"
  | "encryption-required"
  | "incorrect-encoding"
  | "invalid-authzid"
  | "invalid-mechanism"
  | "malformed-request"
  | "mechanism-too-weak"
  | "not-authorized"
  | "temporary-auth-failure";

/**
 * RFC 6120 §6: SASL on the wire — https://www.rfc-editor.org/rfc/rfc6120#section-6
 * XEP-0388: Extensible SASL Profile, v1.0.4 · XEP-0440: SASL Channel-Binding Type Capability, v1.0
 *
 * Elements only. What the data in them means is authentication.ts.
 */
import { type Element, xml } from "../xml/element.ts";
import type { SaslCondition } from "./errors.ts";
import { CHANNEL_BINDING, SASL, SASL2 } from "./ns.ts";

/** `sasl`: RFC 6120, the stream restarts after success. `sasl2`: XEP-0388, it does not. */
export type Profile = "sasl" | "sasl2";

const NS = { sasl: SASL, sasl2: SASL2 } as const;
/** Base64 characters in one message: as much as a stanza before authentication may hold. */
const MAX_DATA = 10_000;

/** What a client says of itself in XEP-0388 §2.3; never shown to other entities. */
export interface UserAgent {
  /** Stable id of the installation; a UUID v4 by the specification, any short token by tolerance. */
  id?: string;
  software?: string;
  device?: string;
}

export type SaslRequest =
  | { kind: "start"; profile: Profile; mechanism: string; initial: Uint8Array | undefined; userAgent: UserAgent }
  | { kind: "response"; profile: Profile; data: Uint8Array }
  | { kind: "abort"; profile: Profile }
  /** Answer with `failureElement(profile, condition)`. */
  | { kind: "refused"; profile: Profile; condition: SaslCondition };

/** Reads a client's SASL element of either profile; undefined if it is none. Inline elements of SASL2 stay in `element`. */
export function readSasl(element: Element): SaslRequest | undefined {
  const profile = element.attrs.xmlns === SASL ? "sasl" : element.attrs.xmlns === SASL2 ? "sasl2" : undefined;
  if (profile === undefined) return undefined;
  switch (element.name) {
    case "auth":
      return profile === "sasl" ? start(profile, element, element.getText() || undefined) : undefined;
    case "authenticate":
      return profile === "sasl2" ? start(profile, element, initialResponse(element)) : undefined;
    case "response": {
      const data = decode(element.getText());
      return data === undefined
        ? { kind: "refused", profile, condition: "incorrect-encoding" }
        : { kind: "response", profile, data };
    }
    case "abort":
      return { kind: "abort", profile };
    default:
      return undefined;
  }
}

function initialResponse(element: Element): string | undefined {
  return element.getChild("initial-response", SASL2)?.getText();
}

function start(profile: Profile, element: Element, text: string | undefined): SaslRequest {
  const mechanism: unknown = element.attrs.mechanism;
  if (typeof mechanism !== "string" || mechanism === "") {
    return { kind: "refused", profile, condition: "invalid-mechanism" };
  }
  const initial = text === undefined ? undefined : decode(text);
  if (text !== undefined && initial === undefined) {
    return { kind: "refused", profile, condition: "incorrect-encoding" };
  }
  return { kind: "start", profile, mechanism, initial, userAgent: readUserAgent(element) };
}

function readUserAgent(element: Element): UserAgent {
  const agent = element.getChild("user-agent", SASL2);
  const id: unknown = agent?.attrs.id;
  const software = agent?.getChild("software", SASL2)?.getText().slice(0, 128);
  const device = agent?.getChild("device", SASL2)?.getText().slice(0, 128);
  return {
    ...(typeof id === "string" && /^[!-~]{1,64}$/.test(id) && { id }),
    ...(software && { software }),
    ...(device && { device }),
  };
}

/** RFC 6120 §6.4.2 lets `=` stand for data of no length. Strict: what does not encode back to itself is refused. */
function decode(text: string): Uint8Array | undefined {
  if (text === "" || text === "=") return new Uint8Array();
  if (text.length > MAX_DATA) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function encode(data: string | Uint8Array): string {
  return Buffer.from(data as string).toString("base64");
}

/** The stream feature of RFC 6120 §6.3. Not to be offered when empty. */
export function mechanismsFeature(mechanisms: readonly string[]): Element {
  return xml("mechanisms", { xmlns: SASL }, ...mechanisms.map((name) => xml("mechanism", {}, name)));
}

/** The stream feature of XEP-0388 §2.1; `inline`: what may ride in `<authenticate/>` (bind, sm, fast). */
export function authenticationFeature(mechanisms: readonly string[], inline: readonly Element[]): Element {
  return xml(
    "authentication",
    { xmlns: SASL2 },
    ...mechanisms.map((name) => xml("mechanism", {}, name)),
    inline.length > 0 && xml("inline", {}, ...inline),
  );
}

/** XEP-0440 §2: a stream feature beside the two above, only where `-PLUS` mechanisms are offered. */
export function channelBindingFeature(types: readonly string[]): Element {
  return xml(
    "sasl-channel-binding",
    { xmlns: CHANNEL_BINDING },
    ...types.map((type) => xml("channel-binding", { type })),
  );
}

export function challengeElement(profile: Profile, data: string | Uint8Array): Element {
  return xml("challenge", { xmlns: NS[profile] }, encode(data));
}

export interface Success {
  /** Bare JID, or full JID once a resource is bound; only SASL2 says it (XEP-0388 §2.6.1). */
  authorizationIdentifier: string;
  /** Additional data with success: the server's SCRAM signature or the like. */
  data?: string | Uint8Array | undefined;
  /** Results of inline features: bound, resumed, token, … */
  inline?: readonly Element[];
}

export function successElement(profile: Profile, success: Success): Element {
  const { authorizationIdentifier, data, inline = [] } = success;
  // §6.4.6: data of no length would be "=", none at all leaves the element empty.
  if (profile === "sasl") return xml("success", { xmlns: SASL }, data === undefined ? undefined : encode(data) || "=");
  return xml(
    "success",
    { xmlns: SASL2 },
    data !== undefined && xml("additional-data", {}, encode(data)),
    xml("authorization-identifier", {}, authorizationIdentifier),
    ...inline,
  );
}

/** XEP-0388 §2.6.3: the mechanism succeeded, but one of `tasks` has to be done before the client is in. */
export function continueElement(tasks: readonly string[], data?: string | Uint8Array, text?: string): Element {
  return xml(
    "continue",
    { xmlns: SASL2 },
    data !== undefined && xml("additional-data", {}, encode(data)),
    xml("tasks", {}, ...tasks.map((task) => xml("task", {}, task))),
    text !== undefined && xml("text", {}, text),
  );
}

/** In both profiles the condition is in the namespace of RFC 6120; the text is in the profile's own. */
export function failureElement(profile: Profile, condition: SaslCondition, text?: string, app?: Element): Element {
  return xml(
    "failure",
    { xmlns: NS[profile] },
    xml(condition, { xmlns: SASL }),
    text !== undefined && xml("text", { "xml:lang": "en" }, text),
    app,
  );
}

/** RFC 6120 §4.3: what happens on a stream before it is bound — https://www.rfc-editor.org/rfc/rfc6120#section-4.3 */
import { type ChannelBinding, offeredMechanisms } from "../protocol/authentication.ts";
import { errorElement, StanzaError, StreamError, stanzaError } from "../protocol/errors.ts";
import { fastFeature, fastMechanisms } from "../protocol/fast.ts";
import { Jid } from "../protocol/jid.ts";
import * as NS from "../protocol/ns.ts";
import { authenticationFeature, channelBindingFeature, mechanismsFeature, readSasl } from "../protocol/sasl.ts";
import { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { sasl } from "./authentication.ts";
import { takesTokens } from "./bearer.ts";
import { bindResource, resumeStream } from "./binding.ts";
import { register } from "./registration.ts";
import type { Negotiating } from "./state.ts";
import type { Stream } from "./stream.ts";

/** A stream header: the first, or the one that SASL 1 asks for after success (§6.4.6). */
export function open(stream: Stream, element: Element): void {
  const { state, gate } = stream;
  const { phase } = state;
  if (phase.at === "bound") throw new StreamError("not-authorized", "This stream is open already.");
  if (phase.opens > 0 && !phase.jid)
    throw new StreamError("not-authorized", "A stream restarts only after authentication.");
  const { to, version } = element.attrs;
  const lang = element.attrs["xml:lang"];
  if (typeof lang === "string" && /^[A-Za-z0-9-]{1,35}$/.test(lang)) state.lang = lang;
  const host = Jid.tryParse(String(to ?? ""))?.toString();
  const { domain, guestDomain, anonymous } = gate.settings;
  const served = host === domain || (anonymous && host === guestDomain);
  // A host that was authenticated for cannot be changed for another (CVE-2018-10847).
  if (!served || (state.host !== "" && state.host !== host)) {
    throw new StreamError("host-unknown", `This server is ${domain}${anonymous ? ` and ${guestDomain}` : ""}.`);
  }
  state.host = host as string;
  phase.opens++;
  stream.socket?.send(stream.header());
  if (typeof version !== "string" || !/^[1-9]\d*\.\d+$/.test(version)) throw new StreamError("unsupported-version"); // §4.7.5
  if (phase.jid) sayFeatures(stream);
  else sayLoginFeatures(stream);
}

export const isGuestHost = (stream: Stream) => stream.state.host === stream.gate.settings.guestDomain;

/** Mechanisms of this stream: guests are anonymous, users are not; a password only over TLS or loopback (security.md C1). */
export function mechanisms(stream: Stream): string[] {
  if (isGuestHost(stream)) return offeredMechanisms({ anonymous: true });
  const { secure } = stream.state;
  const oauthbearer = secure && takesTokens(stream.gate.settings);
  return offeredMechanisms({ scram: true, plain: secure, oauthbearer, bindings: bindings(stream) });
}

/** A token travels where a password may (XEP-0484 §6). */
export const tokenMechanisms = ({ state }: Stream): string[] => (state.secure ? fastMechanisms() : []);

/** What its client can bind its authentication to (RFC 5056): only a bridge knows the channel. */
export const bindings = (stream: Stream): ChannelBinding[] => known(stream).filter(({ type }) => type !== TLS_UNIQUE);

/** COMPAT slixmpp 1.8: it binds to nothing else, with TLS 1.3 too, for which it is not defined (RFC 9266 §3). */
export const tolerated = (stream: Stream): ChannelBinding[] => known(stream).filter(({ type }) => type === TLS_UNIQUE);

const TLS_UNIQUE = "tls-unique";
const known = ({ state }: Stream): ChannelBinding[] =>
  (state.bindings ?? []).map(([type, data]) => ({ type, data: Buffer.from(data, "base64") }));

const features = (stream: Stream, phase: "login" | "session", ...first: (Element | undefined)[]) =>
  xml(
    "stream:features",
    { "xmlns:stream": NS.STREAMS },
    ...first.filter((element) => element !== undefined),
    ...stream.gate.offers(phase, isGuestHost(stream)),
  );

function sayLoginFeatures(stream: Stream): void {
  const types = bindings(stream).map(({ type }) => type);
  const kind = `login ${isGuestHost(stream)} ${stream.state.secure} ${types}`;
  stream.socket?.send(stream.gate.features(kind, () => loginFeatures(stream, types)));
}

function loginFeatures(stream: Stream, types: readonly string[]): Element {
  const names = mechanisms(stream);
  const inline = [
    xml(
      "bind",
      { xmlns: NS.BIND2 },
      xml("inline", {}, ...[NS.CARBONS, NS.CSI, NS.SM].map((ns) => xml("feature", { var: ns }))),
    ),
    xml("sm", { xmlns: NS.SM }),
    ...(tokenMechanisms(stream).length > 0 ? [fastFeature(tokenMechanisms(stream))] : []),
  ];
  const channel = types.length > 0 && !isGuestHost(stream) ? channelBindingFeature(types) : undefined;
  return features(stream, "login", mechanismsFeature(names), authenticationFeature(names, inline), channel);
}

/** Features of an authenticated stream; what it has already is not offered again (RFC 6120 §4.3.2). */
export function sayFeatures(stream: Stream): void {
  const bound = stream.bound !== undefined;
  const { managed } = stream;
  const write = () =>
    features(
      stream,
      "session",
      bound ? undefined : xml("bind", { xmlns: NS.BIND }),
      managed ? undefined : xml("sm", { xmlns: NS.SM }),
      xml("csi", { xmlns: NS.CSI }),
    );
  stream.socket?.send(stream.gate.features(`session ${isGuestHost(stream)} ${bound} ${managed}`, write));
}

/** Anything but a header on a stream that is not bound. */
export function negotiate(stream: Stream, phase: Negotiating, element: Element): Promise<void> | undefined {
  const request = readSasl(element);
  if (request) {
    if (phase.jid) throw new StreamError("not-authorized", "This stream is authenticated already.");
    return sasl(stream, phase, request, element);
  }
  if (element.attrs.xmlns === NS.SM) {
    // XEP-0198 §3, §5: before there is a resource, only a resumption makes sense, and only after authentication.
    if (element.name === "resume" && phase.jid) return resumeStream(stream, phase.jid, element);
    stream.write(xml("failed", { xmlns: NS.SM }, xml("unexpected-request", { xmlns: NS.STANZA_ERRORS })));
    return undefined;
  }
  if (element.name === "iq" && element.attrs.xmlns === NS.CLIENT) return iq(stream, phase, element);
  // §4.9.3.12: nothing is processed before authentication, nor before binding (§7.1).
  throw new StreamError("not-authorized", phase.jid ? "Bind a resource first." : "Authenticate first.");
}

async function iq(stream: Stream, phase: Negotiating, element: Element): Promise<void> {
  // Before there is a full JID, an answer has no address.
  const answered = (type: string, ...children: (Element | undefined)[]) =>
    stream.write(xml("iq", { xmlns: NS.CLIENT, type, id: element.attrs.id }, ...children));
  try {
    const from = Jid.parse(phase.jid ?? stream.state.host);
    const iq = Stanza.read(element, from, Jid.tryParse(String(element.attrs.to ?? "")));
    answered("result", phase.jid ? await bind(stream, phase.jid, iq) : await register(stream, iq));
    if (stream.bound) stream.gate.opened(stream);
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    const { type } = element.attrs;
    if (type !== "result" && type !== "error") answered("error", errorElement(error)); // RFC 6120 §8.3.1
  }
}

async function bind(stream: Stream, jid: string, iq: Stanza): Promise<Element | undefined> {
  if (iq.about !== `${NS.BIND} bind` || iq.type !== "set")
    throw new StreamError("not-authorized", "Bind a resource first."); // §7.1
  const resource = iq.payload.getChildText("resource", NS.BIND) ?? "";
  const bound = await bindResource(stream, jid, resource ? { resource } : {});
  if (!bound.ok) throw stanzaError(bound.condition, bound.text);
  return xml("bind", { xmlns: NS.BIND }, xml("jid", {}, `${jid}/${bound.resource}`));
}

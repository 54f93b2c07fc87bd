/** RFC 6120 §6–7, XEP-0388 (SASL2), 0386 (Bind 2), 0484 (FAST), 0198 (SM): from an opened stream to a bound or resumed one. */
import { type Element, xml } from "./element.ts";
import { anonymous, type Credentials, type Exchange, hashedToken, octets, SaslError } from "./sasl.ts";
import type { Wire } from "./wire.ts";

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const SASL2 = "urn:xmpp:sasl:2";
const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const BIND2 = "urn:xmpp:bind:0";
const FAST = "urn:xmpp:fast:0";
const CHANNEL_BINDINGS = "urn:xmpp:sasl-cb:0";
const CARBONS = "urn:xmpp:carbons:2";
export const SM = "urn:xmpp:sm:3";

const TOKEN_MECHANISM = "HT-SHA-256-NONE";

/** What a client remembers of an account between logins: as secret as a password. */
export interface Keep {
  /** A UUID v4 for this installation (XEP-0388 user-agent id). */
  agent: string;
  /** SCRAM has been used: never PLAIN again (XEP-0474). */
  pinned?: boolean;
  /** The account the token is for. */
  jid?: string;
  token?: string;
}

export interface Login {
  domain: string;
  credentials: Credentials;
  secure: boolean;
  software: string;
  keep: Keep;
  /** Called whenever `keep` changed. */
  kept: (keep: Keep) => void;
  /** Seconds that a lost session should wait for us; undefined = as the server likes. */
  patience: number | undefined;
  /** The session to resume: its id and how many stanzas of it we have handled. */
  resume: { id: string; h: number } | undefined;
}

export interface Bound {
  /** Full JID; undefined when the session was resumed, for it has not changed. */
  jid?: string;
  resumed?: boolean;
  /** How many stanzas of the old session the server has handled, whether it resumed it or could not. */
  h?: number;
  /** Stream management is on; the id is empty when the session cannot be resumed. */
  sm?: string;
}

/** The server refused the login; `condition` is of RFC 6120 §6.5. */
export class LoginError extends Error {
  condition: string;
  constructor(failure: Element) {
    const condition = failure.child("", SASL)?.name ?? failure.all()[0]?.name ?? "not-authorized";
    super(failure.text("text") || condition);
    this.condition = condition;
  }
}

export async function negotiate(wire: Wire, login: Login): Promise<Bound> {
  const { keep } = login;
  const local = keep.jid?.split("@")[0];
  let features: Element | undefined;
  if (login.secure && keep.token && local) {
    // One round trip: what the features will be is known from last time (XEP-0388 §2.1 lets them be cached).
    const exchange = await hashedToken(local, keep.token);
    const request = authenticate(login, exchange, true, true, xml("fast", { xmlns: FAST }));
    wire.send(request);
    features = await wire.next();
    try {
      return await finish(wire, login, exchange, SASL2);
    } catch (error) {
      if (!(error instanceof LoginError)) throw error;
      delete keep.token;
      login.kept(keep);
      // A guest is somebody new from here on, so nothing of the old session is left to resume.
      if (login.credentials === anonymous) login.resume = undefined;
    }
  }
  features ??= await wire.next();

  const modern = features.child("authentication", SASL2);
  const inline = modern?.child("inline");
  const mechanisms = (modern ?? features.child("mechanisms", SASL))?.all("mechanism").map((el) => el.text()!) ?? [];
  const bindings = features.child("sasl-channel-binding", CHANNEL_BINDINGS)?.all("channel-binding");
  const exchange = await login.credentials({
    mechanisms,
    bindings: bindings?.map((el) => el.attrs.type ?? ""),
    secure: login.secure,
    pinned: !!keep.pinned,
  });
  if (!exchange) throw new SaslError(`no mechanism in common: ${mechanisms.join(" ")}`);

  if (modern) {
    const fast = inline
      ?.child("fast", FAST)
      ?.all()
      .some((el) => el.text() === TOKEN_MECHANISM);
    const ask = fast && xml("request-token", { xmlns: FAST, mechanism: TOKEN_MECHANISM });
    wire.send(authenticate(login, exchange, !!inline?.child("bind", BIND2), !!inline?.child("sm", SM), ask));
    const bound = await finish(wire, login, exchange, SASL2);
    return bound.jid || bound.resumed ? bound : bind(wire, login, await wire.next());
  }
  wire.send(xml("auth", { xmlns: SASL, mechanism: exchange.mechanism }, btoa(exchange.first) || "="));
  await finish(wire, login, exchange, SASL);
  wire.open(login.domain);
  return bind(wire, login, await wire.next());
}

function authenticate(
  login: Login,
  { mechanism, first }: Exchange,
  bind2: boolean,
  sm: boolean,
  extra?: Element | false,
) {
  const { resume, keep, software } = login;
  return xml(
    "authenticate",
    { xmlns: SASL2, mechanism },
    xml("initial-response", null, btoa(first)),
    xml("user-agent", { id: keep.agent }, xml("software", null, software)),
    extra,
    sm && resume && xml("resume", { xmlns: SM, previd: resume.id, h: resume.h }),
    bind2 &&
      xml("bind", { xmlns: BIND2 }, xml("tag", null, software), xml("enable", { xmlns: CARBONS }), enable(login)),
  );
}

const enable = ({ patience }: Login) => xml("enable", { xmlns: SM, resume: "true", max: patience });

/** Answers challenges until the server has accepted us and proved itself. */
async function finish(wire: Wire, login: Login, exchange: Exchange, ns: string): Promise<Bound> {
  for (;;) {
    const element = await wire.next();
    if (element.attrs.xmlns !== ns || element.name === "continue") throw new SaslError(`unexpected <${element.name}/>`);
    if (element.name === "failure") throw new LoginError(element);
    const text = ns === SASL ? element.text() : element.text(element.name === "success" ? "additional-data" : "");
    const answer = await exchange.next(text && text !== "=" ? atob(text) : "");
    if (element.name === "challenge") wire.send(xml("response", { xmlns: ns }, btoa(answer) || (ns === SASL && "=")));
    else return accepted(element, login, exchange);
  }
}

function accepted(success: Element, { keep, kept }: Login, { mechanism }: Exchange): Bound {
  const jid = success.text("authorization-identifier");
  const bound = success.child("bound", BIND2);
  const token = success.child("token", FAST)?.attrs.token;
  if (mechanism.startsWith("SCRAM")) keep.pinned = true;
  if (jid) keep.jid = jid.split("/")[0]!;
  if (token) keep.token = token;
  kept(keep);
  const answers = [...success.all("", SM), ...(bound?.all("", SM) ?? [])];
  return Object.assign(bound && jid ? { jid } : {}, ...answers.map(managed));
}

/** Reads what stream management answered: enabled, resumed or failed. */
function managed({ name, attrs }: Element): Bound {
  const answer: Bound = name === "resumed" ? { resumed: true } : {};
  if (name === "enabled") answer.sm = /^(1|true)$/.test(attrs.resume ?? "") ? (attrs.id ?? "") : "";
  else if (attrs.h) answer.h = Number(attrs.h);
  return answer;
}

/** RFC 6120 §7, with the requests of XEP-0198 and 0280 sent in the same breath. */
async function bind(wire: Wire, login: Login, features: Element): Promise<Bound> {
  const sm = features.child("sm", SM);
  let answer: Bound = {};
  if (sm && login.resume) {
    wire.send(xml("resume", { xmlns: SM, previd: login.resume.id, h: login.resume.h }));
    answer = managed(await wire.next());
    if (answer.resumed) return answer;
  }
  const request = xml("bind", { xmlns: BIND }, xml("resource", null, `${login.software}.${nonce()}`));
  wire.send(xml("iq", { xmlns: "jabber:client", type: "set", id: "bind" }, request));
  const jid = (await wire.next()).child("bind", BIND)?.text("jid");
  if (!jid) throw new SaslError("no resource bound");
  wire.send(
    xml("iq", { xmlns: "jabber:client", type: "set", id: "carbons" }, xml("enable", { xmlns: CARBONS })),
    ...(sm ? [enable(login)] : []),
  );
  answer.jid = jid;
  if (!sm) return answer;
  // The carbons' answer may come before or after it.
  for (;;) {
    const element = await wire.next();
    if (element.attrs.xmlns === SM) return { ...answer, ...managed(element) };
  }
}

/** A short random name: 96 bits. */
export const nonce = (): string =>
  btoa(octets(crypto.getRandomValues(new Uint8Array(12)))).replace(/[+/]/g, (c) => (c === "+" ? "-" : "_"));

/**
 * Settings: the environment, read once into one frozen value. Every variable, its default and the reason for it are here;
 * the table in README.md is checked against `SETTINGS`. An empty variable counts as absent.
 */
import * as v from "valibot";
import { domainpart } from "./protocol/domain.ts";
import { isUsername } from "./protocol/jid.ts";

/** XEP-0215 service handed to clients; a TURN service without credentials gets some made from `turnSecret`. */
export interface ExternalService {
  readonly type: string;
  readonly host: string;
  readonly port?: number | undefined;
  readonly transport?: "udp" | "tcp" | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly name?: string | undefined;
}

/** How many entities of one kind share an object: one each, or all of them over n objects by hash. */
export type PlacementPolicy = { readonly policy: "each" } | { readonly policy: "shared"; readonly objects: number };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The five hosts are lower-case and all different; each is for one kind of entity. */
export interface Settings {
  /** Host of the accounts. */
  readonly domain: string;
  /** Host of anonymous users. */
  readonly guestDomain: string;
  /** Host of the rooms. */
  readonly mucDomain: string;
  readonly pubsubDomain: string;
  readonly uploadDomain: string;
  readonly siteName: string;
  /** What clients outside reach this server by (`https://chat.example.org`), when the request's own URL does not say it. */
  readonly publicUrl: string | undefined;
  readonly registration: "closed" | "invite" | "open";
  readonly anonymous: boolean;
  /** Origins of web pages that may connect besides the server's own and loopback; `"*"` for all. */
  readonly allowedOrigins: "*" | readonly string[];
  readonly trustProxy: boolean;
  readonly adminToken: string | undefined;
  /** Shared with the bridge programs. */
  readonly bridgeToken: string | undefined;
  /** In seconds. */
  readonly s2sPatience: number;
  /** Components by their domain, with their secrets (XEP-0114). */
  readonly components: Readonly<Record<string, string>>;
  /** Whether other deployments reach this one, and it them, by WebSocket (XEP-0468). */
  readonly s2sWebsocket: boolean;
  /** Where the web servers of other domains are, when not at `https://<domain>`. */
  readonly s2sOrigins: Readonly<Record<string, string>>;
  /** Keys of tokens that web apps sign themselves, the current one first; none when they do not. */
  readonly jwtSecrets: readonly string[];
  readonly jwksUrl: string | undefined;
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string;
  readonly jwtUserClaim: string;
  readonly archive: boolean;
  readonly historyDays: number;
  /** Messages and bytes that an archive keeps; 0 for no bound. */
  readonly historyItems: number;
  readonly historyBytes: number;
  readonly placement: PlacementPolicy;
  /** Client streams a gate takes before newcomers go to the next. */
  readonly gateSockets: number;
  /** Rate limits and quotas against abuse; protocol limits (sizes, depths) stay on whatever this says. */
  readonly limits: boolean;
  /** Largest stanza from a client, in bytes of UTF-8. */
  readonly maxStanzaBytes: number;
  /** How long a lost stream waits to be resumed, in seconds. */
  readonly resumeSeconds: number;
  /** Largest file that is taken (XEP-0363), 0 for none at all; and what an account may upload in a day. */
  readonly uploadBytes: number;
  readonly uploadDayBytes: number;
  /** How long a file is kept. */
  readonly uploadDays: number;
  readonly scramIterations: number;
  readonly externalServices: readonly ExternalService[];
  readonly turnSecret: string | undefined;
  readonly turnSeconds: number;
  /** XEP-0157 addresses, as URIs. */
  readonly abuseContact: readonly string[];
  readonly adminContact: readonly string[];
  readonly mucCreate: "admin" | "user" | "anyone";
  /** Local part of the room that a page shows first. */
  readonly defaultRoom: string;
  readonly logLevel: LogLevel;
}

/** One bad variable; `value` is hidden for secrets. */
export interface SettingsProblem {
  readonly name: string;
  readonly value: string;
  readonly allowed: string;
}

/** Names every bad variable of the environment, one line each. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly SettingsProblem[];
  constructor(problems: readonly SettingsProblem[]) {
    super(problems.map((p) => `${p.name}=${p.value} is not possible: ${p.allowed}`).join("\n"));
    this.problems = problems;
  }
}

const oneOf = <const T extends string>(...options: T[]) => v.picklist(options);
const onOff = v.pipe(
  oneOf("on", "off"),
  v.transform((value) => value === "on"),
);
const integer = (least: number, most: number) =>
  v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(least), v.maxValue(most));
const list = (item: v.GenericSchema<string, string>) =>
  v.pipe(
    v.string(),
    v.transform((text) => text.split(/[\s,]+/).filter((word) => word !== "")),
    v.array(item),
  );
const host = v.pipe(
  v.string(),
  v.transform(domainpart),
  v.string(),
  v.check((text) => !text.startsWith("[")),
);
const webOrigin = v.pipe(
  v.string(),
  v.check((text) => URL.canParse(text) && /^https?:\/\/[^/]+\/?$/.test(text)),
  v.transform((text) => new URL(text).origin),
);
/** Words people copy from examples; a server that honours one is open to everybody. */
const placeholder =
  /change.?me|example|placeholder|your.?(?:token|secret)|^(.)\1*$|^(?:secret|password|token|admin)+$/i;
const secret = v.pipe(
  v.string(),
  v.minLength(16),
  v.check((text) => !placeholder.test(text)),
);
/** RFC 7518 §3.2: a MAC's key is no shorter than the MAC, or a token is enough to find it by trying. */
const signingSecret = v.pipe(secret, v.minBytes(32));
const contact = v.pipe(v.string(), v.regex(/^(?:mailto|xmpp|https?|tel):\S+$/i));
const service = v.object({
  type: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/)),
  host: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._:[\]-]{1,255}$/)),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535))),
  transport: v.optional(oneOf("udp", "tcp")),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  name: v.optional(v.string()),
});
const services = v.pipe(v.string(), v.parseJson(), v.array(service), v.maxLength(20));
const components = v.pipe(v.string(), v.parseJson(), v.record(host, secret));
const origins = v.pipe(v.string(), v.parseJson(), v.record(host, webOrigin));
const placement = v.pipe(
  v.string(),
  v.regex(/^(?:each|shared:[1-9]\d{0,3})$/),
  v.transform(
    (text): PlacementPolicy =>
      text === "each" ? { policy: "each" } : { policy: "shared", objects: Number(text.slice("shared:".length)) },
  ),
);

interface Entry<S extends v.GenericSchema<string, unknown>> {
  readonly schema: S;
  /** The default as it would be written in the environment; "" for none. */
  readonly fallback: string;
  /** What may be written, in words. */
  readonly allowed: string;
  readonly about: string;
  readonly secret?: true;
}
const entry = <S extends v.GenericSchema<string, unknown>>(
  schema: S,
  fallback: string,
  allowed: string,
  about: string,
): Entry<S> => ({ schema, fallback, allowed, about });
const hidden = <S extends v.GenericSchema<string, unknown>>(...of: Parameters<typeof entry<S>>): Entry<S> => ({
  ...entry(...of),
  secret: true,
});

const domainWords = "a domain name without scheme, port or slash";

/** Every setting by its variable, in the order the README lists them. */
export const SETTINGS = {
  XMPP_DOMAIN: entry(
    host,
    "localhost",
    domainWords,
    "What stands behind the @ of every account. Choose before real use.",
  ),
  GUEST_DOMAIN: entry(host, "guest.<domain>", domainWords, "Host of anonymous users."),
  MUC_DOMAIN: entry(host, "rooms.<domain>", domainWords, "Host of the rooms."),
  PUBSUB_DOMAIN: entry(host, "pubsub.<domain>", domainWords, "Host of the pubsub nodes."),
  UPLOAD_DOMAIN: entry(host, "upload.<domain>", domainWords, "Host of uploaded files."),
  SITE_NAME: entry(v.pipe(v.string(), v.maxLength(100)), "Enjamb", "up to 100 characters", "Name shown to people."),
  PUBLIC_URL: entry(
    webOrigin,
    "",
    "https://host or http://host:port, without a path",
    "Address clients use when a proxy in front changes it.",
  ),
  // Closed, because an open server on the public network is found by spammers within days. `npm start` opens it on loopback.
  REGISTRATION: entry(
    oneOf("closed", "invite", "open"),
    "closed",
    "closed, invite or open",
    "Who may make an account.",
  ),
  ANONYMOUS: entry(
    onOff,
    "on",
    "on or off",
    "Guests without an account (SASL ANONYMOUS); they store nothing but a token for a day.",
  ),
  ALLOWED_ORIGINS: entry(
    v.union([
      v.pipe(
        v.literal("*"),
        v.transform((all): "*" | readonly string[] => all),
      ),
      list(webOrigin),
    ]),
    "",
    "origins (https://www.example.org) separated by commas, or *",
    "Web pages that may connect, besides this server's own and pages on loopback.",
  ),
  TRUST_PROXY: entry(
    onOff,
    "off",
    "on or off",
    "Self-hosted behind a proxy: believe the last address in X-Forwarded-For. Never on when clients reach the port themselves.",
  ),
  ADMIN_TOKEN: hidden(
    secret,
    "",
    "at least 16 characters, no placeholder",
    "Bearer token of the REST API; without one the API is off.",
  ),
  JWT_SECRET: hidden(
    signingSecret,
    "",
    "at least 32 characters, no placeholder",
    "Web apps log their users in with tokens (HS256) that are signed with this.",
  ),
  JWT_SECRET_PREVIOUS: hidden(
    signingSecret,
    "",
    "at least 32 characters, no placeholder",
    "The secret before it, while it is replaced.",
  ),
  JWT_JWKS_URL: entry(
    v.pipe(v.string(), v.url(), v.regex(/^https:\/\/|^http:\/\/(?:127\.0\.0\.1|localhost)[:/]/)),
    "",
    "an https:// address of a JSON Web Key Set",
    "Or with tokens that an identity provider signs (RS256, ES256, EdDSA).",
  ),
  JWT_ISSUER: entry(v.string(), "", "what the tokens' iss says", "Only tokens of this issuer are taken."),
  JWT_AUDIENCE: entry(v.string(), "<domain>", "what the tokens' aud says", "Only tokens for this audience are taken."),
  JWT_USER_CLAIM: entry(
    v.pipe(v.string(), v.regex(/^[\w.:/-]{1,64}$/)),
    "sub",
    "the name of a claim",
    "The claim with the account's name, or its whole address.",
  ),
  BRIDGE_TOKEN: hidden(
    secret,
    "",
    "at least 16 characters, no placeholder",
    "What a bridge shows to be believed about the TCP connections it brings; without one there is no bridge.",
  ),
  COMPONENTS: hidden(
    components,
    "{}",
    'a JSON object of domains and secrets: {"irc.example.org": "…"}',
    "Components that may connect to a bridge (XEP-0114).",
  ),
  // Longer than a server takes to restart; shorter than its sender remembers what this was about (security.md R13).
  S2S_PATIENCE: entry(
    integer(1, 86_400),
    "600",
    "seconds from 1 to 86400",
    "How long a stanza waits for another server that does not answer, before it goes back to its sender.",
  ),
  S2S_WEBSOCKET: entry(
    onOff,
    "on",
    "on or off",
    "Federation by WebSocket (XEP-0468), which needs no bridge: with other deployments that have it.",
  ),
  S2S_ORIGINS: entry(
    origins,
    "{}",
    'a JSON object of domains and origins: {"example.org": "http://10.0.0.7:8787"}',
    "Where other domains' web servers are, when not at https://<domain>: for tests and private networks.",
  ),
  ARCHIVE: entry(onOff, "on", "on or off", "Message archives (XEP-0313) of accounts and rooms."),
  // A year: long enough to be useful; storage is what grows every month and never shrinks by itself.
  HISTORY_DAYS: entry(
    integer(0, 36_500),
    "365",
    "days from 0 to 36500; 0 keeps for ever",
    "Age at which archived messages go.",
  ),
  // Both bound what one account or room can fill (security.md D5); a client sees the oldest go, never a hole.
  HISTORY_ITEMS: entry(
    integer(0, 10_000_000),
    "10000",
    "messages from 0 to 10000000; 0 for no bound",
    "Messages an archive keeps, at most.",
  ),
  HISTORY_BYTES: entry(
    integer(0, 5_000_000_000),
    "100000000",
    "bytes from 0 to 5000000000; 0 for no bound",
    "And how many bytes of them.",
  ),
  PLACEMENT: entry(
    placement,
    "each",
    "each or shared:1 … shared:9999",
    "Objects: one per account, room and node, or n shared by hash. `npm run serve` uses shared:1.",
  ),
  // 1,000 keeps a gate within the request rate and memory of one object with room to spare.
  GATE_SOCKETS: entry(integer(1, 30_000), "1000", "a number from 1 to 30000", "Client streams per gate."),
  LIMITS: entry(onOff, "on", "on or off", "Rate limits against abuse. Off only for load tests."),
  // The floor is RFC 6120 §13.12; above 1 MiB a stanza no longer fits one archive row with room to spare.
  MAX_STANZA_BYTES: entry(
    integer(10_000, 1_048_576),
    "262144",
    "bytes from 10000 to 1048576",
    "Largest stanza of a client.",
  ),
  RESUME_SECONDS: entry(
    integer(0, 86_400),
    "600",
    "seconds from 0 to 86400",
    "How long a lost stream waits for its client.",
  ),
  UPLOAD_BYTES: entry(
    integer(0, 100_000_000),
    "10485760",
    "bytes from 0 to 100000000; 0 takes no files",
    "Largest file that an account may upload.",
  ),
  UPLOAD_DAY_BYTES: entry(
    integer(0, 10_000_000_000),
    "104857600",
    "bytes from 0 to 10000000000",
    "What an account may upload in a day.",
  ),
  UPLOAD_DAYS: entry(integer(1, 3650), "30", "days from 1 to 3650", "Age at which files go."),
  // RFC 7677 says 4096 and more; the cloud's runtime refuses PBKDF2 above 100,000.
  SCRAM_ITERATIONS: entry(
    integer(4096, 100_000),
    "10000",
    "a number from 4096 to 100000",
    "PBKDF2 rounds for new passwords.",
  ),
  EXTERNAL_SERVICES: hidden(
    services,
    "[]",
    'a JSON array of {"type","host","port","transport","username","password","name"}, at most 20',
    "STUN and TURN servers told to clients (XEP-0215).",
  ),
  TURN_SECRET: hidden(
    secret,
    "",
    "at least 16 characters, no placeholder",
    "Shared secret of the TURN servers: short-lived credentials are made from it.",
  ),
  TURN_SECONDS: entry(integer(60, 604_800), "86400", "seconds from 60 to 604800", "Life of those credentials."),
  ABUSE_CONTACT: entry(
    list(contact),
    "",
    "mailto:, xmpp: or https: addresses separated by commas",
    "Where to report abuse (XEP-0157).",
  ),
  ADMIN_CONTACT: entry(
    list(contact),
    "",
    "mailto:, xmpp: or https: addresses separated by commas",
    "Where to reach the operator (XEP-0157).",
  ),
  MUC_CREATE: entry(oneOf("admin", "user", "anyone"), "user", "admin, user or anyone", "Who may make rooms."),
  DEFAULT_ROOM: entry(
    v.pipe(
      v.string(),
      v.check(isUsername),
      v.transform((text) => text.normalize("NFC").toLowerCase()),
    ),
    "lobby",
    "a room name without spaces or any of \"&'/:<>@",
    "Room that a page shows first.",
  ),
  LOG_LEVEL: entry(
    oneOf("debug", "info", "warn", "error"),
    "info",
    "debug, info, warn or error",
    "Least severe line logged.",
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** What a variable holds, as text: the dashboard and wrangler.toml may give numbers, booleans and JSON; "" is absence. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "object" ? JSON.stringify(value) : String(value).trim() || undefined;
}

/**
 * Reads settings from an environment (workerd's `env`, `process.env`); other names in it are ignored.
 * @throws {SettingsError} naming every bad variable
 */
export function parseSettings(env: Record<string, unknown>): Settings {
  const problems: SettingsProblem[] = [];
  const refuse = (name: SettingName, text: string, allowed: string) =>
    problems.push({ name, value: "secret" in SETTINGS[name] ? "(hidden)" : JSON.stringify(text), allowed });

  const read = <N extends SettingName>(name: N, fallback: string = SETTINGS[name].fallback) => {
    type Value = v.InferOutput<(typeof SETTINGS)[N]["schema"]>;
    const text = textOf(env[name]) ?? fallback;
    const result = v.safeParse(SETTINGS[name].schema, text);
    if (result.success) return result.output as Value;
    refuse(name, text, SETTINGS[name].allowed);
    return undefined as never; // never seen: the problem is thrown below
  };
  const readOptional = <N extends SettingName>(name: N) => (textOf(env[name]) === undefined ? undefined : read(name));

  const domain = read("XMPP_DOMAIN");
  const settings: Settings = {
    domain,
    guestDomain: read("GUEST_DOMAIN", `guest.${domain}`),
    mucDomain: read("MUC_DOMAIN", `rooms.${domain}`),
    pubsubDomain: read("PUBSUB_DOMAIN", `pubsub.${domain}`),
    uploadDomain: read("UPLOAD_DOMAIN", `upload.${domain}`),
    siteName: read("SITE_NAME"),
    publicUrl: readOptional("PUBLIC_URL"),
    registration: read("REGISTRATION"),
    anonymous: read("ANONYMOUS"),
    allowedOrigins: read("ALLOWED_ORIGINS"),
    trustProxy: read("TRUST_PROXY"),
    adminToken: readOptional("ADMIN_TOKEN"),
    bridgeToken: readOptional("BRIDGE_TOKEN"),
    components: read("COMPONENTS"),
    s2sWebsocket: read("S2S_WEBSOCKET"),
    s2sOrigins: read("S2S_ORIGINS"),
    s2sPatience: read("S2S_PATIENCE"),
    jwtSecrets: [readOptional("JWT_SECRET"), readOptional("JWT_SECRET_PREVIOUS")].filter(
      (secret) => secret !== undefined,
    ),
    jwksUrl: readOptional("JWT_JWKS_URL"),
    jwtIssuer: readOptional("JWT_ISSUER"),
    jwtAudience: read("JWT_AUDIENCE", domain),
    jwtUserClaim: read("JWT_USER_CLAIM"),
    archive: read("ARCHIVE"),
    historyDays: read("HISTORY_DAYS"),
    historyItems: read("HISTORY_ITEMS"),
    historyBytes: read("HISTORY_BYTES"),
    placement: read("PLACEMENT"),
    gateSockets: read("GATE_SOCKETS"),
    limits: read("LIMITS"),
    maxStanzaBytes: read("MAX_STANZA_BYTES"),
    resumeSeconds: read("RESUME_SECONDS"),
    uploadBytes: read("UPLOAD_BYTES"),
    uploadDayBytes: read("UPLOAD_DAY_BYTES"),
    uploadDays: read("UPLOAD_DAYS"),
    scramIterations: read("SCRAM_ITERATIONS"),
    externalServices: read("EXTERNAL_SERVICES"),
    turnSecret: readOptional("TURN_SECRET"),
    turnSeconds: read("TURN_SECONDS"),
    abuseContact: read("ABUSE_CONTACT"),
    adminContact: read("ADMIN_CONTACT"),
    mucCreate: read("MUC_CREATE"),
    defaultRoom: read("DEFAULT_ROOM"),
    logLevel: read("LOG_LEVEL"),
  };

  // One host answers for one kind of entity, so no two may be the same.
  const taken = new Map<string, SettingName>();
  const claim = (name: SettingName, host: string | undefined) => {
    const other = host && taken.get(host);
    if (other) refuse(name, host, `a domain other than ${other}`);
    else if (host) taken.set(host, name);
  };
  claim("XMPP_DOMAIN", settings.domain);
  claim("GUEST_DOMAIN", settings.guestDomain);
  claim("MUC_DOMAIN", settings.mucDomain);
  claim("PUBSUB_DOMAIN", settings.pubsubDomain);
  claim("UPLOAD_DOMAIN", settings.uploadDomain);
  if (problems.length > 0) throw new SettingsError(problems);
  return deepFreeze(settings);
}

/** The settings of a runtime's environment, parsed at its first use. @throws {SettingsError} */
export function settingsOf(env: object): Settings {
  let settings = parsed.get(env);
  if (settings === undefined) {
    settings = parseSettings(env as Record<string, unknown>);
    parsed.set(env, settings);
  }
  return settings;
}

const parsed = new WeakMap<object, Settings>();

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

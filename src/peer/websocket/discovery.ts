/** XEP-0156: Discovering Alternative XMPP Connection Methods, v1.4 — https://xmpp.org/extensions/xep-0156.html. Of servers, as XEP-0487 names it. */
import type { Settings } from "../../settings.ts";
import { read } from "../../xml/reader.ts";

/** The link relation of XEP-0468's door. */
export const S2S_WEBSOCKET = "urn:xmpp:alt-connections:s2s-websocket";

export interface DiscoveryPorts {
  fetch(url: string, init: { redirect: "manual"; signal: AbortSignal; headers: HeadersInit }): Promise<Response>;
  /** Domain → origin, where it is not `https://<domain>`. */
  origins: Readonly<Record<string, string>>;
}

/** Nobody can tell now whether there is one: its web server does not answer. */
export class Unanswered extends Error {}

const BYTES = 65_536;
const WAIT_MS = 5_000;
const REDIRECTS = 3;

/** RFC 6761, RFC 6762 and others: what ends so is no name of the public internet. */
const SPECIAL = new Set(["test", "example", "invalid", "localhost", "local", "internal", "onion", "alt", "arpa"]);

/** Whether the public internet could have a server of that name: no addresses, nothing of one label (security.md F6). */
export function isPublicName(host: string): boolean {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return host.includes(".") && /^[^[\]:]+$/.test(host) && !/^\d+$/.test(last) && !SPECIAL.has(last);
}

/**
 * Whose host-meta may speak for a domain: its own, and that of the name above it, for who has that one has this one by DNS,
 * and what hosts rooms is seldom given a web server and a certificate of its own.
 */
function originsFor(domain: string, given: DiscoveryPorts["origins"]): string[] {
  const parent = domain.slice(domain.indexOf(".") + 1);
  const found: string[] = [];
  for (const name of new Set([domain, parent])) {
    const override = given[name];
    if (override) found.push(override);
    else if (isPublicName(name)) found.push(new URL(`https://${name}`).origin);
  }
  return found;
}

/** Whether it is worth looking for a domain's WebSocket at all. */
export const mayHaveWebSocket = (domain: string, { s2sWebsocket, s2sOrigins }: Settings): boolean =>
  s2sWebsocket && originsFor(domain, s2sOrigins).length > 0;

/**
 * The address of the WebSocket for other servers of a domain, or undefined when it has none.
 * @throws {Unanswered}
 */
export async function findWebSocket(domain: string, ports: DiscoveryPorts): Promise<string | undefined> {
  let silence: Unanswered | undefined;
  for (const origin of originsFor(domain, ports.origins)) {
    try {
      const url = await look(origin, ports);
      if (url) return url;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      silence = error;
    }
  }
  if (silence) throw silence;
  return undefined;
}

async function look(origin: string, ports: DiscoveryPorts): Promise<string | undefined> {
  const json = await load(`${origin}/.well-known/host-meta.json`, ports);
  const links = json === undefined ? undefined : jrd(json);
  if (links) return links.find((href) => isDoor(href, origin));
  const xml = await load(`${origin}/.well-known/host-meta`, ports);
  return xml === undefined ? undefined : xrd(xml).find((href) => isDoor(href, origin));
}

/** §2.2: only what is protected by TLS, and not on a port of some other protocol; where an origin was given, whatever it says. */
function isDoor(href: string, origin: string): boolean {
  if (!URL.canParse(href)) return false;
  const { protocol, hostname, port, username } = new URL(href);
  if (username !== "") return false;
  if (!origin.startsWith("https:") || !isPublicName(new URL(origin).hostname)) return /^wss?:$/.test(protocol);
  return protocol === "wss:" && isPublicName(hostname) && (port === "" || Number(port) > 1023);
}

function jrd(text: string): string[] | undefined {
  let document: { links?: unknown };
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  const links: unknown[] = Array.isArray(document?.links) ? document.links : [];
  return links
    .map((link) => link as { rel?: unknown; href?: unknown } | null)
    .filter((link) => link?.rel === S2S_WEBSOCKET)
    .map((link) => String(link?.href));
}

function xrd(text: string): string[] {
  try {
    const links = read(text).getChildren("Link");
    return links.filter(({ attrs }) => attrs.rel === S2S_WEBSOCKET).map(({ attrs }) => attrs.href ?? "");
  } catch {
    return [];
  }
}

/** A file of a stranger's, within bounds of size and time; undefined when there is none. @throws {Unanswered} */
async function load(address: string, ports: DiscoveryPorts): Promise<string | undefined> {
  // Not AbortSignal.timeout, which would keep the object awake when all has long been said.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), WAIT_MS);
  try {
    return await follow(address, late.signal, ports);
  } finally {
    clearTimeout(timer);
  }
}

async function follow(address: string, signal: AbortSignal, ports: DiscoveryPorts): Promise<string | undefined> {
  let url = address;
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    const response = await request(url, signal, ports);
    if (response === undefined) return undefined;
    const { status } = response;
    if (status === 200) return await body(response, signal);
    await response.body?.cancel();
    const location = status >= 300 && status < 400 && response.headers.get("location");
    if (location) {
      if (!URL.canParse(location, url)) return undefined;
      const next = new URL(location, url);
      const stays = next.origin === new URL(url).origin;
      if (!stays && !(next.protocol === "https:" && isPublicName(next.hostname) && next.port === "")) return undefined;
      url = next.href;
    } else if ((status >= 500 && status !== NO_SUCH_HOST) || status === 429) throw new Unanswered(`${url}: ${status}`);
    else return undefined;
  }
  return undefined;
}

/** Cloudflare's answer for a name that DNS does not know. */
const NO_SUCH_HOST = 530;

async function request(url: string, signal: AbortSignal, ports: DiscoveryPorts): Promise<Response | undefined> {
  const headers = { accept: "application/json, application/xrd+xml" };
  try {
    return await ports.fetch(url, { redirect: "manual", signal, headers });
  } catch (error) {
    // The runtime says of a lost or refused connection that it may be tried again; of a name without address, or a bad
    // certificate, it does not.
    if (signal.aborted || (error as { retryable?: boolean }).retryable) throw new Unanswered(`${url}: ${error}`);
    return undefined;
  }
}

async function body(response: Response, signal: AbortSignal): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const chunk = await reader?.read();
      if (!chunk || chunk.done) return text + decoder.decode();
      bytes += chunk.value.byteLength;
      if (bytes > BYTES) throw new Error("too long");
      text += decoder.decode(chunk.value, { stream: true });
    }
  } catch (error) {
    await reader?.cancel().catch(() => {});
    if (signal.aborted) throw new Unanswered(String(error));
    return undefined;
  }
}

/**
 * npm run doctor -- https://chat.example.org [--origin https://www.example.org]: is this deployment as its users need it?
 * Says of each failure how to mend it. Exit code 1 when there is one. With the admin token (ADMIN_TOKEN, or where deploy and
 * serve have put it) it also writes, reads and deletes an account, and logs it in.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import WebSocket from "ws";
import type { Element } from "../src/xml/element.ts";
import { read } from "../src/xml/reader.ts";
import { ROOT } from "./build.ts";

const WAIT_MS = 10_000;
const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const RELATION = "urn:xmpp:alt-connections:websocket";

/** What is wrong, and what to do about it. */
class Ill extends Error {
  readonly mend: string;
  constructor(what: string, mend: string) {
    super(what);
    this.mend = mend;
  }
}
/** A check that makes no sense here. */
class Needless extends Error {}

interface Facts {
  domain: string;
  guestDomain: string;
  anonymous: boolean;
}

/** What the checks learn from one another. */
interface Patient {
  readonly url: URL;
  readonly origin: string | undefined;
  readonly token: string | undefined;
  facts?: Facts;
  websocket?: string;
  mechanisms?: string[];
}

const get = (patient: Patient, path: string) =>
  fetch(new URL(path, patient.url), { signal: AbortSignal.timeout(WAIT_MS) });

async function health(patient: Patient): Promise<string> {
  const { protocol, hostname, origin } = patient.url;
  const local = /^(?:localhost|127\.|\[::1\])/.test(hostname);
  if (protocol !== "https:" && !local)
    throw new Ill(`${origin} is not encrypted`, "Use https://: browsers and clients refuse passwords without it.");
  const response = await get(patient, "/healthz").catch((error: Error) => {
    const why = (error.cause as Error | undefined)?.message ?? error.message;
    throw new Ill(
      `no answer (${why})`,
      "Is the name right, is the server running, does its certificate fit? New names take minutes.",
    );
  });
  if (response.status === 200) return "answers";
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Ill(
    `/healthz answers ${response.status}${detail ? `: ${detail}` : ""}`,
    "Correct these settings and deploy again.",
  );
}

async function clock(patient: Patient): Promise<string> {
  const before = Date.now();
  const response = await get(patient, "/healthz");
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) throw new Needless("the server's answers have no date");
  const seconds = Math.round((date - (before + Date.now()) / 2) / 1000);
  if (Math.abs(seconds) > 60)
    throw new Ill(
      `the clocks differ by ${seconds} s`,
      "Set both by NTP: tokens of your app are taken 60 s late or early, no more.",
    );
  return `differs by ${Math.abs(seconds)} s`;
}

async function facts(patient: Patient): Promise<string> {
  const response = await get(patient, "/info.json");
  if (!response.ok)
    throw new Ill(`/info.json answers ${response.status}`, "Is this an Enjamb server, and all of its paths reach it?");
  patient.facts = (await response.json()) as Facts;
  const { domain } = patient.facts;
  if (domain === "localhost" && patient.url.protocol === "https:")
    throw new Ill(
      "accounts end in @localhost",
      "Set XMPP_DOMAIN before people have accounts: it cannot change afterwards.",
    );
  return `accounts end in @${domain}`;
}

/** Pages of other origins must be able to read it (XEP-0156 §6). */
function readable(response: Response, path: string): void {
  if (!response.ok)
    throw new Ill(
      `${path} answers ${response.status}`,
      "Let the proxy pass every path, also those below /.well-known.",
    );
  if (response.headers.get("access-control-allow-origin") !== "*")
    throw new Ill(
      `${path} lacks Access-Control-Allow-Origin: *`,
      "Let the proxy leave the server's headers as they are.",
    );
}

function checkLink(patient: Patient, href: string | undefined, path: string): string {
  if (href === undefined) throw new Ill(`${path} names no WebSocket`, "Let the server answer this path itself.");
  const found = new URL(href);
  const wanted = patient.url.protocol === "https:" ? "wss:" : "ws:";
  if (found.protocol !== wanted || found.host !== patient.url.host)
    throw new Ill(
      `${path} points to ${href}`,
      `Set PUBLIC_URL=${patient.url.origin}: the proxy in front hides the address from the server.`,
    );
  return href;
}

async function hostMetaXml(patient: Patient): Promise<string> {
  const response = await get(patient, "/.well-known/host-meta");
  readable(response, "/.well-known/host-meta");
  const links = read(await response.text().then((text) => text.replace(/^<\?xml[^>]*>\s*/, ""))).getChildren("Link");
  return checkLink(patient, links.find(({ attrs }) => attrs.rel === RELATION)?.attrs.href, "/.well-known/host-meta");
}

async function hostMetaJson(patient: Patient): Promise<string> {
  const response = await get(patient, "/.well-known/host-meta.json");
  readable(response, "/.well-known/host-meta.json");
  const { links } = (await response.json()) as { links: { rel: string; href: string }[] };
  patient.websocket = checkLink(
    patient,
    links.find(({ rel }) => rel === RELATION)?.href,
    "/.well-known/host-meta.json",
  );
  return patient.websocket;
}

async function embed(patient: Patient): Promise<string> {
  const response = await get(patient, "/embed.js");
  readable(response, "/embed.js");
  return `${Math.ceil((await response.arrayBuffer()).byteLength / 1024)} KiB`;
}

/** One stream, frame by frame. */
class Line {
  readonly #socket: WebSocket;
  readonly #frames: string[] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      this.#frames.push(String(data));
      this.#wake?.();
    });
    socket.on("close", () => this.#wake?.());
  }

  static async open({ websocket, url, origin }: Patient): Promise<Line> {
    const address = websocket ?? `${url.origin.replace("http", "ws")}/xmpp-websocket`;
    const socket = new WebSocket(address, "xmpp", { handshakeTimeout: WAIT_MS, ...(origin && { origin }) });
    const line = new Line(socket);
    await new Promise<void>((opened, failed) => {
      socket.once("open", opened);
      socket.once("unexpected-response", (_, { statusCode = 0 }) => {
        socket.on("error", () => {});
        socket.terminate();
        failed(refusal(statusCode, origin));
      });
      socket.once("error", (error) =>
        failed(new Ill(error.message, "Let the proxy pass WebSockets: Upgrade and Connection headers.")),
      );
    });
    return line;
  }

  async next(): Promise<Element> {
    const end = Date.now() + WAIT_MS;
    while (this.#frames.length === 0) {
      if (this.#socket.readyState !== WebSocket.OPEN || Date.now() >= end)
        throw new Ill("the stream ended or fell silent", "Look into the server's log.");
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, end - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          wake();
        };
      });
    }
    return read(this.#frames.shift() as string);
  }

  send(frame: string): void {
    this.#socket.send(frame);
  }

  /** Opens the stream. @returns its features */
  async stream(to: string): Promise<Element> {
    this.send(`<open xmlns="${FRAMING}" to="${to}" version="1.0"/>`);
    await this.next();
    const features = await this.next();
    if (features.name === "features") return features;
    throw new Ill(
      `${to} is refused: ${features.getChildElements()[0]?.name}`,
      "Is XMPP_DOMAIN (or GUEST_DOMAIN) what /info.json says?",
    );
  }

  async authenticate(mechanism: string, message: string): Promise<Element> {
    this.send(`<auth xmlns="${SASL}" mechanism="${mechanism}">${Buffer.from(message).toString("base64")}</auth>`);
    return this.next();
  }

  close(): void {
    this.#socket.close();
  }
}

function refusal(status: number, origin: string | undefined): Ill {
  const what = `the upgrade is answered with ${status}`;
  if (status === 403 && origin) return new Ill(what, `Add ${origin} to ALLOWED_ORIGINS.`);
  if (status === 429) return new Ill(what, "Wait a minute; behind a proxy of your own set TRUST_PROXY=on.");
  return new Ill(what, "Let the proxy pass Upgrade, Connection and Sec-WebSocket-Protocol as they are.");
}

async function withLine<T>(patient: Patient, run: (line: Line) => Promise<T>): Promise<T> {
  const line = await Line.open(patient);
  try {
    return await run(line);
  } finally {
    line.close();
  }
}

const domainOf = ({ facts }: Patient): string => facts?.domain ?? "localhost";

const upgrade = (patient: Patient) =>
  withLine(patient, async (line) => {
    const features = await line.stream(domainOf(patient));
    patient.mechanisms =
      features
        .getChild("mechanisms", SASL)
        ?.getChildren("mechanism")
        .map((it) => it.getText()) ?? [];
    return patient.origin ? `from ${patient.origin}, too` : "subprotocol xmpp";
  });

async function mechanisms({ mechanisms = [] }: Patient): Promise<string> {
  if (!mechanisms.includes("SCRAM-SHA-256"))
    throw new Ill(`offered: ${mechanisms.join(" ") || "none"}`, "Is another server in between?");
  if (!mechanisms.includes("PLAIN"))
    throw new Ill(
      "PLAIN is not offered: the server believes it is reached without TLS",
      "Let the proxy set X-Forwarded-Proto: https, and set TRUST_PROXY=on and PUBLIC_URL.",
    );
  return mechanisms.join(" ");
}

const guests = (patient: Patient) => {
  const { anonymous, guestDomain = "" } = patient.facts ?? {};
  if (!anonymous) throw new Needless("ANONYMOUS is off");
  return withLine(patient, async (line) => {
    await line.stream(guestDomain);
    const answer = await line.authenticate("ANONYMOUS", "");
    if (answer.name !== "success") throw new Ill("a guest could not log in", "Look into the server's log.");
    return `log in to ${guestDomain}`;
  });
};

function rest({ url, token }: Patient, method: string, path: string, body?: object): Promise<Response> {
  if (!token) throw new Needless("needs ADMIN_TOKEN");
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = { method, headers, signal: AbortSignal.timeout(WAIT_MS) };
  return fetch(new URL(`/api/v1${path}`, url), { ...init, ...(body && { body: JSON.stringify(body) }) });
}

async function expectStatus(answer: Promise<Response>, wanted: number, what: string): Promise<Response> {
  const response = await answer;
  if (response.status === wanted) return response;
  const { code = "", detail = "" } = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  const mend =
    code === "unauthorized"
      ? "Give the server's own ADMIN_TOKEN."
      : code === "api-off"
        ? "Set ADMIN_TOKEN."
        : "Look into the server's log.";
  throw new Ill(`${what}: ${response.status} ${detail}`, mend);
}

/** Writes, reads and logs in an account, which is gone afterwards. */
async function writes(patient: Patient): Promise<string> {
  const user = `doctor-${randomBytes(9).toString("hex")}`;
  const password = randomBytes(18).toString("base64url");
  await expectStatus(rest(patient, "PUT", `/users/${user}`, { password }), 201, "an account could not be made");
  try {
    await expectStatus(rest(patient, "GET", `/users/${user}`), 200, "what was written is not there");
    await logIn(patient, user, password);
  } finally {
    await expectStatus(rest(patient, "DELETE", `/users/${user}`), 204, "an account could not be deleted");
  }
  return "an account was made, logged in and deleted";
}

const logIn = (patient: Patient, user: string, password: string) =>
  withLine(patient, async (line) => {
    await line.stream(domainOf(patient));
    const answer = await line.authenticate("PLAIN", `\0${user}\0${password}`);
    if (answer.name !== "success")
      throw new Ill(`the login failed: ${answer.getChildElements()[0]?.name}`, "Look into the server's log.");
  });

async function tokens(patient: Patient): Promise<string> {
  if (!patient.mechanisms?.includes("OAUTHBEARER")) throw new Needless("neither JWT_SECRET nor JWT_JWKS_URL is set");
  const user = `doctor-${randomBytes(9).toString("hex")}`;
  const response = await rest(patient, "POST", "/tokens", { user, once: true, seconds: 60 });
  if (response.status === 409) return "are taken from the identity provider";
  const { token } = (await (await expectStatus(Promise.resolve(response), 201, "none is issued")).json()) as {
    token: string;
  };
  try {
    await logIn(patient, user, token);
  } finally {
    await rest(patient, "DELETE", `/users/${user}`);
  }
  return "one was issued, and logged in";
}

/** In this order: later checks need what earlier ones learn. */
const CHECKS: readonly (readonly [name: string, run: (patient: Patient) => Promise<string>])[] = [
  ["server", health],
  ["clock", clock],
  ["domain", facts],
  ["host-meta", hostMetaXml],
  ["host-meta.json", hostMetaJson],
  ["embed.js", embed],
  ["WebSocket", upgrade],
  ["mechanisms", mechanisms],
  ["guests", guests],
  ["storage", writes],
  ["tokens", tokens],
];

const text = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : "");

/** The admin token of this server, where it is known: another server must not be told it. */
function adminToken(url: URL): string | undefined {
  if (process.env.ADMIN_TOKEN) return process.env.ADMIN_TOKEN;
  const dataDir = resolve(process.env.DATA_DIR || join(ROOT, ".enjamb/data"));
  const running = JSON.parse(text(join(dataDir, "server.json")) || "{}") as { http?: string };
  if (running.http && new URL(running.http).origin === url.origin)
    return text(join(dataDir, "admin-token")).trim() || undefined;
  const deployed = text(join(ROOT, "wrangler.toml")).includes(`XMPP_DOMAIN = "${url.host}"`);
  return deployed
    ? (JSON.parse(text(join(ROOT, ".secrets")) || "{}") as { ADMIN_TOKEN?: string }).ADMIN_TOKEN
    : undefined;
}

async function main(): Promise<boolean> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { origin: { type: "string" } } });
  const [address = ""] = positionals;
  if (!URL.canParse(address)) {
    console.error("npm run doctor -- https://chat.example.org [--origin https://www.example.org]");
    return false;
  }
  const url = new URL(address);
  const patient: Patient = { url, origin: values.origin, token: adminToken(url) };
  let well = true;
  for (const [name, run] of CHECKS) {
    const say = (mark: string, words: string) => console.log(`${mark} ${name.padEnd(15)} ${words}`);
    try {
      say("ok  ", await run(patient));
    } catch (error) {
      if (error instanceof Needless) {
        say("–   ", error.message);
        continue;
      }
      well = false;
      say("FAIL", error instanceof Ill ? `${error.message}\n${" ".repeat(21)}→ ${error.mend}` : String(error));
      if (name === "server") break;
    }
  }
  console.log(well ? "\nAll is well." : "\nSomething is to be mended.");
  return well;
}

if (import.meta.main) process.exitCode = (await main()) ? 0 : 1;

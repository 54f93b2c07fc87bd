/** Another server, as a script: a web server with host-meta and a WebSocket, on loopback; and streams that it opens itself. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import WebSocket, { WebSocketServer } from "ws";
import type { Element } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";
import { difference, type MatchOptions, pattern, pretty } from "../../support/match.ts";
import type { World } from "../../support/world.ts";

export const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing-server";
export const DB = `xmlns:db="jabber:server:dialback"`;
export const SM = "urn:xmpp:sm:3";
const ASK = `<r xmlns="${SM}"/>`;
const TIMEOUT = 15_000;

const FEATURES = `<stream:features xmlns:stream="http://etherx.jabber.org/streams"><dialback xmlns="urn:xmpp:features:dialback"><errors/></dialback><sm xmlns="${SM}"/></stream:features>`;

const HOST_UNKNOWN = `<stream:error xmlns:stream="http://etherx.jabber.org/streams"><host-unknown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>`;

/** What a promise is waited for no longer than. */
function soon<T>(promise: Promise<T>, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`waited in vain for ${what()}`)), TIMEOUT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** One WebSocket between the two servers. */
export class Stream {
  /** The id of the stream that this end opened, as the other end gave it. */
  id = "";
  /** The id that this end gave to a stream that the other end opened. */
  given = "";
  readonly #remote: Remote;
  readonly #world: World;
  readonly #socket: WebSocket;
  readonly #inbox: string[] = [];
  #wake: (() => void) | undefined;
  readonly ended: Promise<number>;
  #open = true;
  #asked = 0;

  constructor(remote: Remote, socket: WebSocket) {
    this.#remote = remote;
    this.#world = remote.world;
    this.#socket = socket;
    socket.on("message", (data) => {
      // It may be asked at any time, so this is no frame of a test's play.
      if (String(data) === ASK) this.#asked++;
      else this.#inbox.push(String(data));
      this.#wake?.();
    });
    socket.on("error", () => {});
    this.ended = new Promise((settle) => {
      socket.on("close", (code) => {
        this.#open = false;
        this.#wake?.();
        settle(code);
      });
    });
  }

  /** Sends a frame; a stanza that names no namespace is given jabber:server. */
  async sends(xml: string): Promise<void> {
    if (this.#world.evicting) {
      await this.#remote.quiet();
      await this.#world.evict();
    }
    this.says(xml);
  }

  /** The same, whatever is going on there. */
  says(xml: string): void {
    this.#socket.send(xml.trim().replace(/^<(message|presence|iq)(?![^>]*\sxmlns=)/, '<$1 xmlns="jabber:server"'));
  }

  /** Resolves when it wants to know how much has arrived, now or since it last did. */
  async isAsked(): Promise<void> {
    await soon(
      this.#until(() => this.#asked > 0),
      () => "a question",
    );
    this.#asked = 0;
  }

  async #until(what: () => boolean): Promise<void> {
    while (!what() && this.#open)
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
  }

  async next(): Promise<Element> {
    const arrived = async () => {
      await this.#until(() => this.#inbox.length > 0);
      const frame = this.#inbox.shift();
      if (frame === undefined) throw new Error("the connection ended");
      return read(frame);
    };
    return soon(arrived(), () => "a frame");
  }

  /** The next frame, which must be this; its default namespace, if it names none, is jabber:server. */
  async receives(xml: string, options: MatchOptions = {}): Promise<Element> {
    const text = xml.trim();
    const named = /^<[^>]*\sxmlns=/.test(text) ? text : text.replace(/^<[\w:.-]+/, '$& xmlns="jabber:server"');
    const wanted = pattern(named);
    const got = await this.next();
    const problem = difference(wanted, got, options);
    if (problem) throw new Error(`expected\n${pretty(wanted, "")}\nand received\n${pretty(got, "")}\n${problem}`);
    return got;
  }

  /** The stream ends with this error, and then as RFC 7395 §3.6 says. */
  async fails(condition: string): Promise<void> {
    await this.receives(
      `<error xmlns="http://etherx.jabber.org/streams"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></error>`,
      { extra: true },
    );
    await this.receives(`<close xmlns="${FRAMING}"/>`);
    await soon(this.ended, () => "the end");
  }

  cut(): void {
    this.#socket.terminate();
  }

  // As who opens it

  /** `<open/>` and what comes back. @returns the features */
  async opens(from: string, to: string): Promise<Element> {
    await this.sends(`<open xmlns="${FRAMING}" from="${from}" to="${to}" version="1.0"/>`);
    const { attrs } = await this.receives(`<open xmlns="${FRAMING}" from="${to}" to="${from}" id="*" version="1.0"/>`, {
      extra: true,
    });
    this.id = attrs.id ?? "";
    return this.next();
  }

  // As who is called

  /** A dialback key, and the id that this end gave the stream. */
  async takesKey(from: string, to: string): Promise<{ key: string; id: string }> {
    const result = await this.receives(`<db:result ${DB} from="${from}" to="${to}">*</db:result>`);
    return { key: result.getText(), id: this.given };
  }

  /** Takes a dialback key for good. */
  async verifies(from: string, to: string): Promise<void> {
    await this.receives(`<db:result ${DB} from="${from}" to="${to}">*</db:result>`);
    this.says(`<db:result ${DB} from="${to}" to="${from}" type="valid"/>`);
  }

  /** Takes the stream under management. */
  async enables(id: string): Promise<void> {
    await this.receives(`<enable xmlns="${SM}" resume="true"/>`);
    this.says(`<enabled xmlns="${SM}" id="${id}" resume="true"/>`);
  }
}

interface File {
  status?: number;
  type?: string;
  body?: string;
  location?: string;
}

export class Remote {
  readonly domain: string;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "xmpp" });
  readonly #streams: Stream[] = [];
  #wake: (() => void) | undefined;
  /** Stream id → the key that was made for it. */
  readonly keys = new Map<string, string>();
  /** What was asked of the web server. */
  readonly requests: string[] = [];
  /** What was asked by db:verify: "from to". */
  readonly asked: string[] = [];
  world!: World;
  /** What the web server has, by path: a JRD with the WebSocket's address in it, unless a test says otherwise. */
  files: Record<string, File> | undefined;
  #live = true;
  /** Of streams that were for a question only. */
  readonly #questions = new Set<Promise<number>>();

  private constructor(domain: string) {
    this.domain = domain;
    this.#server = createServer((request, response) => {
      const path = request.url ?? "";
      this.requests.push(path);
      const file = (this.files ?? { "/.well-known/host-meta.json": { body: this.jrd() } })[path];
      const headers: Record<string, string> = { "content-type": file?.type ?? "application/json" };
      if (file?.location) headers.location = file.location;
      response.writeHead(file?.status ?? (file ? 200 : 404), headers).end(file?.body ?? "");
    });
    this.#server.on("upgrade", (request: IncomingMessage, socket, head) => {
      if (!this.#live) return void socket.destroy();
      this.#sockets.handleUpgrade(request, socket, head, (ws) => void this.#accept(ws));
    });
  }

  static async start(domain: string): Promise<Remote> {
    const remote = new Remote(domain);
    remote.#server.listen(0, "127.0.0.1");
    await once(remote.#server, "listening");
    return remote;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get websocket(): string {
    return `${this.origin.replace("http", "ws")}/s2s`;
  }

  jrd(href = this.websocket): string {
    return JSON.stringify({ links: [{ rel: "urn:xmpp:alt-connections:s2s-websocket", href }] });
  }

  /** Answers the header; a question about a key at once, and whatever else comes first is for the test. */
  async #accept(ws: WebSocket): Promise<void> {
    const stream = new Stream(this, ws);
    const { attrs } = await stream.receives(`<open xmlns="${FRAMING}" from="*" to="*" version="1.0"/>`, {
      extra: true,
    });
    stream.given = `stream-${crypto.randomUUID()}`;
    stream.says(`<open xmlns="${FRAMING}" from="${attrs.to}" to="${attrs.from}" id="${stream.given}" version="1.0"/>`);
    if (attrs.to !== this.domain && attrs.to !== `rooms.${this.domain}`) {
      stream.says(HOST_UNKNOWN);
      stream.says(`<close xmlns="${FRAMING}"/>`);
      return;
    }
    stream.says(FEATURES);
    const frame = await once(ws, "message").catch(() => undefined);
    const first = frame && read(String(frame[0]));
    if (first?.name !== "verify") {
      this.#streams.push(stream);
      this.#wake?.();
      return;
    }
    const { from, to, id } = first.attrs;
    this.asked.push(`${from} ${to}`);
    this.#questions.add(stream.ended);
    const type = this.keys.get(id ?? "") === first.getText() ? "valid" : "invalid";
    stream.says(`<db:verify ${DB} from="${to}" to="${from}" id="${id}" type="${type}"/>`);
  }

  /** Resolves when nobody has a question any more: who does is not forgotten. */
  async quiet(): Promise<void> {
    await Promise.all(this.#questions);
    this.#questions.clear();
  }

  /** The next stream that was opened to this server in order to send. */
  async stream(): Promise<Stream> {
    const arrived = async () => {
      while (this.#streams.length === 0)
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      return this.#streams.shift() as Stream;
    };
    return soon(arrived(), () => "a stream");
  }

  /** A connection to the other server on which nothing has been said. */
  async connects(): Promise<Stream> {
    const address = `${this.world.http.replace("http", "ws")}/s2s-xmpp-websocket`;
    const socket = new WebSocket(address, "xmpp");
    const stream = new Stream(this, socket);
    await once(socket, "open");
    return stream;
  }

  /** The same, verified for a pair. */
  async verified(to: string, from = this.domain): Promise<Stream> {
    const stream = await this.connects();
    await stream.opens(from, to);
    await this.proves(stream, from, to);
    return stream;
  }

  async proves(stream: Stream, from: string, to: string, key = `key of ${from}`): Promise<void> {
    this.keys.set(stream.id, key);
    await stream.sends(`<db:result ${DB} from="${from}" to="${to}">${key}</db:result>`);
    await stream.receives(`<db:result ${DB} from="${to}" to="${from}" type="valid"/>`);
  }

  /** Takes no WebSocket from now on. */
  refuses(): void {
    this.#live = false;
  }

  accepts(): void {
    this.#live = true;
  }

  stop(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

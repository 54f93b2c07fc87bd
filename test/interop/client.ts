/**
 * RFC 7395: a client for load and crash tests, no more than that needs — https://www.rfc-editor.org/rfc/rfc7395
 * It reads stanzas with regular expressions, so that a benchmark measures the server and not this. Every frame is
 * one stanza of a server we trust to be well-formed; the conformance tests are where that is judged.
 */
import { WebSocket } from "ws";
import { type ScramMechanism, scram } from "./scram-client.ts";

export interface Login {
  /** WebSocket address. */
  url: string;
  domain: string;
  /** Absent for ANONYMOUS. */
  username?: string;
  password?: string;
  resource?: string;
  /** Default SCRAM-SHA-1, which every server has. */
  mechanism?: ScramMechanism | "PLAIN" | "ANONYMOUS";
}

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const SM = "urn:xmpp:sm:3";
const DISCO = "http://jabber.org/protocol/disco#info";
/** A server that says nothing for this long, when an answer is due, has lost it. */
const PATIENCE_MS = 15_000;

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const text = (encoded: string): string => Buffer.from(encoded, "base64").toString();

/** The value of an attribute of the frame's outermost element. */
export function attribute(frame: string, name: string): string | undefined {
  const tag = frame.slice(0, frame.indexOf(">"));
  return tag
    .match(new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)')`))
    ?.slice(1)
    .find((value) => value !== undefined);
}

/** Text content of an element anywhere in the frame; "" when it is empty, undefined when absent. */
export const content = (frame: string, name: string): string | undefined =>
  frame.match(new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`))?.[1];

const isStanza = (frame: string): boolean =>
  frame.startsWith("<message") || frame.startsWith("<presence") || frame.startsWith("<iq");

export class Client {
  jid = "";
  /** The features of the stream as it is now. */
  features = "";
  /** Called with every stanza that nobody waits for. */
  onStanza: (stanza: string) => void = () => {};
  /** XEP-0030: what this client answers a disco#info with, when set: identities and features. */
  info: string | undefined;
  /** The stream error the server ended the stream with, if it did. */
  error: string | undefined;
  /** Called once, however the stream ends. */
  onClose: () => void = () => {};

  /** XEP-0198: what was sent and not acknowledged, oldest first; empty while stream management is off. */
  unacked: string[] = [];
  /** How many of our stanzas the server has acknowledged in this session. */
  acked = 0;
  /** How many stanzas of the server's we have handled in this session. */
  handled = 0;
  /** The name of the session for `resume`; "" when it has none. */
  session = "";
  /** Called with each stanza the server has taken into custody. */
  onAcked: (stanza: string) => void = () => {};

  #socket: WebSocket;
  #managed = false;
  #waiting: { match: (frame: string) => boolean; resolve: (frame: string) => void }[] = [];
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#receive(data.toString()));
    socket.on("close", () => this.onClose());
    socket.on("error", () => {});
  }

  /** A socket with an open stream, before authentication. */
  static async connect({ url, domain }: Pick<Login, "url" | "domain">): Promise<Client> {
    const socket = new WebSocket(url, "xmpp", { perMessageDeflate: false, skipUTF8Validation: true });
    await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const client = new Client(socket);
    await client.#open(domain);
    return client;
  }

  /** Connects and authenticates; then comes `bind` or `resume`. */
  static async authenticate(login: Login): Promise<Client> {
    const client = await Client.connect(login);
    await client.#authenticate(login);
    await client.#open(login.domain);
    return client;
  }

  /** Connects, authenticates and binds a resource. */
  static async login(login: Login): Promise<Client> {
    const client = await Client.authenticate(login);
    await client.bind(login.resource);
    return client;
  }

  async bind(resource?: string): Promise<void> {
    const wish = resource === undefined ? "" : `<resource>${resource}</resource>`;
    const bound = await this.iq("set", undefined, `<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">${wish}</bind>`);
    this.jid = content(bound, "jid") ?? "";
  }

  /** Sends a stanza, and keeps it until it is acknowledged when stream management is on. */
  send(stanza: string): void {
    if (this.#managed) this.unacked.push(stanza);
    this.#socket.send(stanza);
  }

  /** Sends what is not a stanza and does not count. */
  sendRaw(frame: string): void {
    this.#socket.send(frame);
  }

  /** The result of a request; a stanza error rejects. */
  async iq(type: "get" | "set", to: string | undefined, payload: string): Promise<string> {
    const id = `q${++this.#ids}`;
    const address = to === undefined ? "" : ` to="${to}"`;
    const answer = this.next((frame) => frame.startsWith("<iq") && attribute(frame, "id") === id);
    this.send(`<iq xmlns="jabber:client" type="${type}" id="${id}"${address}>${payload}</iq>`);
    const frame = await answer;
    if (attribute(frame, "type") !== "result") throw new Error(`${payload}\nwas answered by\n${frame}`);
    return frame;
  }

  /** The next frame that matches, which `onStanza` then does not see. */
  next(match: (frame: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const waiting = { match, resolve: done };
      const late = setTimeout(() => give(new Error(`${this.jid}: no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
      const give = (reason: Error) => {
        clearTimeout(late);
        this.#socket.off("close", lost);
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(reason);
      };
      const lost = () => give(new Error(`${this.jid}: the connection was lost ${this.error ?? ""}`));
      this.#socket.once("close", lost);
      this.#waiting.push(waiting);
      function done(this: void, frame: string): void {
        clearTimeout(late);
        off();
        resolve(frame);
      }
      const off = () => this.#socket.off("close", lost);
    });
  }

  /** XEP-0198 §3: from here on stanzas are counted in both directions. */
  async enable({ resume = true } = {}): Promise<void> {
    this.#managed = true;
    this.sendRaw(`<enable xmlns="${SM}"${resume ? ' resume="true"' : ""}/>`);
    const enabled = await this.next((frame) => frame.startsWith("<enabled") || frame.startsWith("<failed"));
    if (!enabled.startsWith("<enabled")) throw new Error(enabled);
    this.session = attribute(enabled, "id") ?? "";
    this.handled = 0;
  }

  /** §5: takes the lost session over, and sends again what the server has not had. False when it is gone. */
  async resume(lost: Client): Promise<boolean> {
    this.sendRaw(`<resume xmlns="${SM}" previd="${lost.session}" h="${lost.handled}"/>`);
    // Before the answer nothing may come, after it everything counts: so this much is set up first.
    Object.assign(this, { jid: lost.jid, session: lost.session, handled: lost.handled, acked: lost.acked });
    this.unacked = lost.unacked;
    const answer = await this.next((frame) => frame.startsWith("<resumed") || frame.startsWith("<failed"));
    const h = attribute(answer, "h");
    if (h !== undefined) this.#acknowledged(Number(h));
    if (!answer.startsWith("<resumed")) return false;
    for (const stanza of this.unacked) this.#socket.send(stanza);
    return true;
  }

  /** §4: asks how far the server is. */
  requestAck(): void {
    this.sendRaw(`<r xmlns="${SM}"/>`);
  }

  /** Ends the stream and the session with it. */
  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    if (this.#socket.readyState === WebSocket.OPEN) this.sendRaw(`<close xmlns="${FRAMING}"/>`);
    await closed;
  }

  /** Loses the connection without a word; the session waits for `resume`. */
  cut(): void {
    this.#socket.terminate();
  }

  #receive(frame: string): void {
    if (isStanza(frame)) {
      this.handled++;
      if (this.#waiting.length > 0 && this.#answers(frame)) return;
      if (frame.startsWith("<iq") && this.#obliges(frame)) return;
      this.onStanza(frame);
    } else if (frame.startsWith("<r ") || frame.startsWith("<r>")) {
      this.sendRaw(`<a xmlns="${SM}" h="${this.handled}"/>`);
    } else if (frame.startsWith("<a ")) {
      this.#acknowledged(Number(attribute(frame, "h")));
    } else if (/^<(?:\w+:)?error/.test(frame)) {
      this.error = frame;
    } else if (!this.#answers(frame) && frame.startsWith("<close")) {
      this.sendRaw(`<close xmlns="${FRAMING}"/>`);
      this.#socket.close();
    }
  }

  #answers(frame: string): boolean {
    const at = this.#waiting.findIndex(({ match }) => match(frame));
    if (at < 0) return false;
    this.#waiting.splice(at, 1)[0]?.resolve(frame);
    // The two that a counter begins at, synchronously, since the next stanza may be in the same packet.
    if (frame.startsWith("<enabled")) this.handled = 0;
    if (frame.startsWith("<resumed")) this.#managed = true;
    return true;
  }

  /** Answers what a server may ask of any client: what it can, whether it is there, and that it has a roster push. */
  #obliges(frame: string): boolean {
    const type = attribute(frame, "type");
    if (type !== "get" && type !== "set") return false;
    const from = attribute(frame, "from");
    const address = from === undefined ? "" : ` to="${from}"`;
    let payload = "";
    if (this.info !== undefined && frame.includes(DISCO)) {
      const node = frame.match(/\snode=["']([^"']*)/)?.[1] ?? "";
      payload = `<query xmlns="${DISCO}" node="${node}">${this.info}</query>`;
    }
    const id = attribute(frame, "id");
    this.send(`<iq xmlns="jabber:client" type="result" id="${id}"${address}>${payload}</iq>`);
    return !frame.includes("jabber:iq:roster");
  }

  #acknowledged(h: number): void {
    const count = (h - this.acked) >>> 0;
    this.acked = h;
    for (const stanza of this.unacked.splice(0, count)) this.onAcked(stanza);
  }

  async #open(domain: string): Promise<void> {
    const features = this.next((frame) => /^<(?:\w+:)?features/.test(frame));
    const opened = this.next((frame) => frame.startsWith("<open"));
    this.sendRaw(`<open xmlns="${FRAMING}" to="${domain}" version="1.0"/>`);
    await opened;
    this.features = await features;
  }

  async #authenticate({ username = "", password = "", mechanism = "SCRAM-SHA-1" }: Login): Promise<void> {
    const start = (initial: string) =>
      this.#sasl(`<auth xmlns="${SASL}" mechanism="${mechanism}">${initial === "" ? "=" : base64(initial)}</auth>`);
    if (mechanism === "ANONYMOUS") return expectSuccess(await start(""));
    if (mechanism === "PLAIN") return expectSuccess(await start(`\0${username}\0${password}`));
    const exchange = scram(mechanism, username, password);
    const challenge = await start(exchange.first);
    if (!challenge.startsWith("<challenge")) throw new Error(challenge);
    const final = exchange.final(text(content(challenge, "challenge") ?? ""));
    const success = await this.#sasl(`<response xmlns="${SASL}">${base64(final)}</response>`);
    expectSuccess(success);
    if (!exchange.verify(text(content(success, "success") ?? "")))
      throw new Error("the server does not know the password");
  }

  #sasl(frame: string): Promise<string> {
    const answer = this.next((reply) => /^<(?:challenge|success|failure)/.test(reply));
    this.sendRaw(frame);
    return answer;
  }
}

function expectSuccess(frame: string): void {
  if (!frame.startsWith("<success")) throw new Error(frame);
}

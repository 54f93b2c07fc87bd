/**
 * One client in a conformance test, speaking RFC 7395 frame by frame:
 *
 *   await romeo.sends(`<message to="juliet@capulet.example" type="chat"><body>Wherefore?</body></message>`);
 *   await juliet.receives(`<message from="romeo@capulet.example/orchard" to="*" type="chat"><body>Wherefore?</body></message>`);
 */
import WebSocket from "ws";
import type { Element } from "../../src/xml/element.ts";
import { read } from "../../src/xml/reader.ts";
import { difference, type MatchOptions, pattern, pretty } from "./match.ts";
import { type ScramMechanism, scramClient } from "./scram.ts";
import type { World } from "./world.ts";

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const SM = "urn:xmpp:sm:3";
const ASK = `<r xmlns="${SM}"/>`;
const TIMEOUT = 5_000;

export interface LoginOptions {
  readonly resource?: string;
  /** Default: the one `World.user` gives. */
  readonly password?: string;
  readonly mechanism?: "PLAIN" | ScramMechanism;
  /** Also sends initial presence and takes its reflection. */
  readonly presence?: boolean;
}

/** How a connection ended: the code of the closing handshake, or 1006 without one. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

export class Actor {
  readonly name: string;
  readonly socket: WebSocket;
  /** Full JID once bound. */
  jid = "";
  /** The features last announced by `login` or `opens`. */
  features: Element | undefined;
  readonly ended: Promise<Ended>;
  readonly #world: World;
  readonly #inbox: string[] = [];
  #waiting: ((frame: string | undefined) => void) | undefined;
  #open = true;
  /** How often the server has asked for an acknowledgement. It may do so at any time, so this is no frame of a test's play. */
  asked = 0;
  #onAsked: (() => void) | undefined;
  #counter = 0;

  private constructor(world: World, name: string, socket: WebSocket) {
    this.#world = world;
    this.name = name;
    this.socket = socket;
    socket.on("message", (data, binary) => this.#take(binary ? "(a binary frame)" : String(data)));
    this.ended = new Promise((settle) => {
      socket.on("close", (code, reason) => {
        this.#open = false;
        this.#waiting?.(undefined);
        settle({ code, reason: String(reason) });
      });
    });
  }

  static async connect(world: World, name: string): Promise<Actor> {
    const socket = new WebSocket(world.websocket, "xmpp", { perMessageDeflate: true });
    const actor = new Actor(world, name, socket);
    await new Promise<void>((opened, failed) => {
      socket.once("open", opened);
      socket.once("error", failed);
    });
    socket.on("error", () => {}); // its "close" follows
    return actor;
  }

  get bare(): string {
    return this.jid.split("/", 1)[0] ?? "";
  }

  /** Resolves when the server asks for an acknowledgement the next time, or at once if it has since the last time. */
  async isAsked(): Promise<void> {
    if (this.asked === 0) await new Promise<void>((asked) => (this.#onAsked = asked));
    this.asked = 0;
  }

  #take(frame: string): void {
    if (frame === ASK) {
      this.asked++;
      this.#onAsked?.();
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(frame);
    else this.#inbox.push(frame);
  }

  /** Sends one frame; a stanza that names no namespace is given jabber:client. */
  sends(xml: string): Promise<void> {
    return this.sendsRaw(xml.trim().replace(/^<(message|presence|iq)(?![^>]*\sxmlns=)/, '<$1 xmlns="jabber:client"'));
  }

  /** Sends one frame exactly as it is written. */
  async sendsRaw(frame: string): Promise<void> {
    if (this.#world.evicting) await this.#world.evict();
    this.socket.send(frame);
  }

  /** The next frame as text; undefined when the connection ended first. */
  async nextFrame(): Promise<string | undefined> {
    const ready = this.#inbox.shift();
    if (ready !== undefined || !this.#open) return ready;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string | undefined>((settle, fail) => {
        this.#waiting = settle;
        timer = setTimeout(() => fail(new Error(`${this.name} received nothing for ${TIMEOUT} ms`)), TIMEOUT);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** The next element, whatever it is. */
  async next(): Promise<Element> {
    const frame = await this.nextFrame();
    if (frame === undefined) throw new Error(`${this.name}'s connection ended`);
    return read(frame);
  }

  /** The next element, which must be this one; see `difference` for what a pattern may say. */
  async receives(xml: string, options: MatchOptions = {}): Promise<Element> {
    const wanted = pattern(xml);
    const got = await this.next().catch((error: Error) => {
      throw failure(`${error.message}, expecting\n${pretty(wanted)}`, this.receives);
    });
    const problem = difference(wanted, got, options);
    if (problem === undefined) return got;
    throw failure(`${this.name} expected\n${pretty(wanted)}\nand received\n${pretty(got)}\n${problem}`, this.receives);
  }

  /** The next elements are these, in any order. @returns them in the order of the patterns */
  async receivesAll(patterns: readonly string[], options: MatchOptions = {}): Promise<Element[]> {
    const wanted = patterns.map(pattern);
    const found: Element[] = [];
    for (let left = wanted.length; left > 0; left--) {
      const got = await this.next();
      const at = wanted.findIndex((one, i) => found[i] === undefined && difference(one, got, options) === undefined);
      if (at >= 0) found[at] = got;
      else {
        const open = wanted.filter((_, i) => found[i] === undefined);
        const why = open.map((one) => `${pretty(one)}\n  ${difference(one, got, options)}`).join("\nor\n");
        throw failure(`${this.name} expected one of\n${why}\nand received\n${pretty(got)}`, this.receivesAll);
      }
    }
    return found;
  }

  /**
   * Nothing has come and nothing is on its way. Proved without waiting: a request goes to this actor's own account (a ping
   * would come back from the gate) and must be answered first. With `from`, that actor sends a marker along the way its stanzas take, and the marker must come first.
   */
  async receivesNothing({ from }: { from?: Actor } = {}): Promise<void> {
    const id = `barrier-${++this.#counter}`;
    if (from) {
      await from.sends(
        `<message to="${this.jid}" type="headline" id="${id}"><no-store xmlns="urn:xmpp:hints"/></message>`,
      );
    } else {
      await this.sends(
        `<iq to="${this.bare}" type="get" id="${id}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
      );
    }
    const got = await this.next();
    if (got.attrs.id === id) return;
    throw failure(`${this.name} expected nothing and received\n${pretty(got)}`, this.receivesNothing);
  }

  /** An IQ to `to` (absent: the account). @returns the answer, a result or an error */
  async asks(type: "get" | "set", payload: string, to?: string): Promise<Element> {
    const id = `iq-${++this.#counter}`;
    const address = to === undefined ? "" : ` to="${to}"`;
    await this.sends(`<iq type="${type}" id="${id}"${address}>${payload}</iq>`);
    const answer = await this.next();
    if (answer.name === "iq" && answer.attrs.id === id) return answer;
    throw failure(`${this.name} expected the answer to ${payload} and received\n${pretty(answer)}`, this.asks);
  }

  /** Opens (or restarts) the stream. @returns its features */
  async opens(to = this.#world.domain): Promise<Element> {
    await this.sends(`<open xmlns="${FRAMING}" to="${to}" version="1.0"/>`);
    await this.receives(`<open xmlns="${FRAMING}" from="${to}" id="*" version="1.0"/>`, { extra: true });
    this.features = await this.next();
    if (this.features.name !== "features") throw new Error(`features expected, not\n${pretty(this.features)}`);
    return this.features;
  }

  /** From a fresh connection to a bound resource. */
  async login(options: LoginOptions = {}): Promise<void> {
    await this.authenticates(options);
    await this.binds(options.resource);
    if (options.presence) {
      await this.sends("<presence/>");
      await this.receives(`<presence from="${this.jid}"/>`, { extra: true });
    }
  }

  /** From a fresh connection to a stream that has been opened again after authentication. */
  async authenticates(options: LoginOptions = {}): Promise<void> {
    const { mechanism = "PLAIN", password = `${this.name}'s secret` } = options;
    await this.opens();
    await this.#authenticate(mechanism, password);
    await this.opens();
  }

  async binds(resource = "balcony"): Promise<void> {
    const answer = await this.asks("set", `<bind xmlns="${BIND}"><resource>${resource}</resource></bind>`);
    const jid = answer.getChild("bind", BIND)?.getChildText("jid");
    if (!jid) throw new Error(`${this.name} could not bind:\n${pretty(answer)}`);
    this.jid = jid;
  }

  /** Turns stream management on, for a stream that can be resumed. @returns the id to resume it by */
  async enables(): Promise<string> {
    await this.sends(`<enable xmlns="${SM}" resume="true"/>`);
    const enabled = await this.receives(`<enabled xmlns="${SM}" id="*" resume="true" max="*"/>`);
    return String(enabled.attrs.id);
  }

  /** Asks what the server has handled. @returns its `h` */
  async handled(): Promise<number> {
    await this.sends(`<r xmlns="${SM}"/>`);
    return Number((await this.receives(`<a xmlns="${SM}" h="*"/>`)).attrs.h);
  }

  /** Says how many stanzas it has had since stream management was turned on. */
  acknowledges(h: number): Promise<void> {
    return this.sends(`<a xmlns="${SM}" h="${h}"/>`);
  }

  /** Wants an earlier stream back, on this one. @returns what the server had handled of it */
  async resumes(previd: string, h: number): Promise<number> {
    await this.sends(`<resume xmlns="${SM}" previd="${previd}" h="${h}"/>`);
    return Number((await this.receives(`<resumed xmlns="${SM}" previd="${previd}" h="*"/>`)).attrs.h);
  }

  async #authenticate(mechanism: "PLAIN" | ScramMechanism, password: string): Promise<void> {
    const auth = (text: string) =>
      this.sends(`<auth xmlns="${SASL}" mechanism="${mechanism}">${Buffer.from(text).toString("base64")}</auth>`);
    if (mechanism === "PLAIN") {
      await auth(`\0${this.name}\0${password}`);
      await this.receives(`<success xmlns="${SASL}"/>`);
      return;
    }
    const scram = scramClient(mechanism, this.name, password);
    const decoded = (el: Element) => Buffer.from(el.getText(), "base64").toString();
    await auth(scram.first);
    const challenge = decoded(await this.receives(`<challenge xmlns="${SASL}">*</challenge>`));
    const final = Buffer.from(scram.final(challenge)).toString("base64");
    await this.sends(`<response xmlns="${SASL}">${final}</response>`);
    scram.verify(decoded(await this.receives(`<success xmlns="${SASL}">*</success>`)));
  }

  /** The stream ends with this error, and then as RFC 7395 §3.6 says. @returns the error */
  async fails(condition: string): Promise<Element> {
    const error = await this.receives(
      `<error xmlns="http://etherx.jabber.org/streams"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></error>`,
      { extra: true },
    );
    await this.receives(`<close xmlns="${FRAMING}"/>`);
    const { code } = await this.ended;
    if (code !== 1000) throw failure(`${this.name}'s connection ended with ${code}`, this.fails);
    return error;
  }

  /** Ends the stream as RFC 7395 §3.6 says. */
  async closes(): Promise<Ended> {
    await this.sends(`<close xmlns="${FRAMING}"/>`);
    await this.receives(`<close xmlns="${FRAMING}"/>`, { extra: true });
    this.socket.close(1000);
    return this.ended;
  }

  /** Loses the connection without a word, as a network does. */
  cut(): void {
    this.socket.terminate();
  }
}

/** An error whose trace begins at the test's own line. */
function failure(message: string, from: (...args: never[]) => unknown): Error {
  const error = new Error(message);
  Error.captureStackTrace(error, from);
  return error;
}

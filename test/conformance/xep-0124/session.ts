/** A client over HTTP, request by request. */
import { expect } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { read as strictly } from "../../../src/xml/reader.ts";
import type { World } from "../../support/world.ts";

const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const HTTPBIND = "http://jabber.org/protocol/httpbind";

/** The reader lets no framing of streams stand inside anything, as here it may. */
export const read = (xml: string) =>
  strictly(xml.replaceAll("http://etherx.jabber.org/streams", "urn:example:streams"));

/** `type condition` of a response that ends a session. */
export const condition = ({ attrs }: Element) => `${attrs.type} ${attrs.condition}`;
/** The ids of a response's payloads. */
export const ids = (body: Element) => body.getChildElements().map(({ attrs }) => attrs.id);

/** Sends a request as it is, once every object is forgotten if that is what the run is for. */
export async function post(world: World, xml: string, headers: Record<string, string> = {}): Promise<Response> {
  return (await begin(world, xml, headers)).response;
}

/** The same, when others are to be sent while it is open. */
export async function begin(
  world: World,
  xml: string,
  headers: Record<string, string> = {},
): Promise<{ response: Promise<Response> }> {
  if (world.evicting) await world.evict();
  return { response: fetch(`${world.http}/http-bind`, { method: "POST", body: xml, headers }) };
}

export const ping = (world: World, id: string) =>
  `<iq xmlns="jabber:client" type="get" id="${id}" to="${world.domain}"><ping xmlns="urn:xmpp:ping"/></iq>`;
export const AVAILABLE = '<presence xmlns="jabber:client"/>';

/** One session, whose requests are numbered as they are made. */
export class Session {
  readonly world: World;
  rid = 1_000_000 + Math.floor(Math.random() * 1e9);
  sid = "";
  created!: Element;

  private constructor(world: World) {
    this.world = world;
  }

  /** `attrs` replace those that a modern client sends, by name; an empty value leaves one out. */
  static async create(world: World, attrs: Record<string, string> = {}): Promise<Session> {
    const session = new Session(world);
    if (attrs.rid) session.rid = Number(attrs.rid);
    const all = {
      rid: session.rid,
      to: world.domain,
      ver: "1.6",
      wait: "20",
      hold: "1",
      "xmpp:version": "1.0",
      ...attrs,
    };
    const text = Object.entries(all).map(([name, value]) => (value === "" ? "" : ` ${name}="${value}"`));
    const xml = `<body xmlns="${HTTPBIND}" xmlns:xmpp="urn:xmpp:xbosh"${text.join("")}/>`;
    session.created = read(await (await post(world, xml)).text());
    session.sid = session.created.attrs.sid ?? "";
    return session;
  }

  /** A bound session of an account. */
  static async login(
    world: World,
    name: string,
    resource: string,
    attrs: Record<string, string> = {},
  ): Promise<Session> {
    const session = await Session.create(world, attrs);
    const plain = Buffer.from(`\0${name}\0${name}'s secret`).toString("base64");
    const sasl = `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`;
    expect((await session.sends(sasl)).getChildElements()[0]?.name).toBe("success");
    const features = await session.sends("", `xmpp:restart="true" to="${world.domain}"`);
    expect(features.getChildElements()[0]?.getChild("bind", BIND)).toBeDefined();
    const bind = `<bind xmlns="${BIND}"><resource>${resource}</resource></bind>`;
    const bound = await session.sends(`<iq xmlns="jabber:client" type="set" id="b">${bind}</iq>`);
    expect(bound.getChildElements()[0]?.attrs.type).toBe("result");
    return session;
  }

  write(inner: string, attrs = "", rid = ++this.rid): string {
    return `<body xmlns="${HTTPBIND}" xmlns:xmpp="urn:xmpp:xbosh" rid="${rid}" sid="${this.sid}" ${attrs}>${inner}</body>`;
  }

  /** Sends a request, or one that was written before, and has its response. */
  async sends(inner: string, attrs = ""): Promise<Element> {
    return this.sendsRaw(this.write(inner, attrs));
  }

  async sendsRaw(xml: string): Promise<Element> {
    return read(await (await post(this.world, xml)).text());
  }

  /** Sends a request whose response comes when it comes. */
  async holds(inner = "", attrs = ""): Promise<{ response: Promise<Element> }> {
    const { response } = await begin(this.world, this.write(inner, attrs));
    const answer = response.then(async (answer) => read(await answer.text()));
    // A test may end before it is answered.
    answer.catch(() => {});
    return { response: answer };
  }

  /** Breaks off: a request that cannot be one of its own ends a session at once (§14.2). */
  async dies(): Promise<void> {
    expect(condition(await this.sendsRaw(this.write("", "", this.rid + 10)))).toBe("terminate item-not-found");
  }
}

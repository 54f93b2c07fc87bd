/** XEP-0124, XEP-0206: sessions over HTTP, request by request. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { read as strictly } from "../../../src/xml/reader.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.user("romeo");
});
afterAll(() => world.dispose());

const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
/** The reader lets no framing of streams stand inside anything, as here it may. */
const read = (xml: string) => strictly(xml.replaceAll("http://etherx.jabber.org/streams", "urn:example:streams"));
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

async function post(xml: string, headers: Record<string, string> = {}): Promise<Response> {
  if (world.evicting) await world.evict();
  return fetch(`${world.http}/http-bind`, { method: "POST", body: xml, headers });
}
const text = async (xml: string) => (await post(xml)).text();

/** One session, whose requests are numbered as they are made. */
class Session {
  rid = 1_000_000 + Math.floor(Math.random() * 1e9);
  sid = "";
  created!: Element;

  static async create(attrs = "", wait = 20): Promise<Session> {
    const session = new Session();
    session.created = read(
      await text(
        `<body xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" rid="${session.rid}" to="${world.domain}"
          ver="1.6" wait="${wait}" hold="1" xmpp:version="1.0" ${attrs}/>`,
      ),
    );
    session.sid = session.created.attrs.sid ?? "";
    return session;
  }

  write(inner: string, attrs = "", rid = ++this.rid): string {
    return `<body xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" rid="${rid}" sid="${this.sid}" ${attrs}>${inner}</body>`;
  }

  async sends(inner: string, attrs = ""): Promise<Element> {
    return read(await text(this.write(inner, attrs)));
  }

  async login(resource: string): Promise<this> {
    const plain = Buffer.from("\0romeo\0romeo's secret").toString("base64");
    const answer = await this.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`);
    expect(answer.getChildElements()[0]?.name).toBe("success");
    const features = await this.sends("", `xmpp:restart="true" to="${world.domain}"`);
    expect(features.getChildElements()[0]?.getChild("bind", BIND)).toBeDefined();
    const bound = await this.sends(
      `<iq xmlns="jabber:client" type="set" id="b"><bind xmlns="${BIND}"><resource>${resource}</resource></bind></iq>`,
    );
    expect(bound.getChildElements()[0]?.attrs.type).toBe("result");
    return this;
  }
}

const ping = (id: string) =>
  `<iq xmlns="jabber:client" type="get" id="${id}" to="${world.domain}"><ping xmlns="urn:xmpp:ping"/></iq>`;
const note = (id: string) =>
  `<message xmlns="jabber:client" id="${id}" to="romeo@${world.domain}" type="chat"><body>${id}</body></message>`;
const condition = (body: Element) => `${body.attrs.type} ${body.attrs.condition}`;

spec("XEP-0124", "7.2", "the response MUST possess sid, wait and requests", async () => {
  const { created } = await Session.create('ack="1"');
  expect(created.attrs).toMatchObject({ wait: "20", hold: "1", requests: "2", ver: "1.6", from: world.domain });
  expect(Number(created.attrs.ack)).toBeGreaterThan(0);
  expect(created.getChildElements()[0]?.name).toBe("features");
});

spec("XEP-0206", "3", "a stream is restarted, bound and used", async () => {
  const session = await (await Session.create()).login("a");
  const answer = await session.sends(ping("p1"));
  expect(answer.getChildElements()[0]?.attrs).toMatchObject({ id: "p1", type: "result" });
});

spec("XEP-0124", "14.2", "a repeated request gets a copy of the response, byte for byte", async () => {
  const session = await (await Session.create()).login("b");
  const request = session.write(ping("p1"));
  const first = await text(request);
  expect(await text(request)).toBe(first);
  expect(await text(request)).toBe(first);
  expect(condition(read(await text(session.write(ping("p2"), "", session.rid))))).toBe("terminate item-not-found");
});

spec("XEP-0124", "14.2", "what a repeated request brought is processed once", async () => {
  const session = await (await Session.create()).login("c");
  await session.sends('<presence xmlns="jabber:client"/>');
  const request = session.write(note("only once"));
  const first = await text(request);
  expect(first).toContain("only once");
  expect(await text(request)).toBe(first);
  const rest = await session.sends(ping("after"));
  expect(rest.getChildElements().map((child) => child.attrs.id)).toEqual(["after"]);
});

spec("XEP-0124", "14.3", "a rid too high and a sid unknown get the same error", async () => {
  const session = await Session.create();
  expect(condition(read(await text(session.write("", "", session.rid + 10))))).toBe("terminate item-not-found");
  const stranger = await Session.create();
  stranger.sid = stranger.sid.replace(/.$/, "7").replace(/..$/, "22");
  expect(condition(await stranger.sends(""))).toBe("terminate item-not-found");
});

spec("XEP-0124", "14.1", "requests out of order are processed in order", async () => {
  const session = await (await Session.create()).login("d");
  const [first, second] = [session.write(ping("1")), session.write(ping("2"))];
  const late = post(second);
  const early = await text(first);
  const both = early + (await (await late).text());
  expect(both.indexOf('id="1"')).toBeLessThan(both.indexOf('id="2"'));
  expect(both).toContain('id="2"');
});

// A request that is held keeps the runtime from forgetting its gate by force.
spec.warm(
  "XEP-0124",
  "8",
  "an empty request is held until there is something to say, or the wait is over",
  async () => {
    const session = await (await Session.create()).login("e");
    await session.sends('<presence xmlns="jabber:client"/>');
    const held = post(session.write(""));
    const sender = await world.login("romeo", { resource: "elsewhere" });
    await sender.sends(`<message to="romeo@${world.domain}/e" type="chat"><body>at last</body></message>`);
    expect(await (await held).text()).toContain("at last");
    const brief = await (await Session.create("", 2)).login("g");
    const start = Date.now();
    const empty = read(await text(brief.write("")));
    expect(empty.children).toEqual([]);
    expect(Date.now() - start).toBeGreaterThan(1500);
  },
);

spec.warm("XEP-0124", "10", "a pause is answered at once", async () => {
  const session = await (await Session.create()).login("f");
  const held = post(session.write(""));
  const paused = await session.sends("", 'pause="60"');
  expect(paused.attrs.type).toBeUndefined();
  expect(read(await (await held).text()).children).toEqual([]);
  expect(condition(await session.sends("", 'pause="9999"'))).toBe("terminate policy-violation");
});

spec("XEP-0124", "13", "a terminated session is over", async () => {
  const session = await (await Session.create()).login("g");
  const last = await session.sends('<presence xmlns="jabber:client" type="unavailable"/>', 'type="terminate"');
  expect(last.attrs.type).toBe("terminate");
  expect((await session.sends(ping("late"))).attrs.type).toBe("terminate");
});

spec("XEP-0124", "15", "a key that does not fit ends the session", async () => {
  const keys = ["seed"];
  for (let i = 0; i < 3; i++) keys.push(sha1(keys.at(-1) as string));
  const session = await Session.create(`newkey="${keys[3]}"`);
  const started = post(session.write("", `key="${keys[2]}"`));
  expect(condition(await session.sends("", 'key="wrong"'))).toBe("terminate item-not-found");
  await (await started).text();
});

spec(
  "XEP-0124",
  "17",
  "stream errors, unknown hosts and bad wrappers end the session with their condition",
  async () => {
    const broken = await Session.create();
    const answer = await broken.sends('<presence xmlns="jabber:client"/>');
    expect(condition(answer)).toBe("terminate remote-stream-error");
    expect(answer.getChildElements()[0]?.getChildElements()[0]?.name).toBe("not-authorized");
    const body = '<body xmlns="http://jabber.org/protocol/httpbind" rid="5"';
    expect(
      condition(read(await text(`${body} to="nowhere.example" xmlns:xmpp="urn:xmpp:xbosh" xmpp:version="1.0"/>`))),
    ).toBe("terminate host-unknown");
    expect(condition(read(await text(`${body}/>`)))).toBe("terminate improper-addressing");
    expect(condition(read(await text(`${body} to="x"><!-- no --></body>`)))).toBe("terminate bad-request");
  },
);

spec("XEP-0124", "19", "strange pages may not, and 300 KB are too much", async () => {
  expect((await post("<body/>", { origin: "https://evil.example" })).status).toBe(403);
  expect((await post("x".repeat(300_000))).status).toBe(413);
  const allowed = await post("<body/>", { origin: "http://localhost:1" });
  expect(allowed.headers.get("access-control-allow-origin")).toBe("http://localhost:1");
  expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
});

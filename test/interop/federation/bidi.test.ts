/** XEP-0288: Bidirectional Server-to-Server Connections, v1.0.1 — https://xmpp.org/extensions/xep-0288.html: with Debian's Prosody, and with a server that the test plays. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { NameServer } from "../../support/name-server.ts";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { prosody } from "./prosody.ts";
import { external, header, Raw, STARTTLS } from "./raw.ts";
import type { Remote } from "./remote.ts";

const { start, purpose } = prosody();

const HERE = "enjamb.test";
const PASSWORD = "wherefore";
const BIDI = '<bidi xmlns="urn:xmpp:bidi"/>';
const FEATURE = '<bidi xmlns="urn:xmpp:features:bidi"/>';

/** Connections with other servers: those that they have opened, and those that we have for our stanzas. */
async function connections(bridge: RunningBridge): Promise<{ in: number; out: number }> {
  const text = await (await fetch(`http://127.0.0.1:${bridge.ports.health}/metrics`)).text();
  const count = (direction: string) =>
    Number(
      new RegExp(`^enjamb_bridge_streams\\{kind="server",direction="${direction}"\\} (\\d+)$`, "m").exec(text)?.[1],
    );
  return { in: count("in"), out: count("out") };
}

describe.each([
  ["SASL EXTERNAL", true],
  ["dialback", false],
])("Prosody, found by DNS and by direct TLS, by %s", (_, certified) => {
  const THERE = "prosody.test";
  const folder = mkdtempSync(join(tmpdir(), "enjamb-bidi-"));
  const authority = new Authority(folder);
  const at = `127.${20 + (process.pid % 200)}.${70 + Number(certified)}`;
  const [ours, theirs] = [`${at}.1`, `${at}.2`];
  const issue = (who: string, hosts: string[]) =>
    certified ? authority.issue(who, hosts, { purpose }) : authority.selfSigned(who, hosts);
  const identity = issue("here", [HERE, `rooms.${HERE}`]);
  const remoteIdentity = issue("there", [THERE]);
  let dns: NameServer;
  let server: Server;
  let bridge: RunningBridge;
  let remote: Remote;
  let romeo: Agent;
  let paul: Agent;

  const login = async (jid: string, host: string) => {
    const agent = new Agent(jid, PASSWORD, host, 5222, join(folder, "all.pem"));
    await agent.sees({ event: "ready" });
    return agent;
  };

  beforeEach(async () => {
    const trusted = [authority.file, identity.cert, remoteIdentity.cert];
    writeFileSync(join(folder, "all.pem"), trusted.map((file) => readFileSync(file, "utf8")).join("\n"));
    dns = await NameServer.start();
    // Nothing but TLS from the first byte (XEP-0368).
    dns.service(`_xmpps-server._tcp.${THERE}`, { target: `xmpp.${THERE}`, port: 5270 });
    dns.address4(`xmpp.${THERE}`, theirs);
    server = await startServer({ settings: { XMPP_DOMAIN: HERE, BRIDGE_TOKEN } }, "ours");
    await server.addUser("romeo", PASSWORD);
    bridge = await startBridge(server, identity, {
      BRIDGE_HOST: ours,
      C2S_PORT: "5222",
      S2S_PORT: "5269",
      HEALTH_PORT: "0",
      S2S_CA: authority.file,
      S2S_CERTIFICATES: certified ? "required" : "optional",
      S2S_DNS: dns.address,
    });
    remote = await start({
      domain: THERE,
      address: theirs,
      identity: remoteIdentity,
      authority: authority.file,
      secure: certified,
      bidi: true,
      hosts: { [HERE]: ours, [`rooms.${HERE}`]: ours },
      accounts: { paul: PASSWORD },
    });
    romeo = await login(`romeo@${HERE}`, ours);
    paul = await login(`paul@${THERE}`, theirs);
  });
  afterEach(async () => {
    romeo?.stop();
    paul?.stop();
    await bridge?.stop();
    await remote?.stop();
    await server?.stop();
    dns?.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function talk(first: Agent, second: Agent): Promise<void> {
    for (const body of ["one", "two", "three"]) {
      first.do("message", { to: second.bare, body: `${body}, from ${first.bare}` });
      await second.sees({ event: "message", body: `${body}, from ${first.bare}` });
      second.do("message", { to: first.bare, body: `${body}, from ${second.bare}` });
      await first.sees({ event: "message", body: `${body}, from ${second.bare}` });
    }
  }

  test("what it has opened is answered on, and what is lost with it goes out again", async () => {
    await talk(paul, romeo);
    expect((await connections(bridge)).out).toBe(0);
    paul.stop();
    await remote.kill9();
    romeo.do("message", { to: `paul@${THERE}`, body: "are you there?" });
    await remote.start();
    paul = await login(`paul@${THERE}`, theirs);
    await paul.sees({ event: "message", body: "are you there?" });
  });

  test("what we have opened brings its answers; another of our hosts has a stream of its own", async () => {
    await talk(romeo, paul);
    expect((await connections(bridge)).out).toBe(1);
    // To verify a key it has to come to us.
    if (certified) expect((await connections(bridge)).in).toBe(0);
    const room = `lobby@rooms.${HERE}`;
    romeo.do("join", { room, nick: "romeo" });
    await romeo.sees({ event: "presence", sender: `${room}/romeo` });
    paul.do("join", { room, nick: "paul" });
    await paul.sees({ event: "presence", sender: `${room}/paul` });
    paul.do("message", { to: room, body: "it is the east", type: "groupchat" });
    await romeo.sees({ event: "message", type: "groupchat", body: "it is the east", sender: `${room}/paul` });
  });
});

describe("a server that the test plays", () => {
  const THERE = "verona.test";
  const authority = new Authority(mkdtempSync(join(tmpdir(), "enjamb-bidi-raw-")));
  const good = authority.issue("there", [THERE]);
  const itself = authority.selfSigned("itself", [THERE]);
  let there: Awaited<ReturnType<typeof Raw.listen>>;
  let server: Server;
  let bridge: RunningBridge;
  let romeo: Agent;
  let raws: Raw[];

  beforeEach(async () => {
    raws = [];
    there = await Raw.listen();
    server = await startServer({ settings: { XMPP_DOMAIN: HERE, BRIDGE_TOKEN } }, "ours");
    await server.addUser("romeo", PASSWORD);
    bridge = await startBridge(server, authority.issue("here", [HERE, `rooms.${HERE}`]), {
      S2S_CA: authority.file,
      S2S_OVERRIDES: JSON.stringify(
        Object.fromEntries([THERE, `rooms.${THERE}`].map((name) => [name, `127.0.0.1:${there.port}`])),
      ),
    });
    romeo = new Agent(`romeo@${HERE}`, PASSWORD, "127.0.0.1", bridge.ports.c2s, authority.file);
    await romeo.sees({ event: "ready" });
  });
  afterEach(async () => {
    romeo?.stop();
    for (const raw of raws) raw.close();
    there?.close();
    await bridge?.stop();
    await server?.stop();
  });

  const message = (from: string, body: string) =>
    `<message from="${from}" to="romeo@${HERE}" type="chat"><body>${body}</body></message>`;
  const says = (body: string) => romeo.do("message", { to: `paul@${THERE}`, body });

  async function connect(): Promise<Raw> {
    const raw = await Raw.connect(bridge.ports.s2s);
    raws.push(raw);
    return raw;
  }

  /** The next connection of ours, up to our header after TLS. */
  async function reached(identity = itself): Promise<Raw> {
    const raw = await there.accept();
    raws.push(raw);
    await raw.accepts(THERE, HERE, identity);
    return raw;
  }

  /** Says which of these it has. */
  const offers = (raw: Raw, ...features: string[]) =>
    raw.say(`${header(THERE, HERE)}<stream:features>${features.join("")}</stream:features>`);
  const DIALBACK = '<dialback xmlns="urn:xmpp:features:dialback"/>';
  const EXTERNAL = '<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>EXTERNAL</mechanism></mechanisms>';

  /** Something is said to it, and it says that it believes who we are. */
  async function called(...features: string[]): Promise<Raw> {
    says("hello");
    const raw = await reached();
    offers(raw, DIALBACK, FEATURE, ...features);
    expect(await raw.hears(/<\/db:result>/)).toContain(BIDI);
    raw.say(`<db:result from="${THERE}" to="${HERE}" type="valid"/>`);
    return raw;
  }

  test("§2.1: it is offered once there is TLS, and until authentication", async () => {
    const raw = await connect();
    raw.say(header(THERE, HERE));
    expect(await raw.hears(/<\/stream:features>/)).not.toContain(FEATURE);
    await raw.handshake(STARTTLS, good);
    raw.say(header(THERE, HERE));
    expect(await raw.hears(/<\/stream:features>/)).toContain(FEATURE);
    raw.say(BIDI + external(THERE));
    await raw.hears(/<success/);
    raw.say(header(THERE, HERE));
    expect(await raw.hears(/<\/stream:features>/)).not.toContain(FEATURE);
    raw.say(BIDI);
    await raw.hears(/<policy-violation/);
  });

  test("§2.2: nothing is said to it before it has proved who it is", async () => {
    const raw = await connect();
    await raw.secure(THERE, HERE, good);
    raw.say(BIDI);
    const other = reached(good);
    says("secret");
    offers(await other, EXTERNAL);
    await (await other).hears(/<auth/);
    expect(raw.text).toBe("");
  });

  test("§2.2: by its certificate it is written to for the host that it has called, and as no other", async () => {
    const raw = await connect();
    await raw.authenticates(THERE, HERE, good, BIDI);
    says("hello");
    await raw.hears(/<message [^>]*to="paul@verona\.test"[^>]*>.*hello.*<\/message>/);
    // A room is at another host: who answers for it comes by a stream of its own.
    raw.say(
      `<presence from="paul@${THERE}/a" to="lobby@rooms.${HERE}/paul"><x xmlns="http://jabber.org/protocol/muc"/></presence>`,
    );
    expect((await there.accept()).text).not.toContain("<presence");
  });

  test("§2.2: what it has not read when its stream ends goes out by a stream of ours", async () => {
    const raw = await connect();
    await raw.authenticates(THERE, HERE, good, BIDI);
    says("hello");
    await raw.hears(/hello/);
    raw.close();
    const own = await reached(good);
    offers(own, EXTERNAL);
    await own.hears(/<auth/);
    own.say('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>');
    await own.hears(/<stream:stream[^>]*>/);
    offers(own);
    await own.hears(/<body>hello<\/body>/);
    // What proves it is of the stream's own namespace.
    expect(await own.hears(/<iq [^>]*>/)).not.toContain("jabber:client");
  });

  test("§2.2: on a stream of ours it may write for the pair that was called, and is acknowledged", async () => {
    const raw = await called('<sm xmlns="urn:xmpp:sm:3"/>');
    await raw.hears(/<enable .*hello.*<\/message>/);
    raw.say('<enabled xmlns="urn:xmpp:sm:3"/>');
    raw.say(`${message(`paul@${THERE}`, "what man art thou?")}<r xmlns="urn:xmpp:sm:3"/>`);
    await romeo.sees({ event: "message", sender: `paul@${THERE}`, body: "what man art thou?" });
    await raw.hears(/<a xmlns="urn:xmpp:sm:3" h="1"\/>/);
    raw.say(message("tybalt@bank.test", "forged"));
    await raw.hears(/<stream:error[^>]*><invalid-from/);
  });

  test("§2.2: it may have others of its domains verified on it, by a stream of their own", async () => {
    const raw = await called();
    raw.say(`<db:result from="rooms.${THERE}" to="${HERE}">key</db:result>`);
    const asked = await reached();
    offers(asked, DIALBACK);
    const [, id] = /<db:verify [^>]*id="([^"]*)"[^>]*>key/.exec(await asked.hears(/<\/db:verify>/)) ?? [];
    asked.say(`<db:verify from="rooms.${THERE}" to="${HERE}" id="${id}" type="valid"/>`);
    await raw.hears(/<db:result [^>]*type="valid"/);
    raw.say(message(`lobby@rooms.${THERE}`, "come in"));
    await romeo.sees({ event: "message", sender: `lobby@rooms.${THERE}`, body: "come in" });
  });

  test("§5: that a key is good is no news where nobody has asked", async () => {
    const raw = await called();
    await raw.hears(/hello/);
    raw.say(`<db:result from="bank.test" to="${HERE}" type="valid"/>`);
    await raw.hears(/<stream:error[^>]*><not-authorized/);
  });
});

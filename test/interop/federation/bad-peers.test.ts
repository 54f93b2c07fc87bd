/** Whoever comes to the bridge's doors and behaves badly: what they are told, and that nothing of theirs arrives (security.md §1a, §1f). */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority, type Identity } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { external, header, Raw, STARTTLS } from "./raw.ts";

const HERE = "enjamb.test";
const folder = mkdtempSync(join(tmpdir(), "enjamb-bad-peers-"));
const authority = new Authority(folder);
/** For servers only, as what the public authorities issue now; good for a server that begins a stream all the same (F4). */
const good = authority.issue("evil", ["evil.test"]);
/** Those that we reach by name. */
const REMOTES = ["clear.test", "refusing.test", "liar.test", "writer.test"];
const remotes: Record<string, Awaited<ReturnType<typeof Raw.listen>>> = {};
let server: Server;
let bridge: RunningBridge;
let romeo: Agent;
let raws: Raw[] = [];

beforeAll(async () => {
  const settings = {
    XMPP_DOMAIN: HERE,
    BRIDGE_TOKEN,
    COMPONENTS: JSON.stringify({ [`echo.${HERE}`]: "component-secret-0123456789" }),
  };
  server = await startServer({ settings }, "ours");
  await server.addUser("romeo", "wherefore");
  for (const name of REMOTES) remotes[name] = await Raw.listen();
  bridge = await startBridge(server, authority.issue("here", [HERE, `rooms.${HERE}`]), {
    S2S_CA: authority.file,
    S2S_OVERRIDES: JSON.stringify({
      "nobody.test": "127.0.0.1:9",
      ...Object.fromEntries(REMOTES.map((name) => [name, `127.0.0.1:${remotes[name]?.port}`])),
    }),
  });
  romeo = new Agent(`romeo@${HERE}`, "wherefore", "127.0.0.1", bridge.ports.c2s, authority.file);
  await romeo.sees({ event: "ready" });
});
afterAll(async () => {
  romeo?.stop();
  for (const remote of Object.values(remotes)) remote.close();
  await bridge?.stop();
  await server?.stop();
});
afterEach(() => {
  for (const raw of raws) raw.close();
  raws = [];
});

async function connect(door: keyof RunningBridge["ports"]): Promise<Raw> {
  const raw = await Raw.connect(bridge.ports[door]);
  raws.push(raw);
  return raw;
}

const message = (from: string, to = `romeo@${HERE}`, body = "forged") =>
  `<message from="${from}" to="${to}" type="chat"><body>${body}</body></message>`;
const ours = (body = "forged") => message(`juliet@${HERE}`, `romeo@${HERE}`, body);
const bytes = (...values: number[]) => new Uint8Array(values);
const DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>';
const LARGE = "x".repeat(20_000);

/** What is said at some point of a stream, and the stream error that it ends with. */
type Row = [what: string, said: string | Uint8Array, condition: string];

/** XML that nobody may send, whoever they are. */
const XML: Row[] = [
  ["a DTD", DOCTYPE, "restricted-xml"],
  ["a comment", "<!-- forged -->", "restricted-xml"],
  ["a processing instruction", "<?forged?>", "restricted-xml"],
  ["an entity of its own", "<message><body>&forged;</body></message>", "not-well-formed"],
  ["tags that do not match", "<message><body></message>", "not-well-formed"],
  ["a prefix that stands for nothing", "<a:message/>", "not-well-formed"],
  ["an attribute twice", '<message to="a" to="b"/>', "not-well-formed"],
  ["text that is not UTF-8", bytes(0x3c, 0x61, 0x3e, 0xc0, 0x80), "unsupported-encoding"],
];

async function isCutOff(raw: Raw, condition: string): Promise<void> {
  await raw.hears(new RegExp(`<stream:error[^>]*><${condition} `));
  await raw.hears(/<\/stream:stream>/);
  await raw.ends();
}

describe("a server, in the clear", () => {
  test.each<Row>([
    ...XML,
    ["a stanza", message("a@evil.test"), "policy-violation"],
    ["to authenticate", external("evil.test"), "policy-violation"],
    ["a dialback key", `<db:result from="evil.test" to="${HERE}">key</db:result>`, "policy-violation"],
    ["compression", '<compress xmlns="http://jabber.org/protocol/compress"/>', "policy-violation"],
    ["20 KB", message("a@evil.test", undefined, LARGE), "policy-violation"],
  ])("says %s", async (_, said, condition) => {
    const raw = await connect("s2s");
    raw.say(header("evil.test", HERE));
    expect(await raw.hears(/<stream:features>.*<\/stream:features>/)).toContain("<required/>");
    raw.say(said);
    await isCutOff(raw, condition);
  });

  test.each<Row>([
    ["to a host that is not here", header("evil.test", "elsewhere.test"), "host-unknown"],
    ["to the guests", header("evil.test", `guest.${HERE}`), "host-unknown"],
    ["as a client", header("evil.test", HERE, "jabber:client"), "invalid-namespace"],
    ["from before stream features", header("evil.test", HERE).replace(" version='1.0'>", ">"), "unsupported-version"],
    ["with a DTD", header("evil.test", HERE).replace("?>", `?>${DOCTYPE}`), "restricted-xml"],
    ["in UTF-16", bytes(0xff, 0xfe, 0x3c, 0x00), "unsupported-encoding"],
    ["by HTTP", `GET / HTTP/1.1\r\nHost: ${HERE}\r\n\r\n`, "not-well-formed"],
  ])("begins a stream %s", async (_, said, condition) => {
    const raw = await connect("s2s");
    raw.say(said);
    await isCutOff(raw, condition);
  });

  test("puts a stanza behind its request for TLS, which is forgotten (CVE-2014-8760)", async () => {
    const raw = await connect("s2s");
    raw.say(header("evil.test", HERE));
    await raw.hears(/<\/stream:features>/);
    await raw.handshake(`${STARTTLS}${message("a@evil.test")}`, good);
    raw.say(header("evil.test", HERE));
    expect(await raw.hears(/<\/stream:features>/)).not.toContain("stream:error");
  });
});

describe("a server that has proved nothing", () => {
  test.each<Row>([
    ...XML,
    ["a stanza", message("a@evil.test"), "not-authorized"],
    ["a stanza from here", ours(), "not-authorized"],
    // F1, CVE-2012-3525: answers come where somebody has asked.
    ["that it is another", `<db:result from="bank.test" to="${HERE}" type="valid"/>`, "not-authorized"],
    ["that a key is good", `<db:verify from="bank.test" to="${HERE}" id="x" type="valid"/>`, "not-authorized"],
    ["a key as one of us", `<db:result from="rooms.${HERE}" to="${HERE}">key</db:result>`, "invalid-from"],
    ["a key to nobody", '<db:result from="evil.test">key</db:result>', "improper-addressing"],
    ["compression", '<compress xmlns="http://jabber.org/protocol/compress"/>', "unsupported-stanza-type"],
    ["20 KB", message("a@evil.test", undefined, LARGE), "policy-violation"],
    ["20 KB, and no end", `<message><body>${LARGE}`, "policy-violation"],
    ["a hundred elements", `<message>${"<body/>".repeat(100)}</message>`, "policy-violation"],
  ])("says %s", async (_, said, condition) => {
    const raw = await connect("s2s");
    await raw.secure("evil.test", HERE);
    raw.say(said);
    await isCutOff(raw, condition);
  });

  test("invents dialback keys, and is told that they are not valid", async () => {
    const raw = await connect("s2s");
    await raw.secure("evil.test", HERE);
    raw.say('<db:result from="evil.test" to="else.test">key</db:result>');
    expect(await raw.hears(/<\/db:result>/)).toMatch(/type="error".*<item-not-found /);
    raw.say(`<db:verify from="evil.test" to="${HERE}" id="x">${"0".repeat(64)}</db:verify>`);
    expect(await raw.hears(/<db:verify[^>]*>/)).toContain('type="invalid"');
    raw.say(`<db:result from="nobody.test" to="${HERE}">key</db:result>`);
    expect(await raw.hears(/<db:result[^>]*>/)).toContain('type="error"');
    raw.say(message("a@nobody.test"));
    await isCutOff(raw, "not-authorized");
  });

  test.each<[what: string, identity: Identity | undefined, from: string]>([
    ["has none", undefined, "evil.test"],
    ["made it itself", authority.selfSigned("foreign", ["evil.test"]), "evil.test"],
    ["has an old one", authority.issue("old", ["evil.test"], { days: -1 }), "evil.test"],
    ["is another", good, "bank.test"],
    ["is above that domain", good, "sub.evil.test"],
    ["has a name that ends alike (F7)", good, "notevil.test"],
    ["is beside that domain", authority.issue("wild", ["*.evil.test"]), "a.b.evil.test"],
    ["has but a common name (F3)", authority.issue("common", [], { commonName: "evil.test" }), "evil.test"],
    ["is us", authority.issue("stolen", [HERE]), HERE],
  ])("by a certificate that is not good: it %s", async (_, identity, from) => {
    const raw = await connect("s2s");
    expect(await raw.secure(from, HERE, identity)).not.toContain("EXTERNAL");
    raw.say(external(from));
    await raw.hears(/<failure [^>]*><not-authorized/);
    raw.say(message(`a@${from}`));
    await isCutOff(raw, "not-authorized");
  });
});

async function verified(): Promise<Raw> {
  const raw = await connect("s2s");
  await raw.authenticates("evil.test", HERE, good);
  return raw;
}

describe("a server with a good certificate", () => {
  test("is not another one that it says to be", async () => {
    const raw = await connect("s2s");
    await raw.secure("evil.test", HERE, good);
    raw.say(external("bank.test"));
    await raw.hears(/<failure [^>]*><invalid-authzid/);
    raw.say(message("a@bank.test"));
    await isCutOff(raw, "not-authorized");
  });

  test.each<Row>([
    ...XML,
    ["what one of us would", ours(), "invalid-from"],
    ["what another server would", message("a@bank.test"), "invalid-from"],
    ["what a domain below it would", message("a@sub.evil.test"), "invalid-from"],
    ["something from nobody", `<message to="romeo@${HERE}"><body>forged</body></message>`, "improper-addressing"],
    ["something to nobody", '<message from="a@evil.test"><body>forged</body></message>', "improper-addressing"],
    ["something to what is no address", message("a@evil.test", `ro meo@@${HERE}`), "improper-addressing"],
    ["something to another host", message("a@evil.test", "romeo@else.test"), "host-unknown"],
    ["something to a guest", message("a@evil.test", `romeo@guest.${HERE}`), "host-unknown"],
    ["no stanza", '<forged xmlns="urn:x"/>', "unsupported-stanza-type"],
    ["600 KB", message("a@evil.test", undefined, "x".repeat(600_000)), "policy-violation"],
    ["a hundred elements in one another", `<message>${"<a>".repeat(100)}`, "policy-violation"],
  ])("says %s", async (_, said, condition) => {
    const raw = await verified();
    raw.say(said);
    await isCutOff(raw, condition);
  });
});

describe("a client, in the clear", () => {
  test.each<Row>([
    ...XML,
    ["a stanza", ours(), "policy-violation"],
    [
      "its password",
      '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">AGEAYg==</auth>',
      "policy-violation",
    ],
    ["20 KB", ours(LARGE), "policy-violation"],
  ])("says %s", async (_, said, condition) => {
    const raw = await connect("c2s");
    raw.say(header("", HERE, "jabber:client"));
    expect(await raw.hears(/<stream:features>.*<\/stream:features>/)).toContain("<required/>");
    raw.say(said);
    await isCutOff(raw, condition);
  });
});

describe("a client that nobody knows", () => {
  test.each<Row>([
    ...XML,
    ["a stanza", ours(), "not-authorized"],
    ["20 KB", ours(LARGE), "policy-violation"],
    ["20 KB, and no end", `<message><body>${LARGE}`, "policy-violation"],
    ["a dialback answer", `<db:result from="bank.test" to="${HERE}" type="valid"/>`, "not-authorized"],
  ])("says %s", async (_, said, condition) => {
    const raw = await connect("c2s");
    await raw.secure("", HERE, undefined, "jabber:client");
    raw.say(said);
    await isCutOff(raw, condition);
  });

  test.each<Row>([
    ["to a host that is not here", header("", "elsewhere.test", "jabber:client"), "host-unknown"],
    ["as a server", header("", HERE), "invalid-namespace"],
  ])("begins a stream %s", async (_, said, condition) => {
    const raw = await Raw.connect(bridge.ports.c2sTls, "xmpp-client");
    raws.push(raw);
    raw.say(said);
    await isCutOff(raw, condition);
  });
});

describe("a component that has shown no secret", () => {
  test.each<Row>([
    ...XML,
    ["a stanza", message(`a@echo.${HERE}`), "not-authorized"],
    ["a guess", `<handshake>${"0".repeat(40)}</handshake>`, "not-authorized"],
    ["20 KB", `<handshake>${LARGE}</handshake>`, "policy-violation"],
  ])("says %s", async (_, said, condition) => {
    const raw = await connect("component");
    raw.say(header("", `echo.${HERE}`, "jabber:component:accept"));
    await raw.hears(/<stream:stream[^>]*>/);
    raw.say(said);
    await isCutOff(raw, condition);
  });
});

describe("a server that is written to", () => {
  const speaks = (to: string) => romeo.do("message", { to: `somebody@${to}`, body: "secret" });

  async function reached(domain: string): Promise<Raw> {
    const accepted = remotes[domain]?.accept();
    speaks(domain);
    const raw = (await accepted) as Raw;
    raws.push(raw);
    return raw;
  }

  /** It says that it knows us, and what comes then. */
  async function believed(domain: string, identity: Identity): Promise<Raw> {
    const raw = await reached(domain);
    await raw.accepts(domain, HERE, identity);
    raw.say(`${header(domain, HERE)}<stream:features><dialback xmlns="urn:xmpp:features:dialback"/></stream:features>`);
    await raw.hears(/<db:result [^>]*>[^<]+<\/db:result>/);
    return raw;
  }

  test("and does no TLS hears nothing", async () => {
    const raw = await reached("clear.test");
    await raw.hears(/<stream:stream[^>]*>/);
    raw.say(`${header("clear.test", HERE)}<stream:features/>`);
    expect(await raw.hears(/<\/stream:stream>/)).not.toContain("secret");
    await raw.ends();
  });

  test("and refuses TLS hears nothing", async () => {
    const raw = await reached("refusing.test");
    await raw.hears(/<stream:stream[^>]*>/);
    raw.say(`${header("refusing.test", HERE)}<stream:features>${STARTTLS}</stream:features>`);
    await raw.hears(/<starttls[^>]*>/);
    raw.say('<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    expect(await raw.hears(/<\/stream:stream>/)).not.toContain("secret");
    await raw.ends();
  });

  test("and answers for another pair hears nothing (F1)", async () => {
    const raw = await believed("liar.test", authority.selfSigned("liar", ["liar.test"]));
    raw.say(
      `<db:result from="bank.test" to="${HERE}" type="valid"/><db:result from="liar.test" to="bank.test" type="valid"/>`,
    );
    raw.say(`<db:result from="liar.test" to="${HERE}" type="invalid"/>`);
    expect(await raw.hears(/<\/stream:stream>/)).not.toContain("secret");
    await raw.ends();
  });

  test("and writes on that stream is not heard", async () => {
    const raw = await believed("writer.test", authority.selfSigned("writer", ["writer.test"]));
    raw.say(`<db:result from="writer.test" to="${HERE}" type="valid"/>`);
    await raw.hears(/<body>secret<\/body>/);
    raw.say(message("a@writer.test") + ours());
    // It goes on with what it has to say.
    speaks("writer.test");
    await raw.hears(/<body>secret<\/body>/);
  });
});

test("where certificates are required, dialback is refused", async () => {
  const identity = authority.issue("strict", [HERE]);
  const strict = await startBridge(server, identity, { S2S_CA: authority.file, S2S_CERTIFICATES: "required" });
  try {
    const raw = await Raw.connect(strict.ports.s2s);
    raws.push(raw);
    await raw.secure("evil.test", HERE, authority.selfSigned("itself", ["evil.test"]));
    raw.say(`<db:result from="evil.test" to="${HERE}">key</db:result>`);
    expect(await raw.hears(/<\/db:result>/)).toMatch(/type="error".*<policy-violation /);
    raw.say(message("a@evil.test"));
    await isCutOff(raw, "not-authorized");
  } finally {
    await strict.stop();
  }
});

test("nothing of all that has arrived", async () => {
  const raw = await verified();
  raw.say(message("a@evil.test", undefined, "true"));
  expect(await romeo.sees({ event: "message" })).toMatchObject({ body: "true", sender: "a@evil.test" });
});

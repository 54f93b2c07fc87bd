/** Attacks that others have suffered, by their rows in the threat table: what each meets here, and that its victim sees nothing. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { World } from "../../support/world.ts";

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const CLIENT = `xmlns="jabber:client"`;
let world: World;
let juliet: Actor;
beforeAll(async () => {
  world = await World.start();
  await world.user("romeo");
  juliet = await world.login("juliet", { presence: true });
});
afterAll(() => world.dispose());

const to = `to="juliet@capulet.example"`;
const message = (inner: string, attributes = "") =>
  `<message ${CLIENT} ${to} type="chat" ${attributes}>${inner}</message>`;
const bomb = `<!DOCTYPE m [<!ENTITY a "${"a".repeat(100)}"><!ENTITY b "${"&a;".repeat(100)}">]>`;

/** Class, attack, frame, the conditions that may end the stream. */
const FRAMES: [id: string, attack: string, frame: string, ...conditions: string[]][] = [
  ["A1", "an entity bomb", bomb + message("<body>&b;</body>"), "restricted-xml"],
  ["A1", "an external entity", `<!DOCTYPE m SYSTEM "file:///etc/passwd">${message("<body/>")}`, "restricted-xml"],
  ["A1", "an entity without a doctype", message("<body>&xxe;</body>"), "not-well-formed"],
  ["A2", "a processing instruction", message("<?x y?>"), "restricted-xml"],
  ["A2", "a comment", message("<!-- -->"), "restricted-xml"],
  ["A2", "a CDATA section in an attribute", message("<body/>", `id="<![CDATA[x]]>"`), "not-well-formed"],
  [
    "A3",
    "UTF-16 by declaration",
    `<?xml version="1.0" encoding="UTF-16"?>${message("<body/>")}`,
    "unsupported-encoding",
  ],
  ["A3", "XML 1.1", `<?xml version="1.1"?>${message("<body/>")}`, "not-well-formed", "unsupported-encoding"],
  ["A3", "a NUL", message("<body>\0</body>"), "not-well-formed"],
  ["A3", "a control character by reference", message("<body>&#1;</body>"), "not-well-formed"],
  [
    "A4",
    "a stream inside of a stanza",
    message(`<stream:stream xmlns:stream="http://etherx.jabber.org/streams"/>`),
    "not-well-formed",
    "policy-violation",
  ],
  ["A4", "a frame inside of a stanza", message(`<close xmlns="${FRAMING}"/>`), "not-well-formed", "policy-violation"],
  ["A4", "a line break in a namespace", message(`<x xmlns="urn:a&#10;b"/>`), "policy-violation", "not-well-formed"],
  ["A5", "a prefix of nobody's", message("<a:b/>"), "not-well-formed"],
  ["A5", "an attribute twice", message(`<x a="1" a="2"/>`), "not-well-formed"],
  [
    "A5",
    "an attribute twice by two prefixes",
    message(`<x xmlns:a="u:a" xmlns:b="u:a" a:c="1" b:c="2"/>`),
    "not-well-formed",
  ],
  ["A5", "xmlns bound anew", message(`<x xmlns:xmlns="urn:x"/>`), "not-well-formed"],
  ["A5", "xml bound anew", message(`<x xmlns:xml="urn:x"/>`), "not-well-formed"],
  ["A5", "a prefix without a namespace", message(`<x xmlns:p=""/>`), "not-well-formed"],
  ["A6", "two stanzas in a frame", message("<body>1</body>") + message("<body>2</body>"), "not-well-formed"],
  ["A6", "text behind a stanza", `${message("<body>1</body>")}x`, "not-well-formed"],
  ["A7", "a stanza that is too large", message(`<body>${"x".repeat(262_144)}</body>`), "policy-violation"],
  ["A7", "many bytes in few characters", message(`<body>${"€".repeat(100_000)}</body>`), "policy-violation"],
  ["A8", "depth", message("<a>".repeat(70) + "</a>".repeat(70)), "policy-violation"],
  ["A8", "elements", message("<a/>".repeat(10_001)), "policy-violation"],
  [
    "A8",
    "attributes",
    message(`<x ${Array.from({ length: 65 }, (_, i) => `a${i}=""`).join(" ")}/>`),
    "policy-violation",
  ],
  [
    "A10",
    "compression",
    `<compress xmlns="http://jabber.org/protocol/compress"><method>zlib</method></compress>`,
    "unsupported-stanza-type",
  ],
  ["A13", "a name that other parsers do not know", message("<\u{10000}/>"), "policy-violation", "not-well-formed"],
  ["A13", "a name with a replacement character", message("<a\uFFFD/>"), "policy-violation", "not-well-formed"],
  ["B1", "somebody else's address", message("<body>1</body>", `from="nurse@capulet.example"`), "invalid-from"],
  ["B1", "another site's address", message("<body>1</body>", `from="romeo@montague.example"`), "invalid-from"],
  ["B1", "the server's address", message("<body>1</body>", `from="capulet.example"`), "invalid-from"],
];

describe("a frame of a client that is logged in", () => {
  test.each(FRAMES)("%s: %s", async (_id, _attack, frame, ...conditions) => {
    const romeo = await world.login("romeo");
    await romeo.sendsRaw(frame);
    const error = await romeo.next();
    expect(error.name).toBe("error");
    expect(conditions).toContain(error.getChildElements()[0]?.name);
    await romeo.receives(`<close xmlns="${FRAMING}"/>`);
    expect((await romeo.ended).code).toBe(1000);
    await juliet.receivesNothing();
  });
});

describe("a frame of somebody who is not", () => {
  const early = FRAMES.filter(([id]) => id.startsWith("A")).concat([
    ["A7", "a stanza that is too large for now", message(`<body>${"x".repeat(11_000)}</body>`), "policy-violation"],
    ["A8", "elements, too many for now", message("<a/>".repeat(40)), "policy-violation"],
  ]);
  test.each(early)("%s: %s", async (_id, _attack, frame, ...conditions) => {
    const actor = await world.connect();
    await actor.opens();
    await actor.sendsRaw(frame);
    const error = await actor.next();
    expect(error.name).toBe("error");
    expect([...conditions, "policy-violation", "not-authorized"]).toContain(error.getChildElements()[0]?.name);
    await actor.receives(`<close xmlns="${FRAMING}"/>`);
    await actor.ended;
    await juliet.receivesNothing();
  });
});

test("A11: names that mean something to JavaScript are text like others", async () => {
  const romeo = await world.login("romeo");
  await romeo.sends(
    message(`<body>1</body><__proto__ xmlns="urn:x" constructor="a" __proto__="b"><toString/></__proto__>`),
  );
  const got = await juliet.next();
  const child = got.getChildElements().find((el) => el.name === "__proto__");
  expect(child?.getChild("toString")).toBeDefined();
  await romeo.closes();
});

test("B4: a carbon of somebody else's is no carbon", async () => {
  const romeo = await world.login("romeo");
  const forged = `<sent xmlns="urn:xmpp:carbons:2"><forwarded xmlns="urn:xmpp:forward:0"><message ${CLIENT} from="juliet@capulet.example/x" to="nurse@capulet.example"><body>forged</body></message></forwarded></sent>`;
  await romeo.sends(message(`<body>hello</body>${forged}`));
  const barrier = `<message to="${juliet.jid}" type="headline" id="end"/>`;
  await romeo.sends(barrier);
  for (let got = await juliet.next(); got.attrs.id !== "end"; got = await juliet.next())
    expect(got.getChild("sent", "urn:xmpp:carbons:2")).toBeUndefined();
});

test("B5: an id in the name of the reader's archive is taken away", async () => {
  const romeo = await world.login("romeo");
  await romeo.sends(
    message(`<body>1</body><stanza-id xmlns="urn:xmpp:sid:0" by="juliet@capulet.example" id="forged"/>`),
  );
  const ids = (await juliet.next()).getChildren("stanza-id", "urn:xmpp:sid:0").map((el) => el.attrs.id);
  expect(ids).toHaveLength(1);
  expect(ids).not.toContain("forged");
});

test("B6: nobody changes somebody else's roster", async () => {
  const romeo = await world.login("romeo");
  const answer = await romeo.asks(
    "set",
    `<query xmlns="jabber:iq:roster"><item jid="romeo@capulet.example"/></query>`,
    "juliet@capulet.example",
  );
  expect(answer.attrs.type).toBe("error");
  await juliet.receivesNothing();
});

test("B8: an account that exists and one that does not answer alike", async () => {
  const romeo = await world.login("romeo");
  const asked = [
    `<query xmlns="jabber:iq:last"/>`,
    `<query xmlns="http://jabber.org/protocol/disco#info"/>`,
    `<query xmlns="jabber:iq:roster"/>`,
    `<ping xmlns="urn:xmpp:ping"/>`,
  ];
  for (const payload of asked) {
    const [there, absent] = [
      await romeo.asks("get", payload, "juliet@capulet.example"),
      await romeo.asks("get", payload, "nobody@capulet.example"),
    ];
    const text = (el: typeof there) => el.getChild("error")?.toString();
    expect(text(there)).toBe(text(absent));
    expect(there.getChild("error")?.getChild("service-unavailable", STANZAS)).toBeDefined();
  }
  for (const name of ["juliet", "nobody"]) {
    await romeo.sends(`<presence type="probe" to="${name}@capulet.example"/>`);
    await romeo.receivesNothing();
  }
});

test("B9: an answer that was not asked for goes nowhere", async () => {
  const romeo = await world.login("romeo");
  await romeo.sends(`<iq ${to} type="result" id="guess"/>`);
  await romeo.receivesNothing();
  await juliet.receivesNothing();
});

test("C11: a guest writes to nobody but rooms, and has no account", async () => {
  const guest = await world.connect("guest");
  await guest.opens(world.settings.guestDomain);
  await guest.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>`);
  await guest.receives(`<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>`);
  await guest.opens(world.settings.guestDomain);
  await guest.binds();
  for (const address of ["juliet@capulet.example", "somebody@elsewhere.example"]) {
    await guest.sends(`<message to="${address}" type="chat" id="m"><body>1</body></message>`);
    await guest.receives(`<message type="error" id="m"><error><not-allowed xmlns="${STANZAS}"/></error></message>`, {
      extra: true,
    });
    await guest.sends(`<presence to="${address}" type="subscribe" id="s"/>`);
    await guest.receives(`<presence type="error" id="s"><error><not-allowed xmlns="${STANZAS}"/></error></presence>`, {
      extra: true,
    });
  }
  for (const payload of [`<query xmlns="jabber:iq:roster"/>`, `<vCard xmlns="vcard-temp"/>`]) {
    await guest.sends(`<iq type="get" id="g">${payload}</iq>`);
    await guest.receives(`<iq type="error" id="g"/>`, { extra: true });
  }
  await juliet.receivesNothing();
});

test("C13: a new password ends the sessions that the old one opened", async () => {
  const tybalt = await world.login("tybalt");
  await world.user("tybalt", "another secret");
  await tybalt.fails("reset");
});

test("D1: who sends more than anybody writes is cut off, and others do not suffer", async () => {
  const strict = await World.start({ settings: { LIMITS: "on" }, evict: false });
  try {
    const [romeo, reader] = [await strict.login("romeo"), await strict.login("juliet")];
    for (let i = 0; i < 1500; i++) romeo.socket.send(`<message ${CLIENT} to="${romeo.bare}/none" type="headline"/>`);
    await romeo.fails("policy-violation");
    await reader.receivesNothing();
  } finally {
    await strict.dispose();
  }
});

test("D3: a flood of frames before authentication ends the stream", async () => {
  const actor = await world.connect();
  await actor.opens();
  for (let i = 0; i < 1000; i++)
    actor.socket.send(`<iq ${CLIENT} type="get" id="${i}"><query xmlns="jabber:iq:register"/></iq>`);
  let got = await actor.next();
  while (got.name === "iq") got = await actor.next();
  expect(got.getChild("policy-violation", "urn:ietf:params:xml:ns:xmpp-streams")).toBeDefined();
});

test("a reader that does not read costs bounded memory: its managed stream is cut off", async () => {
  const other = await World.start({ evict: false });
  try {
    const reader = await other.login("juliet");
    await reader.enables();
    await reader.sends("<presence/>");
    await reader.next();
    const writer = await other.login("romeo");
    reader.socket.pause();
    const long = "x".repeat(100_000);
    for (let i = 0; i < 60; i++)
      writer.socket.send(
        `<message ${CLIENT} to="${reader.jid}" type="headline" id="${i}"><body>${long}</body></message>`,
      );
    await writer.receivesNothing();
    await writer.sends(`<iq type="get" id="q" to="${reader.jid}"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await writer.receives(`<iq type="error" id="q"><error><service-unavailable xmlns="${STANZAS}"/></error></iq>`, {
      extra: true,
    });
    reader.socket.resume();
  } finally {
    await other.dispose();
  }
});

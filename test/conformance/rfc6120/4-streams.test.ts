/** RFC 6120 §4: XML streams — https://www.rfc-editor.org/rfc/rfc6120#section-4 */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const RFC = "RFC 6120";
let world: World;
beforeAll(async () => {
  world = await World.start({ settings: { MAX_STANZA_BYTES: "20000" } });
});
afterAll(() => world.dispose());

spec(RFC, "4.3.2", "what was negotiated is not offered again", async () => {
  const actor = await world.login("romeo");
  const names = actor.features?.getChildElements().map((el) => `${el.attrs.xmlns} ${el.name}`);
  expect(names).toContain("urn:ietf:params:xml:ns:xmpp-bind bind");
  expect(names).toContain("urn:xmpp:sm:3 sm");
  expect(names).toContain("urn:xmpp:csi:0 csi");
  expect(names?.filter((name) => name.includes("sasl"))).toEqual([]);
});

spec(RFC, "4.7.1", "the host of a stream stays what it was when the stream starts over", async () => {
  const actor = await world.connect("romeo");
  await world.user("romeo");
  await actor.opens();
  const plain = Buffer.from("\0romeo\0romeo's secret").toString("base64");
  await actor.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`);
  await actor.receives(`<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>`);
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to="${world.settings.guestDomain}" version="1.0"/>`);
  await actor.fails("host-unknown");
});

spec(RFC, "4.7.3", "the id of a stream tells nothing by which the stream could be resumed", async () => {
  const actor = await world.connect("romeo");
  await world.user("romeo");
  await actor.sends(`<open xmlns="${FRAMING}" to="capulet.example" version="1.0"/>`);
  const { id } = (await actor.next()).attrs;
  expect(id).toMatch(/^\S{22,}$/);
  await actor.next();
});

spec(RFC, "4.7.4", "the language of a stream is answered", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to="capulet.example" version="1.0" xml:lang="de"/>`);
  await actor.receives(`<open xmlns="${FRAMING}" from="capulet.example" id="*" version="1.0" xml:lang="de"/>`);
});

spec(RFC, "4.7.5", "a client of a later version is answered by ours", async () => {
  const actor = await world.connect();
  await actor.sendsRaw(`<open xmlns="${FRAMING}" to="capulet.example" version="1.10"/>`);
  await actor.receives(`<open xmlns="${FRAMING}" from="capulet.example" id="*" version="1.0" xml:lang="en"/>`);
});

/** What a bound client may not say, and the error that ends its stream. */
const REFUSED: [section: string, what: string, frame: string, condition: string][] = [
  ["4.9.3.8", "from somebody else", `<presence xmlns="jabber:client" from="juliet@capulet.example"/>`, "invalid-from"],
  ["4.9.3.8", "from no address at all", `<presence xmlns="jabber:client" from="@@"/>`, "invalid-from"],
  ["4.9.3.10", "a namespace of servers", `<message xmlns="jabber:server"/>`, "unsupported-stanza-type"],
  ["4.9.3.13", "a tag that is not closed", `<message xmlns="jabber:client"><body></message>`, "not-well-formed"],
  ["4.9.3.13", "a prefix without a namespace", `<message xmlns="jabber:client"><a:b/></message>`, "not-well-formed"],
  ["4.9.3.13", "an attribute twice", `<message xmlns="jabber:client" to="a" to="b"/>`, "not-well-formed"],
  [
    "4.9.3.13",
    "an entity nobody declared",
    `<message xmlns="jabber:client"><body>&e;</body></message>`,
    "not-well-formed",
  ],
  ["4.9.3.13", "nothing", "", "not-well-formed"],
  [
    "4.9.3.14",
    "more bytes than are allowed",
    `<message xmlns="jabber:client"><body>${"x".repeat(20_000)}</body></message>`,
    "policy-violation",
  ],
  [
    "4.9.3.14",
    "more depth than is allowed",
    `<message xmlns="jabber:client">${"<a>".repeat(80)}${"</a>".repeat(80)}</message>`,
    "policy-violation",
  ],
  ["4.9.3.18", "a comment", `<message xmlns="jabber:client"><!-- --></message>`, "restricted-xml"],
  ["4.9.3.18", "a processing instruction", `<message xmlns="jabber:client"><?php 1?></message>`, "restricted-xml"],
  [
    "4.9.3.18",
    "a document type",
    `<!DOCTYPE m [<!ENTITY e "x">]><message xmlns="jabber:client"><body>&e;</body></message>`,
    "restricted-xml",
  ],
  [
    "4.9.3.22",
    "another encoding",
    `<?xml version="1.0" encoding="UTF-16"?><message xmlns="jabber:client"/>`,
    "unsupported-encoding",
  ],
  ["4.9.3.24", "no stanza", `<telegram xmlns="jabber:client"/>`, "unsupported-stanza-type"],
  ["4.9.3.24", "a stanza of nobody's", `<message xmlns="urn:example:client"/>`, "unsupported-stanza-type"],
  ["4.9.3.24", "no frame that we know", `<reopen xmlns="${FRAMING}"/>`, "unsupported-stanza-type"],
];
for (const [section, what, frame, condition] of REFUSED) {
  spec(RFC, section, `${what}: ${condition}`, async () => {
    const romeo = await world.login("romeo");
    const juliet = await world.login("juliet", { resource: "chamber" });
    await romeo.sendsRaw(frame);
    await romeo.fails(condition);
    await juliet.receivesNothing();
    await juliet.closes();
  });
}

spec(RFC, "4.9.3.3", "the newer of two streams of one resource stays, the older gets conflict", async () => {
  const older = await world.login("romeo", { resource: "orchard" });
  const newer = await world.login("romeo", { resource: "orchard" });
  await older.fails("conflict");
  expect(newer.jid).toBe("romeo@capulet.example/orchard");
  await newer.receivesNothing();
});

spec(RFC, "4.9.3.12", "nothing is passed on before authentication", async () => {
  const juliet = await world.login("juliet", { resource: "nurse", presence: true });
  for (const stanza of ["message", "presence"]) {
    const actor = await world.connect();
    await actor.opens();
    await actor.sends(`<${stanza} to="${juliet.jid}"/>`);
    await actor.fails("not-authorized");
  }
  await juliet.receivesNothing();
});

spec(RFC, "4.4", "a stream that ends takes its resource with it", async () => {
  const [one, other] = [await world.login("tybalt", { resource: "a" }), await world.login("tybalt", { resource: "b" })];
  await one.closes();
  await other.sends(`<iq type="get" id="p" to="${one.jid}"><ping xmlns="urn:xmpp:ping"/></iq>`);
  await other.receives(
    `<iq type="error" id="p" from="${one.jid}" to="${other.jid}"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>`,
    { extra: true },
  );
});

spec(RFC, "8.1.2.1", "a client that names another resource of its own is taken for the one that it is", async () => {
  const romeo = await world.login("romeo", { resource: "orchard" });
  await romeo.sends(
    `<message from="romeo@capulet.example/other" to="${romeo.jid}" id="m"><body>It is I.</body></message>`,
  );
  await romeo.receives(`<message from="${romeo.jid}" to="${romeo.jid}" id="m"><body>It is I.</body></message>`, {
    extra: true,
  });
});

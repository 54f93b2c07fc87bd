/** RFC 6120 §10: server rules for processing XML stanzas — https://www.rfc-editor.org/rfc/rfc6120#section-10 */
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const RFC = "RFC 6120";
/** Enough for several batches of an outbox. */
const MANY = 250;

describe.each(["each", "shared:1"])("placement %s", (placement) => {
  let world: World;
  let romeo: Actor;
  let juliet: Actor;
  beforeAll(async () => {
    world = await World.start({ settings: { PLACEMENT: placement } });
    romeo = await world.login("romeo", { resource: "orchard", presence: true });
    juliet = await world.login("juliet", { resource: "chamber", presence: true });
    // So that requests between their clients are let through (RFC 6121 §8.5.3.1).
    await juliet.sends(`<presence to="${romeo.jid}"/>`);
    await romeo.receives(`<presence from="${juliet.jid}" to="${romeo.jid}"/>`);
  });
  afterAll(() => world.dispose());

  spec(RFC, "10.1", "messages and requests arrive in the order in which they were sent", async () => {
    // Not by `sends`: nothing waits for anything here.
    for (let i = 0; i < MANY; i++) {
      const text =
        i % 3 === 0
          ? `<iq xmlns="jabber:client" to="${juliet.jid}" type="get" id="${i}"><q xmlns="urn:example:q"/></iq>`
          : `<message xmlns="jabber:client" to="${i % 3 === 1 ? juliet.jid : juliet.bare}" type="${i % 2 ? "chat" : "headline"}" id="${i}"><body>${i}</body></message>`;
      romeo.socket.send(text);
    }
    const ids: number[] = [];
    for (let i = 0; i < MANY; i++) ids.push(Number((await juliet.next()).attrs.id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(MANY);
  });

  spec(RFC, "10.1", "so they do both ways at once, and the answers too", async () => {
    for (let i = 0; i < MANY; i++) {
      romeo.socket.send(
        `<message xmlns="jabber:client" to="${juliet.jid}" type="chat" id="r${i}"><body>${i}</body></message>`,
      );
      juliet.socket.send(
        `<message xmlns="jabber:client" to="${romeo.jid}" type="chat" id="j${i}"><body>${i}</body></message>`,
      );
    }
    for (let i = 0; i < MANY; i++) expect((await juliet.next()).attrs.id).toBe(`r${i}`);
    for (let i = 0; i < MANY; i++) expect((await romeo.next()).attrs.id).toBe(`j${i}`);
  });

  spec(RFC, "10.1", "requests to one's account are answered in order, with what they did", async () => {
    for (let i = 0; i < 20; i++) {
      romeo.socket.send(
        `<iq xmlns="jabber:client" type="set" id="s${i}"><query xmlns="jabber:iq:private"><n xmlns="urn:example:n">${i}</n></query></iq>`,
      );
      romeo.socket.send(
        `<iq xmlns="jabber:client" type="get" id="g${i}"><query xmlns="jabber:iq:private"><n xmlns="urn:example:n"/></query></iq>`,
      );
    }
    for (let i = 0; i < 20; i++) {
      expect((await romeo.next()).attrs).toMatchObject({ type: "result", id: `s${i}` });
      const got = await romeo.next();
      expect(got.attrs).toMatchObject({ type: "result", id: `g${i}` });
      expect(got.getChild("query")?.getChildText("n")).toBe(String(i));
    }
  });

  spec(RFC, "10.3.1", "a request for one's own full address goes to that resource", async () => {
    await romeo.sends(`<iq to="${romeo.jid}" type="get" id="self"><q xmlns="urn:example:q"/></iq>`);
    await romeo.receives(
      `<iq from="${romeo.jid}" to="${romeo.jid}" type="get" id="self"><q xmlns="urn:example:q"/></iq>`,
    );
    await romeo.sends(`<iq to="${romeo.jid}" type="result" id="self"/>`);
    await romeo.receives(`<iq from="${romeo.jid}" to="${romeo.jid}" type="result" id="self"/>`);
  });

  spec(RFC, "10.5.2", "a message to the server itself is service-unavailable, a ping is answered", async () => {
    await romeo.sends(`<message to="capulet.example" id="m"><body>O!</body></message>`);
    await romeo.receives(
      `<message type="error" id="m" from="capulet.example" to="${romeo.jid}"><error type="cancel"><service-unavailable xmlns="${STANZAS}"/></error></message>`,
      { extra: true },
    );
    expect((await romeo.asks("get", `<ping xmlns="urn:xmpp:ping"/>`, "capulet.example")).attrs.type).toBe("result");
  });

  spec(RFC, "10.5.2", "the server has no resources", async () => {
    const answer = await romeo.asks("get", `<ping xmlns="urn:xmpp:ping"/>`, "capulet.example/x");
    expect(answer.getChild("error")?.getChild("item-not-found", STANZAS)).toBeDefined();
  });

  spec(
    RFC,
    "10.5.3.1",
    "a message and a request to an account that does not exist are service-unavailable",
    async () => {
      for (const to of ["nobody@capulet.example", "nobody@capulet.example/x"]) {
        await romeo.sends(`<message to="${to}" id="m" type="headline"><body>O!</body></message>`);
        await romeo.receives(
          `<message type="error" id="m" from="${to}" to="${romeo.jid}"><error type="cancel"><service-unavailable xmlns="${STANZAS}"/></error></message>`,
          { extra: true },
        );
        const answer = await romeo.asks("get", `<q xmlns="urn:example:q"/>`, to);
        expect(answer.getChild("error")?.getChild("service-unavailable", STANZAS)).toBeDefined();
      }
    },
  );

  spec(RFC, "10.5.4", "a request between two clients and its answer arrive", async () => {
    await romeo.sends(`<iq to="${juliet.jid}" type="set" id="x1"><q xmlns="urn:example:q">?</q></iq>`);
    await juliet.receives(
      `<iq from="${romeo.jid}" to="${juliet.jid}" type="set" id="x1"><q xmlns="urn:example:q">?</q></iq>`,
    );
    await juliet.sends(`<iq to="${romeo.jid}" type="result" id="x1"><a xmlns="urn:example:q">!</a></iq>`);
    await romeo.receives(
      `<iq from="${juliet.jid}" to="${romeo.jid}" type="result" id="x1"><a xmlns="urn:example:q">!</a></iq>`,
    );
  });
});

/** XEP-0280 */
import { beforeEach, describe, expect, it } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import { type Client, Site } from "./fake.ts";

const NS = "urn:xmpp:carbons:2";
let site: Site;
let orchard: Client;
let home: Client;
let plain: Client;
let juliet: Client;

beforeEach(async () => {
  site = new Site();
  const romeo = site.user("romeo");
  orchard = await site.client(romeo, "orchard", true);
  home = await site.client(romeo, "home", true);
  plain = await site.client(romeo, "plain", true);
  juliet = await site.client(site.user("juliet"), "balcony", true);
  for (const client of [orchard, home])
    expect((await client.asks("set", `<enable xmlns="${NS}"/>`)).attrs.type).toBe("result");
  for (const client of [orchard, home, plain]) client.takes();
});

/** What a client has got: "direct", or the direction of the copy. */
function got(client: Client): string[] {
  return client.takes().map((el) => copied(el)?.parent?.parent?.name ?? "direct");
}

function copied(el: Element | undefined): Element | undefined {
  const wrapper = el?.getChild("received", NS) ?? el?.getChild("sent", NS);
  return wrapper?.getChild("forwarded", "urn:xmpp:forward:0")?.getChild("message", "jabber:client");
}

const message = (to: string, inner = "<body>Ay me</body>", type = "chat") =>
  `<message to="${to}" type="${type}" id="m">${inner}</message>`;

describe("a message that is sent", () => {
  it("is copied to the others that want it, with the account's address outside (§8)", async () => {
    await orchard.sends(message("juliet@capulet.example"));
    const [copy] = home.takes();
    expect(copy?.attrs).toMatchObject({
      from: "romeo@capulet.example",
      to: "romeo@capulet.example/home",
      type: "chat",
    });
    expect(copied(copy)?.attrs).toMatchObject({ from: "romeo@capulet.example/orchard", to: "juliet@capulet.example" });
    expect(got(orchard)).toEqual([]);
    expect(got(plain)).toEqual([]);
    expect(got(juliet)).toEqual(["direct"]);
  });

  it("from one without carbons, too", async () => {
    await plain.sends(message("juliet@capulet.example"));
    expect(got(home)).toEqual(["sent"]);
    expect(got(orchard)).toEqual(["sent"]);
  });

  it.each([
    ["a private message", `<body>hush</body><private xmlns="${NS}"/>`, "chat"],
    ["a no-copy hint", `<body>hush</body><no-copy xmlns="urn:xmpp:hints"/>`, "chat"],
    ["a headline", "<body>news</body>", "headline"],
    ["a normal message without anything in it", "", "normal"],
  ])("is not copied when it is %s (§6.1)", async (_what, inner, type) => {
    await orchard.sends(message("juliet@capulet.example", inner, type));
    expect(got(home)).toEqual([]);
  });

  it("to a room's occupant is (§6.1)", async () => {
    await orchard.sends(
      message("hall@rooms.capulet.example/tybalt", '<body>!</body><x xmlns="http://jabber.org/protocol/muc#user"/>'),
    );
    expect(got(home)).toEqual(["sent"]);
  });

  it("no longer once they are disabled (§5)", async () => {
    await home.asks("set", `<disable xmlns="${NS}"/>`);
    await orchard.sends(message("juliet@capulet.example"));
    expect(got(home)).toEqual([]);
  });
});

describe("a message that is received", () => {
  it("by one is copied to the others, with its archive id (§7)", async () => {
    await juliet.sends(message("romeo@capulet.example/orchard"));
    expect(got(orchard)).toEqual(["direct"]);
    expect(got(plain)).toEqual([]);
    const [copy] = home.takes();
    expect(copied(copy)?.attrs).toMatchObject({ to: "romeo@capulet.example/orchard" });
    expect(copied(copy)?.getChild("stanza-id", "urn:xmpp:sid:0")?.attrs.by).toBe("romeo@capulet.example");
  });

  it("by all is copied to none", async () => {
    await juliet.sends(message("romeo@capulet.example"));
    for (const client of [orchard, home, plain]) expect(got(client)).toEqual(["direct"]);
  });

  it("reaches those with a negative priority as a copy", async () => {
    await home.sends("<presence><priority>-1</priority></presence>");
    for (const client of [orchard, home, plain]) client.takes();
    await juliet.sends(message("romeo@capulet.example"));
    expect(got(home)).toEqual(["received"]);
  });

  const room = "http://jabber.org/protocol/muc#user";
  it.each([
    ["from an occupant is not", `<body>psst</body><x xmlns="${room}"/>`, "chat", []],
    ["that invites is", `<x xmlns="${room}"><invite from="a@x.example"/></x>`, "normal", ["received"]],
  ])("%s copied (§6.1)", async (_what, inner, type, wanted) => {
    await site.arrives(
      `<message from="hall@rooms.capulet.example/tybalt" to="romeo@capulet.example/orchard" type="${type}">${inner}</message>`,
    );
    expect(got(orchard)).toHaveLength(1);
    expect(got(home)).toEqual(wanted);
  });

  it("from oneself comes once to each", async () => {
    await orchard.sends(message("romeo@capulet.example/plain"));
    expect(got(plain)).toEqual(["direct"]);
    expect(got(home)).toEqual(["received"]);
    expect(got(orchard)).toEqual([]);
  });
});

it("a copy that somebody else made is taken out, also of the archive (§11, security.md B4)", async () => {
  const forged = `<received xmlns="${NS}"><forwarded xmlns="urn:xmpp:forward:0"><message xmlns="jabber:client"/></forwarded></received>`;
  await site.arrives(
    message("romeo@capulet.example/orchard", `<body>x</body>${forged}`).replace(" to", ' from="t@x.example/1" to'),
  );
  const [direct] = orchard.takes();
  expect(direct?.getChildText("body")).toBe("x");
  expect(direct?.getChild("received", NS)).toBeUndefined();
  expect(site.account("romeo@capulet.example").archive.received(0, 10)[0]?.inner).not.toContain(NS);
});

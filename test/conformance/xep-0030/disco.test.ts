/** XEP-0030: Service Discovery — https://xmpp.org/extensions/xep-0030.html; with XEP-0115 §6.3 and XEP-0157 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";
let world: World;
let romeo: Actor;
beforeAll(async () => {
  world = await World.start({ settings: { ADMIN_CONTACT: "mailto:prince@capulet.example" } });
  romeo = await world.login("romeo");
});
afterAll(() => world.dispose());

const ask = (ns: string, to?: string, node?: string) =>
  romeo.asks("get", `<query xmlns="${ns}"${node ? ` node="${node}"` : ""}/>`, to);

spec("XEP-0030", "3.1", "the server says what it is", async () => {
  const query = (await ask(INFO, "capulet.example")).getChild("query", INFO);
  expect(query?.getChild("identity")?.attrs).toMatchObject({ category: "server", type: "im" });
  const features = query?.getChildren("feature").map(({ attrs }) => attrs.var) ?? [];
  for (const wanted of [INFO, ITEMS, "urn:xmpp:ping", "urn:xmpp:blocking", "urn:xmpp:carbons:2"])
    expect(features).toContain(wanted);
  expect(new Set(features).size).toBe(features.length);
});

spec("XEP-0030", "3.1", "an account says what it is, to itself", async () => {
  const query = (await ask(INFO)).getChild("query", INFO);
  expect(query?.getChild("identity")?.attrs).toMatchObject({ category: "account", type: "registered" });
});

spec("XEP-0030", "8", "a stranger cannot tell an account from nobody", async () => {
  await world.user("juliet");
  for (const ns of [INFO, ITEMS]) {
    const errors = [];
    for (const name of ["juliet", "nobody"])
      errors.push((await ask(ns, `${name}@capulet.example`)).getChild("error")?.toString());
    expect(errors[0]).toContain("service-unavailable");
    expect(errors[0]).toBe(errors[1]);
  }
});

spec("XEP-0030", "3.2", "an unknown node is not found", async () => {
  for (const to of ["capulet.example", undefined])
    expect((await ask(INFO, to, "urn:nowhere")).getChild("error")?.getChild("item-not-found")).toBeDefined();
});

spec("XEP-0157", "3", "the server says whom to write to", async () => {
  const form = (await ask(INFO, "capulet.example")).getChild("query", INFO)?.getChild("x", "jabber:x:data");
  const fields = form?.getChildren("field").map((field) => [field.attrs.var, field.getChildText("value")]);
  expect(fields).toEqual([
    ["FORM_TYPE", "http://jabber.org/network/serverinfo"],
    ["admin-addresses", "mailto:prince@capulet.example"],
  ]);
});

spec("XEP-0115", "6.3", "the hash in the stream features is that of the server's answer", async () => {
  const c = romeo.features?.getChild("c", "http://jabber.org/protocol/caps");
  expect(c?.attrs.hash).toBe("sha-1");
  const query = (await ask(INFO, "capulet.example", `${c?.attrs.node}#${c?.attrs.ver}`)).getChild("query", INFO);
  // §5.1 for this answer alone: its form has one field.
  const identities = query
    ?.getChildren("identity")
    .map(({ attrs }) => `${attrs.category}/${attrs.type}//${attrs.name ?? ""}`);
  const features = query?.getChildren("feature").map(({ attrs }) => attrs.var ?? "");
  const form = ["http://jabber.org/network/serverinfo", "admin-addresses", "mailto:prince@capulet.example"];
  const text = [...(identities ?? []).sort(), ...(features ?? []).sort(), ...form].map((part) => `${part}<`).join("");
  expect(createHash("sha1").update(text).digest("base64")).toBe(c?.attrs.ver);
});

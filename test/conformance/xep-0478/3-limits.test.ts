/** XEP-0478: Stream Limits Advertisement — https://xmpp.org/extensions/xep-0478.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0478";
let world: World;
beforeAll(async () => {
  world = await World.start({ settings: { MAX_STANZA_BYTES: "20000" } });
});
afterAll(() => world.dispose());

spec(XEP, "3", "a stream says how large a stanza may be, before login and after it", async () => {
  const stranger = await world.connect("stranger");
  const features = await stranger.opens();
  expect(features.getChild("limits", "urn:xmpp:stream-limits:0")?.getChildText("max-bytes")).toBe("10000");
  const romeo = await world.login("romeo");
  expect(romeo.features?.getChild("limits", "urn:xmpp:stream-limits:0")?.getChildText("max-bytes")).toBe("20000");
});

spec(XEP, "3", "and holds to what it says", async () => {
  const romeo = await world.login("romeo", { resource: "orchard" });
  const of = (bytes: number) => `<message to="${romeo.jid}"><body>${"x".repeat(bytes)}</body></message>`;
  await romeo.sends(of(19_000));
  expect((await romeo.next()).getChildText("body")).toHaveLength(19_000);
  await romeo.sends(of(20_000));
  await romeo.fails("policy-violation");
});

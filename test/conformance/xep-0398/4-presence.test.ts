/** XEP-0398 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { publish } from "../../unit/pubsub/eventing.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

spec(
  "XEP-0398",
  "4",
  "the hash of the avatar is in every available presence, but not where a client shows none",
  async () => {
    const juliet = await world.login("juliet");
    const image = Buffer.from("a picture");
    const hash = createHash("sha1").update(image).digest("hex");
    const data = `<data xmlns="urn:xmpp:avatar:data">${image.toString("base64")}</data>`;
    const metadata = `<metadata xmlns="urn:xmpp:avatar:metadata"><info id="${hash}" type="image/png" bytes="9"/></metadata>`;
    await juliet.asks("set", publish("urn:xmpp:avatar:data", hash, data, "access_model=open"));
    await juliet.asks("set", publish("urn:xmpp:avatar:metadata", hash, metadata, "access_model=open"));
    const x = (photo: string) => `<x xmlns="vcard-temp:x:update">${photo}</x>`;
    for (const [sent, got] of [
      ["", x(`<photo>${hash}</photo>`)],
      [x(""), x(`<photo>${hash}</photo>`)],
      [x("<photo>old</photo>"), x(`<photo>${hash}</photo>`)],
      [x("<photo/>"), x("<photo/>")],
    ]) {
      await juliet.sends(`<presence>${sent}</presence>`);
      await juliet.receives(`<presence from="${juliet.jid}" to="${juliet.bare}">${got}</presence>`);
    }
    const again = await world.login("juliet", { resource: "chamber" });
    await again.sends("<presence/>");
    await again.receives(`<presence from="${again.jid}" to="${again.bare}">${x(`<photo>${hash}</photo>`)}</presence>`);
    const card = await again.asks("get", `<vCard xmlns="vcard-temp"/>`, juliet.bare).catch(() => again.next());
    expect(String(card)).toBeTruthy();
  },
);

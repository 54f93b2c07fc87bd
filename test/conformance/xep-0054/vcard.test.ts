/** XEP-0054: vcard-temp — https://xmpp.org/extensions/xep-0054.html */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const NS = "vcard-temp";
const EMPTY = `<vCard xmlns="${NS}"/>`;
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

spec("XEP-0054", "3.1", "an account without a vCard has an empty one", async () => {
  const answer = await (await world.login("nobody-yet")).asks("get", EMPTY);
  expect(answer.getChild("vCard", NS)?.getChildElements()).toEqual([]);
});

spec("XEP-0054", "3.2, 3.3", "what one publishes, all may read", async () => {
  const [romeo, juliet] = [await world.login("romeo"), await world.login("juliet")];
  expect((await juliet.asks("set", `<vCard xmlns="${NS}"><FN>Juliet &amp; Nurse</FN></vCard>`)).attrs.type).toBe(
    "result",
  );
  for (const answer of [await juliet.asks("get", EMPTY), await romeo.asks("get", EMPTY, juliet.bare)])
    expect(answer.getChild("vCard", NS)?.getChildText("FN")).toBe("Juliet & Nurse");
});

spec("XEP-0054", "3.2", "nobody changes another's", async () => {
  const romeo = await world.login("romeo");
  expect(
    (await romeo.asks("set", `<vCard xmlns="${NS}"><FN>Mine</FN></vCard>`, "juliet@capulet.example")).attrs.type,
  ).toBe("error");
});

spec("XEP-0054", "3.3", "an account without one is like no account", async () => {
  const romeo = await world.login("romeo");
  await world.user("shy");
  for (const name of ["shy", "absent"]) {
    const answer = await romeo.asks("get", EMPTY, `${name}@capulet.example`);
    expect(answer.getChild("error")?.getChild("service-unavailable")).toBeDefined();
  }
});

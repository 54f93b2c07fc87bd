/** XEP-0215: External Service Discovery — https://xmpp.org/extensions/xep-0215.html */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const NS = "urn:xmpp:extdisco:2";
const SECRET = "verona's relays share this";
let world: World;
let romeo: Actor;
beforeAll(async () => {
  world = await World.start({
    settings: {
      EXTERNAL_SERVICES: JSON.stringify([
        { type: "stun", host: "stun.x.example", port: 3478, transport: "udp" },
        { type: "turn", host: "turn.x.example", port: 3478, transport: "udp" },
      ]),
      TURN_SECRET: SECRET,
    },
  });
  romeo = await world.login("romeo");
});
afterAll(() => world.dispose());

spec("XEP-0215", "3.1", "services are told, a relay with credentials for a time", async () => {
  const answer = await romeo.asks("get", `<services xmlns="${NS}"/>`, "capulet.example");
  const [stun, turn] = answer.getChild("services", NS)?.getChildElements() ?? [];
  expect(stun?.attrs).toMatchObject({ type: "stun", host: "stun.x.example", port: "3478", transport: "udp" });
  const { username = "", password, expires = "" } = turn?.attrs ?? {};
  expect(password).toBe(createHmac("sha1", SECRET).update(username).digest("base64"));
  expect(Date.parse(expires) / 1000).toBe(Number(username.split(":")[0]));
});

spec("XEP-0215", "3.2", "services of one type", async () => {
  const answer = await romeo.asks("get", `<services xmlns="${NS}" type="stun"/>`, "capulet.example");
  expect(
    answer
      .getChild("services", NS)
      ?.getChildElements()
      .map(({ attrs }) => attrs.type),
  ).toEqual(["stun"]);
});

spec("XEP-0215", "3.3", "credentials of one service", async () => {
  const ask = (host: string) =>
    romeo.asks(
      "get",
      `<credentials xmlns="${NS}"><service host="${host}" type="turn"/></credentials>`,
      "capulet.example",
    );
  const service = (await ask("turn.x.example")).getChild("credentials", NS)?.getChild("service");
  expect(service?.attrs.password).toBeDefined();
  expect((await ask("nowhere.example")).getChild("error")?.getChild("item-not-found")).toBeDefined();
});

/** Debian's profanity, a client for terminals, over TCP by way of the bridge. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { client, xml } from "@xmpp/client";
import type { Element } from "ltx";
import { expect, test } from "vitest";
import { event, stage } from "../fixture.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, startBridge } from "./bridge.ts";
import { Profanity } from "./profanity.ts";

const on = stage({ settings: { BRIDGE_TOKEN } });

test("profanity logs in by STARTTLS and SCRAM, chats both ways, and talks in a room", async () => {
  const { domain, hosts, websocket: service } = on.server;
  const folder = mkdtempSync(join(tmpdir(), "enjamb-profanity-"));
  const authority = new Authority(folder);
  const bridge = await startBridge(on.server, authority.issue("here", [domain]));
  on.later(() => bridge.stop());
  const [a, b] = [await on.account("romeo"), await on.account("juliet")];

  const juliet = client({ service, domain, username: b.name, password: b.password });
  juliet.on("error", () => {});
  on.later(() => juliet.stop());
  await juliet.start();
  await juliet.send(xml("presence"));
  const says = (to: string, type: string, body: string) =>
    juliet.send(xml("message", { to, type }, xml("body", {}, body)));
  const hears = (type: string, body: string) =>
    event<Element>(juliet, "stanza", (stanza) => stanza.attrs.type === type && stanza.getChildText("body") === body);

  const door = { host: "127.0.0.1", port: bridge.ports.c2s };
  const romeo = new Profanity(join(folder, "home"), { ...a, ...door }, authority.file);
  on.later(() => romeo.stop());
  await romeo.logs(/Certificate verification passed/);
  // It looks at TLS by libstrophe, which does no channel binding yet in Debian 12.
  await romeo.logs(/SASL SCRAM-SHA-(512|256) auth successful/);
  await romeo.logs(/RECV: <enabled [^>]*urn:xmpp:sm:3/);
  await romeo.logs(/Message carbons enabled/);

  const heard = hears("chat", "but soft");
  romeo.type(`/msg ${b.jid} but soft`);
  const { from } = (await heard).attrs;
  expect(from).toMatch(new RegExp(`^${a.jid}/`));
  await says(from, "chat", "ay me");
  await romeo.chats(b.jid, / ay me\n/);

  const room = `orchard@${hosts.rooms}`;
  romeo.type(`/join ${room} nick Romeo`);
  await romeo.logs(/RECV: <presence .*code="201"/);
  romeo.type("/room accept");
  const [, id] = await romeo.logs(/SENT: <iq id="([^"]+)".*muc#owner"><x .*type="submit"/);
  await romeo.logs(new RegExp(`RECV: <iq id="${id}".* type="result"`));
  const inside = event<Element>(juliet, "stanza", (stanza) => stanza.attrs.from === `${room}/Juliet`);
  await juliet.send(xml("presence", { to: `${room}/Juliet` }, xml("x", { xmlns: "http://jabber.org/protocol/muc" })));
  await inside;
  const reflected = hears("groupchat", "what light through yonder window breaks");
  romeo.type("what light through yonder window breaks");
  expect((await reflected).attrs.from).toBe(`${room}/Romeo`);
  await says(room, "groupchat", "what man art thou");
  await romeo.rooms(room, / Juliet: what man art thou\n/);
});

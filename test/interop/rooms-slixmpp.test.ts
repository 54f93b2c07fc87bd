/** Debian's slixmpp, on its own TLS over the bridge, and @xmpp/client meet in a room. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { client, xml } from "@xmpp/client";
import type { Element } from "ltx";
import { expect, test } from "vitest";
import { Agent } from "./federation/agent.ts";
import { Authority } from "./federation/authority.ts";
import { BRIDGE_TOKEN, startBridge } from "./federation/bridge.ts";
import { event, stage } from "./fixture.ts";

const on = stage({ settings: { BRIDGE_TOKEN } });

test("slixmpp joins a room by the bridge, and talks with a client on WebSocket", async () => {
  const { domain, hosts, websocket: service } = on.server;
  const folder = mkdtempSync(join(tmpdir(), "enjamb-rooms-"));
  const authority = new Authority(folder);
  const identity = authority.issue("here", [domain, hosts.rooms]);
  const bridge = await startBridge(on.server, identity, { S2S_CA: authority.file });
  on.later(() => bridge.stop());
  const [a, b] = [await on.account("romeo"), await on.account("juliet")];
  const room = `padua@${hosts.rooms}`;
  const romeo = new Agent(a.jid, a.password, "127.0.0.1", bridge.ports.c2s, authority.file);
  on.later(() => romeo.stop());
  await romeo.sees({ event: "ready" });

  const juliet = client({ service, domain, username: b.name, password: b.password });
  juliet.on("error", () => {});
  on.later(() => juliet.stop());
  await juliet.start();
  const next = (match: (it: Element) => boolean) => event<Element>(juliet, "stanza", match);
  const own = next((it) => it.is("presence") && it.attrs.from === `${room}/Juliet`);
  await juliet.send(xml("presence", { to: `${room}/Juliet` }, xml("x", "http://jabber.org/protocol/muc")));
  await own;
  const form = xml("x", { xmlns: "jabber:x:data", type: "submit" });
  await juliet.iqCaller.set(xml("query", "http://jabber.org/protocol/muc#owner", form), room);

  const came = next((it) => it.is("presence") && it.attrs.from === `${room}/Romeo`);
  romeo.do("join", { room, nick: "Romeo" });
  await came;
  await romeo.sees({ event: "presence", sender: `${room}/Juliet`, type: "available" });
  await romeo.sees({ event: "presence", sender: `${room}/Romeo`, type: "available" });

  const heard = next((it) => it.getChildText("body") === "But soft!");
  romeo.do("message", { to: room, body: "But soft!", type: "groupchat" });
  expect((await heard).attrs).toMatchObject({ type: "groupchat", from: `${room}/Romeo` });
  await romeo.sees({ event: "message", type: "groupchat", body: "But soft!", sender: `${room}/Romeo` });
  await juliet.send(xml("message", { to: room, type: "groupchat", id: "j1" }, xml("body", {}, "Ay me")));
  await romeo.sees({ event: "message", type: "groupchat", body: "Ay me", sender: `${room}/Juliet` });
});

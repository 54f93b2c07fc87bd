/** StanzaJS in rooms: enters, talks, looks back, sets up, moderates. */
import type { Agent } from "stanza";
import type { ReceivedMessage, ReceivedPresence } from "stanza/protocol";
import { describe, expect, test } from "vitest";
import { event, stage } from "./fixture.ts";
import { available } from "./stanza-agent.ts";

const on = stage();
let rooms = 0;

const newRoom = () => `room${++rooms}@${on.server.hosts.rooms}`;
const heard = (by: Agent, body: string) => event<ReceivedMessage>(by, "groupchat", (it) => it.body === body);
const seen = (by: Agent, name: string, from: string) => event<ReceivedPresence>(by, name, (it) => it.from === from);

/** Romeo has made the room, and Juliet is in it. */
async function together() {
  const room = newRoom();
  const romeo = await available(on, await on.account("romeo"));
  const juliet = await available(on, await on.account("juliet"));
  await romeo.joinRoom(room, "Romeo");
  await romeo.configureRoom(room, { type: "submit", fields: [] });
  const came = seen(romeo, "muc:available", `${room}/Juliet`);
  await juliet.joinRoom(room, "Juliet");
  await came;
  return { room, romeo, juliet };
}

describe("StanzaJS in a room", () => {
  test("talks, and everybody hears it once, oneself too", async () => {
    const { room, romeo, juliet } = await together();
    const all = [heard(romeo, "But soft!"), heard(juliet, "But soft!")];
    const id = romeo.sendMessage({ to: room, type: "groupchat", body: "But soft!" });
    for (const got of await Promise.all(all)) expect(got).toMatchObject({ id, from: `${room}/Romeo` });
  });

  test("finds what was said before, on entering and in the archive", async () => {
    const { room, romeo } = await together();
    const said = heard(romeo, "What light");
    romeo.sendMessage({ to: room, type: "groupchat", body: "What light" });
    await said;
    const nurse = await available(on, await on.account("nurse"));
    const old = heard(nurse, "What light");
    await nurse.joinRoom(room, "Nurse");
    expect((await old).delay?.timestamp).toBeInstanceOf(Date);
    const { results = [] } = await nurse.searchHistory(room, { paging: { before: "" } });
    expect(results.map(({ item }) => item.message?.body)).toContain("What light");
  });

  test("changes the subject and its nick, whispers and invites", async () => {
    const { room, romeo, juliet } = await together();
    const topic = event<{ topic: string }>(juliet, "muc:topic", (it) => it.topic === "Balconies");
    romeo.setSubject(room, "Balconies");
    await topic;
    const renamed = seen(romeo, "muc:available", `${room}/Capulet`);
    await juliet.changeNick(room, "Capulet");
    await renamed;
    const whisper = event<ReceivedMessage>(juliet, "message", (it) => it.body === "Psst");
    romeo.sendMessage({ to: `${room}/Capulet`, type: "chat", body: "Psst" });
    expect((await whisper).from).toBe(`${room}/Romeo`);
    const nurse = await available(on, await on.account("nurse"));
    const invited = event<{ room: string; reason: string }>(nurse, "muc:invite");
    romeo.invite(room, { to: nurse.jid.split("/", 1)[0] as string, reason: "Come" });
    expect(await invited).toMatchObject({ room, reason: "Come" });
  });

  test("sets it up by its form", async () => {
    const { room, romeo, juliet } = await together();
    const form = await romeo.getRoomConfig(room);
    const fields = (form.fields ?? []).map((field) =>
      field.name === "muc#roomconfig_roomname" ? { name: field.name, value: "Verona" } : field,
    );
    await romeo.configureRoom(room, { type: "submit", fields });
    expect((await juliet.getDiscoInfo(room)).identities[0]).toMatchObject({ category: "conference", name: "Verona" });
    await expect(juliet.getRoomConfig(room)).rejects.toMatchObject({ error: { condition: "forbidden" } });
  });

  test("sends out, bans, and makes members", async () => {
    const { room, romeo, juliet } = await together();
    const out = seen(juliet, "muc:unavailable", `${room}/Juliet`);
    await romeo.kick(room, "Juliet", "Go");
    await out;
    await juliet.joinRoom(room, "Juliet");
    const bare = juliet.jid.split("/", 1)[0] as string;
    await romeo.setRoomAffiliation(room, bare, "member");
    const { muc } = await romeo.getRoomMembers(room, { affiliation: "member" });
    expect(muc.users?.map(({ jid }) => jid)).toEqual([bare]);
    const banned = seen(juliet, "muc:unavailable", `${room}/Juliet`);
    await romeo.ban(room, bare, "Enough");
    await banned;
    await expect(juliet.joinRoom(room, "Juliet")).rejects.toMatchObject({ error: { condition: "forbidden" } });
  });

  test("leaves", async () => {
    const { room, romeo, juliet } = await together();
    const gone = seen(romeo, "muc:unavailable", `${room}/Juliet`);
    await juliet.leaveRoom(room, "Juliet");
    await gone;
  });
});

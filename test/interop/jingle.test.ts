/** XEP-0166: two StanzaJS clients negotiate a call through the server and end it; the media would go its own way. */
import type { Agent } from "stanza";
import type { MediaSession } from "stanza/jingle";
import { expect, test } from "vitest";
import { event, stage } from "./fixture.ts";
import { PeerConnection } from "./peer-connection.ts";
import { available } from "./stanza-agent.ts";

const on = stage();

const CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 56143 typ host generation 0";

interface Phone {
  agent: Agent;
  line: PeerConnection;
}

/** Quirk: in Node it has no RTCPeerConnection, and says so in `hasRTCPeerConnection`, unless it is given one. */
async function phone(name: string): Promise<Phone> {
  const line = new PeerConnection();
  const jingle = {
    hasRTCPeerConnection: true,
    trickleIce: true,
    advertiseAudio: true,
    createPeerConnection: () => line,
  };
  const agent = await available(on, await on.account(name), { jingle });
  return { agent, line };
}

/**
 * Two who may reach each other: a request goes only to a client that shows its presence to who asks (RFC 6121 §8.5.3.1).
 * Presence to one address does, without a subscription.
 */
async function acquainted(): Promise<[Phone, Phone]> {
  const phones: [Phone, Phone] = [await phone("romeo"), await phone("juliet")];
  for (const [one, other] of [phones, phones.toReversed()] as [Phone, Phone][]) {
    const shown = event<{ from: string }>(other.agent, "presence", ({ from }) => from === one.agent.jid);
    one.agent.sendPresence({ to: other.agent.jid });
    await shown;
  }
  return phones;
}

const call = (of: Agent, name: string) => event<MediaSession>(of, `jingle:${name}`);

test("a call rings, is accepted, trickles a candidate and ends", async () => {
  const [romeo, juliet] = await acquainted();
  const incoming = call(juliet.agent, "incoming");
  const outgoing = romeo.agent.jingle.createMediaSession(juliet.agent.jid);
  await outgoing.start();
  const answering = await incoming;
  expect(answering.peerID).toBe(romeo.agent.jid);
  expect(juliet.line.remoteDescription?.sdp).toContain("opus/48000/2");

  const ringing = call(romeo.agent, "ringing");
  await answering.ring();
  await ringing;
  const accepted = call(romeo.agent, "accepted");
  await answering.accept();
  await accepted;
  expect([outgoing.state, answering.state]).toEqual(["active", "active"]);
  expect(romeo.line.remoteDescription?.sdp).toContain("a=ice-ufrag:answ");

  // What is signalled in one direction stays in order: once the end has come, so has the candidate before it.
  const terminated = call(juliet.agent, "terminated");
  romeo.line.onicecandidate?.({ candidate: { candidate: CANDIDATE, sdpMid: "0" } });
  outgoing.end("success");
  await terminated;
  expect(juliet.line.candidates).toEqual([expect.stringContaining("192.0.2.1 56143 typ host")]);
  expect([outgoing.state, answering.state]).toEqual(["ended", "ended"]);
});

test("a call is declined", async () => {
  const [romeo, juliet] = await acquainted();
  const incoming = call(juliet.agent, "incoming");
  const outgoing = romeo.agent.jingle.createMediaSession(juliet.agent.jid);
  await outgoing.start();
  const terminated = call(romeo.agent, "terminated");
  (await incoming).decline();
  expect(await terminated).toBe(outgoing);
});

test("a call to a resource that is not there is answered by an error", async () => {
  const [romeo, juliet] = [await phone("romeo"), await on.account("juliet")];
  const action = { type: "set", to: `${juliet.jid}/gone`, jingle: { sid: "1", action: "session-info" } } as const;
  await expect(romeo.agent.sendIQ(action)).rejects.toMatchObject({ error: { condition: "service-unavailable" } });
});

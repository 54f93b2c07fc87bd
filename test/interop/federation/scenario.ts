/** What works across: the same play with every other make of server, by SASL EXTERNAL and by dialback. Clients are Debian's slixmpp. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { calls } from "./calls.ts";
import { personal } from "./personal.ts";
import { Relay } from "./relay.ts";
import type { Make, Remote } from "./remote.ts";

const PASSWORD = "wherefore";
const HERE = "enjamb.test";

const METHODS = [
  ["SASL EXTERNAL", true],
  ["dialback", false],
] as const;

export function federates({ name, net, start, purpose }: Make): void {
  describe.each(METHODS)(`${name} by %s`, (_, certified) => {
    const THERE = `${name}.test`;
    const folder = mkdtempSync(join(tmpdir(), "enjamb-federation-"));
    const authority = new Authority(folder);
    // Addresses of this run's own: the port of s2s cannot be chosen.
    const at = `127.${20 + (process.pid % 200)}.${net + Number(certified)}`;
    const [ours, theirs] = [`${at}.1`, `${at}.2`];
    const names = [HERE, `rooms.${HERE}`, `pubsub.${HERE}`];
    const others = [THERE, `rooms.${THERE}`, `pubsub.${THERE}`];
    const issue = (who: string, hosts: string[]) =>
      certified ? authority.issue(who, hosts, { purpose }) : authority.selfSigned(who, hosts);
    const identity = issue("here", names);
    const remoteIdentity = issue("there", others);
    let server: Server;
    let bridge: RunningBridge;
    let remote: Remote;
    let relay: Relay;
    let romeo: Agent;
    let paul: Agent;

    const login = (jid: string, host: string) => new Agent(jid, PASSWORD, host, 5222, join(folder, "all.pem"));
    const cast = () => ({ romeo, paul, login: () => login(`romeo@${HERE}/balcony`, ours) });
    async function openBridge(): Promise<void> {
      bridge = await startBridge(server, identity, {
        BRIDGE_HOST: ours,
        C2S_PORT: "5222",
        S2S_PORT: "5269",
        S2S_CA: authority.file,
        S2S_CERTIFICATES: certified ? "required" : "optional",
        S2S_OVERRIDES: JSON.stringify(Object.fromEntries(others.map((other) => [other, relay.address]))),
      });
    }
    async function logPaulIn(): Promise<void> {
      paul = login(`paul@${THERE}/rome`, theirs);
      await paul.sees({ event: "ready" });
    }
    async function logRomeoIn(): Promise<void> {
      romeo = login(`romeo@${HERE}/orchard`, ours);
      await romeo.sees({ event: "ready" });
    }

    beforeAll(async () => {
      const trusted = [authority.file, identity.cert, remoteIdentity.cert];
      writeFileSync(join(folder, "all.pem"), trusted.map((file) => readFileSync(file, "utf8")).join("\n"));
      server = await startServer({ settings: { XMPP_DOMAIN: HERE, BRIDGE_TOKEN } }, "ours");
      await server.addUser("romeo", PASSWORD);
      relay = await Relay.start({ host: theirs, port: 5269 });
      await openBridge();
      remote = await start({
        domain: THERE,
        address: theirs,
        identity: remoteIdentity,
        authority: authority.file,
        secure: certified,
        hosts: Object.fromEntries(names.map((host) => [host, ours])),
        accounts: { paul: PASSWORD },
      });
      await logRomeoIn();
      await logPaulIn();
    });
    afterAll(async () => {
      romeo?.stop();
      paul?.stop();
      await bridge?.stop();
      relay?.stop();
      await remote?.stop();
      await server?.stop();
      rmSync(folder, { recursive: true });
    });

    test("chat goes both ways, in order", async () => {
      for (const body of ["one", "two", "three"]) romeo.do("message", { to: `paul@${THERE}`, body });
      const { sender } = await paul.sees({ event: "message", body: "one" });
      expect(sender?.startsWith(`romeo@${HERE}/`)).toBe(true);
      await paul.sees({ event: "message", body: "two" });
      await paul.sees({ event: "message", body: "three" });
      paul.do("message", { to: `romeo@${HERE}`, body: "answer" });
      await romeo.sees({ event: "message", body: "answer" });
    });

    test("a subscription is made, and presence seen on both sides", async () => {
      romeo.do("subscribe", { to: `paul@${THERE}` });
      const there = await romeo.sees({ event: "presence", type: "available" });
      await romeo.sees({ event: "roster", jid: `paul@${THERE}`, subscription: "both" });
      await paul.sees({ event: "roster", jid: `romeo@${HERE}`, subscription: "both" });
      expect(there.sender).toBeDefined();
    });

    test("personal events reach the other side's contacts (XEP-0163)", async () => {
      romeo.do("play", { body: "Greensleeves" });
      await paul.sees({ event: "tune", sender: `romeo@${HERE}`, body: "Greensleeves" });
      paul.do("play", { body: "Heartsease" });
      await romeo.sees({ event: "tune", sender: `paul@${THERE}`, body: "Heartsease" });
    });

    test("nodes of each side notify subscribers of the other (XEP-0060)", async () => {
      for (const [owner, reader, service] of [
        [romeo, paul, `pubsub.${HERE}`],
        [paul, romeo, `pubsub.${THERE}`],
      ] as const) {
        const node = "princely_musings";
        expect(await owner.asks("create", { to: service, node })).toEqual({ event: "create" });
        expect(await reader.asks("follow", { to: service, node })).toEqual({ event: "follow" });
        const body = `to be, says ${service}`;
        expect(await owner.asks("publish", { to: service, node, body })).toEqual({ event: "publish" });
        await reader.sees({ event: "published", sender: service, node, body });
      }
    });

    test("each server tells the other's users what it can do, and what there is (XEP-0030)", async () => {
      for (const [reader, host] of [
        [romeo, THERE],
        [paul, HERE],
      ] as const) {
        expect((await reader.asks("disco", { to: host })).features).toContain("urn:xmpp:ping");
        expect((await reader.asks("items", { to: host })).items).toEqual(
          expect.arrayContaining([`rooms.${host}`, `pubsub.${host}`]),
        );
      }
    });

    personal(cast);
    calls(cast);

    test.each([`lobby@rooms.${HERE}`, `lobby@rooms.${THERE}`])("both are in %s", async (room) => {
      romeo.do("join", { room, nick: "romeo" });
      await romeo.sees({ event: "presence", sender: `${room}/romeo` });
      paul.do("join", { room, nick: "paul" });
      await romeo.sees({ event: "presence", sender: `${room}/paul` });
      romeo.do("message", { to: room, body: `hello ${room}`, type: "groupchat" });
      await paul.sees({ event: "message", type: "groupchat", body: `hello ${room}`, sender: `${room}/romeo` });
      paul.do("message", { to: room, body: `welcome to ${room}`, type: "groupchat" });
      await romeo.sees({ event: "message", type: "groupchat", body: `welcome to ${room}`, sender: `${room}/paul` });
    });

    test("a user who does not exist is answered by an error", async () => {
      romeo.do("message", { to: `nobody@${THERE}`, body: "?" });
      await romeo.sees({ event: "message", type: "error", error: "service-unavailable" });
    });

    /** Sees these, each for the first time after the one before it: a stanza may come twice after a cut. */
    async function paulSees(bodies: readonly string[]): Promise<void> {
      let next = 0;
      while (next < bodies.length) {
        const { body = "" } = await paul.sees({ event: "message", type: "chat" });
        const place = bodies.indexOf(body);
        if (place < 0) continue;
        expect(place).toBeLessThanOrEqual(next);
        if (place === next) next++;
      }
    }

    /** The other server, and Paul: what came before him would be mail there, and what comes meanwhile may pass that. */
    async function returns(): Promise<void> {
      void relay.hold();
      await remote.start();
      await logPaulIn();
      relay.release();
    }

    test("what is sent while the other server is killed and started again arrives, in order", async () => {
      romeo.do("message", { to: `paul@${THERE}`, body: "before" });
      await paulSees(["before"]);
      paul.stop();
      const killed = remote.kill9();
      const bodies = ["while", "you were", "away"];
      for (const body of bodies) romeo.do("message", { to: `paul@${THERE}`, body });
      await killed;
      await returns();
      await paulSees(bodies);
      paul.do("message", { to: `romeo@${HERE}`, body: "I am back" });
      await romeo.sees({ event: "message", body: "I am back" });
    });

    test("what was written and not read when the other server died arrives, in order", async () => {
      romeo.do("message", { to: `paul@${THERE}`, body: "listen" });
      await paulSees(["listen"]);
      const held = relay.hold();
      const bodies = ["on", "the", "way"];
      for (const body of bodies) romeo.do("message", { to: `paul@${THERE}`, body });
      await held;
      paul.stop();
      await remote.kill9();
      await returns();
      await paulSees(bodies);
    });

    /** What it said before has been taken when this is answered. */
    async function romeoIsHeard(): Promise<void> {
      await romeo.asks("disco", { to: HERE });
    }

    test("what a bridge had in hand when it was killed goes out by the next", async () => {
      romeo.do("message", { to: `paul@${THERE}`, body: "mark" });
      await paulSees(["mark"]);
      const held = relay.hold();
      const bodies = ["what", "I", "say"];
      for (const body of bodies) romeo.do("message", { to: `paul@${THERE}`, body });
      await romeoIsHeard();
      await held;
      romeo.stop();
      await bridge.kill9();
      relay.release();
      await openBridge();
      await paulSees(bodies);
      await logRomeoIn();
      paul.do("message", { to: `romeo@${HERE}`, body: "well said" });
      await romeo.sees({ event: "message", body: "well said" });
    });

    test("when our own server is killed, what it had taken goes out all the same", async () => {
      romeo.do("message", { to: `paul@${THERE}`, body: "the rest" });
      await paulSees(["the rest"]);
      const held = relay.hold();
      const bodies = ["is", "silence", "now"];
      for (const body of bodies) romeo.do("message", { to: `paul@${THERE}`, body });
      await romeoIsHeard();
      await held;
      romeo.stop();
      await server.kill9();
      relay.release();
      await server.restart();
      await paulSees(bodies);
    });
  });
}

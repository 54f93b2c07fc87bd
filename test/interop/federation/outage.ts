/** RFC 6120 §10.4: another server is really away for two minutes; some have patience for that, and some have not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../server.ts";
import { Agent } from "./agent.ts";
import { Authority } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import type { Make, Remote } from "./remote.ts";

/** The wait is what is tested here: nothing else takes so long. */
const AWAY_MS = 120_000;
/** Shorter than that by far. */
const HASTE_SECONDS = 20;
const LATE_MS = 60_000;
const PASSWORD = "wherefore";

export function outlasts(make: Make): void {
  const THERE = `${make.name}.test`;
  const PAUL = `paul@${THERE}`;
  const at = `127.${20 + (process.pid % 200)}.${60 + make.net}`;
  const theirs = `${at}.1`;
  const folder = mkdtempSync(join(tmpdir(), "enjamb-outage-"));
  const authority = new Authority(folder);
  const authorities = join(folder, "all.pem");

  /** A deployment of ours with one user. */
  class Deployment {
    readonly domain: string;
    readonly host: string;
    readonly #identity;
    readonly #settings: Record<string, string>;
    #server: Server | undefined;
    #bridge: RunningBridge | undefined;
    #romeo: Agent | undefined;

    constructor(domain: string, host: string, settings: Record<string, string> = {}) {
      this.domain = domain;
      this.host = host;
      this.#settings = settings;
      this.#identity = authority.issue(domain, [domain], { purpose: make.purpose });
    }

    get romeo(): Agent {
      return this.#romeo as Agent;
    }

    async start(): Promise<void> {
      const { domain, host } = this;
      this.#server = await startServer({ settings: { XMPP_DOMAIN: domain, BRIDGE_TOKEN, ...this.#settings } }, "ours");
      await this.#server.addUser("romeo", PASSWORD);
      this.#bridge = await startBridge(this.#server, this.#identity, {
        BRIDGE_HOST: host,
        C2S_PORT: "5222",
        S2S_PORT: "5269",
        S2S_CA: authority.file,
        S2S_OVERRIDES: JSON.stringify({ [THERE]: `${theirs}:5269` }),
      });
      this.#romeo = new Agent(`romeo@${domain}/orchard`, PASSWORD, host, 5222, authorities);
      await this.romeo.sees({ event: "ready" });
    }

    /** Romeo and Paul see each other's presence from then on, so each server has a stream to the other. */
    async acquaint(): Promise<void> {
      this.romeo.do("subscribe", { to: PAUL });
      await this.romeo.sees({ event: "roster", jid: PAUL, subscription: "both" });
      await paul.sees({ event: "roster", jid: this.romeo.bare, subscription: "both" });
    }

    async stop(): Promise<void> {
      this.#romeo?.stop();
      await this.#bridge?.stop();
      await this.#server?.stop();
    }
  }

  const patient = new Deployment("patient.test", `${at}.2`);
  const hasty = new Deployment("hasty.test", `${at}.3`, { S2S_PATIENCE: `${HASTE_SECONDS}` });
  const deployments = [patient, hasty];
  let remote: Remote;
  let paul: Agent;
  /** The process is there again, and Paul. */
  let back: Promise<number>;

  async function logPaulIn(): Promise<void> {
    paul = new Agent(`${PAUL}/rome`, PASSWORD, theirs, 5222, authorities);
    await paul.sees({ event: "ready" });
  }

  async function comeBack(): Promise<number> {
    await delay(AWAY_MS);
    await remote.start();
    await logPaulIn();
    return Date.now();
  }

  beforeAll(async () => {
    writeFileSync(authorities, readFileSync(authority.file));
    remote = await make.start({
      domain: THERE,
      address: theirs,
      identity: authority.issue("there", [THERE], { purpose: make.purpose }),
      authority: authority.file,
      secure: true,
      hosts: Object.fromEntries(deployments.map(({ domain, host }) => [domain, host])),
      accounts: { paul: PASSWORD },
    });
    await logPaulIn();
    for (const deployment of deployments) {
      await deployment.start();
      await deployment.acquaint();
    }
    paul.stop();
    await remote.kill9();
    back = comeBack();
  });
  afterAll(async () => {
    await back?.catch(() => {});
    paul?.stop();
    for (const deployment of deployments) await deployment.stop();
    await remote?.stop();
    rmSync(folder, { recursive: true });
  }, AWAY_MS + LATE_MS);

  test.concurrent(
    "what is sent meanwhile arrives in order, and nothing comes back",
    async ({ annotate }) => {
      const { romeo } = patient;
      const bodies = Array.from({ length: 20 }, (_, n) => `patient ${n}`);
      for (const body of bodies) {
        romeo.do("message", { to: PAUL, body });
        await delay(AWAY_MS / bodies.length);
      }
      const since = await back;
      const heard: string[] = [];
      while (heard.at(-1) !== bodies.at(-1)) {
        const { body = "" } = await paul.sees({ event: "message", sender: romeo.jid }, LATE_MS);
        // After a cut a stanza may come twice.
        if (!heard.includes(body)) heard.push(body);
      }
      expect(heard).toEqual(bodies);
      await annotate(`all of it ${Date.now() - since} ms after the other server was back`);
      await romeo.asks("disco", { to: patient.domain });
      expect(romeo.seen({ event: "message", type: "error" })).toEqual([]);
    },
    AWAY_MS + 2 * LATE_MS,
  );

  test.concurrent(
    "what is sent by who does not wait so long comes back once, and does not arrive later",
    async () => {
      const { romeo } = hasty;
      for (const round of ["first", "second"]) {
        const ids = Array.from({ length: 5 }, (_, n) => `${round}-${n}`);
        for (const id of ids) romeo.do("message", { to: PAUL, body: `hasty ${id}`, id });
        for (const id of ids) {
          const error = { event: "message", type: "error", error: "remote-server-timeout", id } as const;
          await romeo.sees(error, HASTE_SECONDS * 1000 + LATE_MS);
        }
      }
      await back;
      romeo.do("message", { to: PAUL, body: "new" });
      await paul.sees({ event: "message", sender: romeo.jid, body: "new" }, LATE_MS);
      paul.do("message", { to: romeo.jid, body: "heard" });
      await romeo.sees({ event: "message", body: "heard" });
      expect(paul.seen({ event: "message", sender: romeo.jid })).toEqual([]);
      expect(romeo.seen({ event: "message", type: "error" })).toEqual([]);
    },
    AWAY_MS + 4 * LATE_MS,
  );
}

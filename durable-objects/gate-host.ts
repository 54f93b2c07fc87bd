/** A gate in the object that it lives in: hibernatable sockets whose attachments are the streams' states. */

import { DurableObject, RpcTarget } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { features } from "../src/features/index.ts";
import { BOSH, Sessions } from "../src/gate/bosh/sessions.ts";
import type { BindRequest, Bound, Claim, HandOver } from "../src/gate/calls.ts";
import { Gate as Streams } from "../src/gate/gate.ts";
import { GUEST, GUEST_STREAM } from "../src/gate/guests.ts";
import { type Newcomer, newStream, type StreamState } from "../src/gate/state.ts";
import type { Socket, Stream } from "../src/gate/stream.ts";
import { BOSH_LEG, type BoshRequest, type BoshResponse, GATE_FULL, GATE_HEADERS } from "../src/gate/upgrade.ts";
import { WAITING } from "../src/gate/waiting.ts";
import type { Secrets } from "../src/kernel/entity.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { gateBeside } from "../src/kernel/placement.ts";
import { type Delivered, type Delivery, type Item, Post } from "../src/kernel/post.ts";
import type { Judgement } from "../src/protocol/authentication.ts";
import { randomName } from "../src/protocol/base32.ts";
import type { Token } from "../src/protocol/fast.ts";
import { settingsOf } from "../src/settings.ts";
import { DEFAULT_LIMITS } from "../src/xml/reader.ts";
import { isLeg, Legs, SOON_MS } from "./bosh.ts";
import { type Env, logOf, type Near, type Storage, stubs } from "./ports.ts";
import type { GateRpc } from "./rpc.ts";
import { Turns } from "./turns.ts";

const kernel = new Kernel(features);

export const GATE_TABLES = [WAITING, GUEST, GUEST_STREAM, BOSH];

/** Where a gate is: its name, what is kept there, and who lives in the same object. */
export interface GatePlace extends Storage {
  name: string;
  secrets: Secrets;
  near?: Near;
}

/** What other objects call is the target of their calls; what the runtime calls comes by its object. */
export class GateHost extends RpcTarget implements GateRpc {
  readonly #ctx: DurableObjectState;
  readonly #streams: Streams;
  readonly #legs: Legs;
  readonly #turns = new Turns();
  /** The stream of each socket; rebuilt from the attachments. */
  readonly #sockets = new WeakMap<WebSocket, Stream>();
  readonly #limit: number;
  readonly #addressKey: string;

  constructor(ctx: DurableObjectState, env: Env, { name, secrets, near, sql, alarms }: GatePlace) {
    super();
    const settings = settingsOf(env);
    const log = logOf(settings);
    const { at, gate, user, directory } = stubs(env, settings, near);
    this.#ctx = ctx;
    this.#limit = settings.gateSockets;
    this.#addressKey = secrets.address;
    const post: Post = new Post({
      settings,
      self: { kind: "GATE", name },
      calls: at,
      local: (item) => this.#streams.receive([item]),
      delivered: (result, batch) => this.#streams.delivered(result, batch),
      log,
    });
    const redeem = (token: string) => directory().redeem(token);
    let sessions: Sessions | undefined;
    const due = (_: string, entity: string) => sessions?.alarm(entity);
    const ports = { name, settings, secrets, kernel, post, log, accounts: user, gates: gate, redeem, due };
    this.#streams = new Streams({ ...ports, sql, alarms });
    sessions = new Sessions({
      sql,
      alarms,
      gate: name,
      limits: { ...DEFAULT_LIMITS, bytes: settings.maxStanzaBytes },
      accept: (state, socket) => this.#streams.accept(state, socket),
      lost: (stream) => this.#streams.lost(stream),
    });
    this.#legs = new Legs(ctx, sessions, gateBeside(settings) === undefined ? SOON_MS.edge : SOON_MS.machine);
    for (const ws of ctx.getWebSockets()) this.#adopt(ws);
  }

  /** A socket that has outlived the object's memory. One without our attachment is of no version we know. */
  #adopt(ws: WebSocket): void {
    const state = ws.deserializeAttachment() as StreamState | null;
    if (isLeg(state)) return this.#legs.revive(ws, state);
    if (state?.version === 1) this.#sockets.set(ws, this.#streams.accept(state, socketOver(ws)));
    else ws.close(1012, "start over");
  }

  /** The upgrade of RFC 7395; the edge has checked all that can be refused without a stream. */
  async fetch(request: Request): Promise<Response> {
    const leg = request.headers.get(BOSH_LEG);
    if (leg !== null) return this.#legs.upgrade(leg);
    if (this.#streams.size >= this.#limit)
      return new Response("This gate is full.", { status: 503, headers: { [GATE_FULL]: "1" } });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    const { headers } = request;
    const state = this.#newcomer({
      address: headers.get(GATE_HEADERS.address) ?? "",
      secure: headers.get(GATE_HEADERS.private) === "1",
      site: headers.get(GATE_HEADERS.site) ?? "",
    });
    const bindings = JSON.parse(headers.get(GATE_HEADERS.bindings) ?? "[]") as [string, string][];
    if (bindings.length > 0) state.bindings = bindings;
    server.serializeAttachment(state);
    this.#sockets.set(server, this.#streams.accept(state, socketOver(server)));
    return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "xmpp" } });
  }

  async bosh(request: BoshRequest): Promise<BoshResponse> {
    // A commit costs more than a request.
    await this.#turns.next();
    const { newcomer } = request;
    if (newcomer && this.#streams.size >= this.#limit) return "full";
    return this.#legs.request(request, newcomer && (() => this.#newcomer(newcomer)));
  }

  #newcomer({ address, secure, site }: Newcomer): StreamState {
    // The address itself is kept nowhere: limits and bans work on a hash that only this deployment can make.
    const hash = createHmac("sha256", this.#addressKey).update(address).digest("base64url");
    return newStream(randomName(), { address: hash, secure, site }, Date.now());
  }

  webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void {
    if (typeof message !== "string") return ws.close(1003, "XMPP is text"); // RFC 7395 §3.2
    if (!this.#legs.message(ws)) this.#sockets.get(ws)?.receive(message);
  }

  webSocketClose(ws: WebSocket, code: number): void {
    try {
      ws.close(code === 1005 || code === 1006 ? 1000 : code, "");
    } catch {
      // It is closed on both sides already.
    }
    this.#lost(ws);
  }

  webSocketError(ws: WebSocket): void {
    this.#lost(ws);
  }

  #lost(ws: WebSocket): void {
    if (this.#legs.lost(ws)) return;
    const stream = this.#sockets.get(ws);
    this.#sockets.delete(ws);
    if (stream) this.#streams.lost(stream);
  }

  async deliver(batch: Delivery[]): Promise<Delivered> {
    return this.#streams.deliver(batch);
  }

  async receive(batch: Item[]): Promise<void> {
    this.#streams.receive(batch);
  }

  async judge(jid: string, claim: Claim): Promise<Judgement> {
    return this.#streams.guests.judge(jid, claim);
  }

  async issue(jid: string, client: string, mechanism: string, address: string): Promise<Token | undefined> {
    return this.#streams.guests.issue(jid, client, mechanism, address);
  }

  async bind(jid: string, request: BindRequest): Promise<Bound> {
    return this.#streams.guests.bind(jid, request);
  }

  async resume(jid: string, sid: string, gate: string): Promise<string | undefined> {
    return this.#streams.guests.resume(jid, sid, gate);
  }

  async handOver(sid: string, jid: string, to: string): Promise<HandOver | undefined> {
    return this.#streams.handOver(sid, jid, to);
  }

  async missing(sids: string[]): Promise<string[]> {
    return this.#streams.missing(sids);
  }

  async alarm(): Promise<void> {
    await this.#streams.alarm();
  }
}

/** An object that hosts a gate: one of its own, or one that has accounts beside it. */
export abstract class StreamObject extends DurableObject<Env> {
  protected streams: GateHost | undefined;

  /** What other objects call of it. */
  get gate(): GateHost | undefined {
    return this.streams;
  }

  override async fetch(request: Request): Promise<Response> {
    return this.streams?.fetch(request) ?? new Response("No streams are here.", { status: 404 });
  }

  async bosh(request: BoshRequest): Promise<BoshResponse> {
    return this.streams?.bosh(request) ?? "full";
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void {
    this.streams?.webSocketMessage(ws, message);
  }

  override webSocketClose(ws: WebSocket, code: number): void {
    this.streams?.webSocketClose(ws, code);
  }

  override webSocketError(ws: WebSocket): void {
    this.streams?.webSocketError(ws);
  }

  override async alarm(): Promise<void> {
    await this.streams?.alarm();
  }
}

/** A socket may close under our hands at any time; its close event says what becomes of the stream. */
function socketOver(ws: WebSocket): Socket {
  return {
    send(text) {
      try {
        ws.send(text);
      } catch {
        // It is closed. To ask for its state before each frame would cost a call into the runtime, 3 % of a fan-out.
      }
    },
    close(code, reason) {
      if (ws.readyState === WebSocket.OPEN) ws.close(code, reason.slice(0, 100));
    },
    attach: (state) => ws.serializeAttachment(state),
  };
}

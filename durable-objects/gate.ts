/** Holds client streams: hibernatable sockets whose attachments are the streams' states. */

import { DurableObject } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { features } from "../src/features/index.ts";
import { BOSH, Sessions } from "../src/gate/bosh/sessions.ts";
import type { HandOver } from "../src/gate/calls.ts";
import { Gate as Streams } from "../src/gate/gate.ts";
import { newStream, type StreamState } from "../src/gate/state.ts";
import type { Socket, Stream } from "../src/gate/stream.ts";
import { BOSH_LEG, type BoshRequest, type BoshResponse, GATE_FULL, GATE_HEADERS } from "../src/gate/upgrade.ts";
import { WAITING } from "../src/gate/waiting.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { type Delivered, type Delivery, type Item, Post } from "../src/kernel/post.ts";
import { randomName } from "../src/protocol/base32.ts";
import { settingsOf } from "../src/settings.ts";
import { DEFAULT_LIMITS } from "../src/xml/reader.ts";
import { isLeg, Legs } from "./bosh.ts";
import { type Env, logOf, storageOf, stubs } from "./ports.ts";
import type { GateRpc } from "./rpc.ts";

const kernel = new Kernel(features);

export class Gate extends DurableObject<Env> implements GateRpc {
  #streams!: Streams;
  #legs!: Legs;
  /** The stream of each socket; rebuilt from the attachments. */
  readonly #sockets = new WeakMap<WebSocket, Stream>();
  readonly #limit: number;
  #addressKey = "";

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const log = logOf(settings);
    const { at, gate, user, directory } = stubs(env, settings);
    const name = ctx.id.name as string;
    this.#limit = settings.gateSockets;
    ctx.blockConcurrencyWhile(async () => {
      const secrets = await directory().secrets();
      this.#addressKey = secrets.address;
      const post: Post = new Post({
        settings,
        self: { kind: "GATE", name },
        calls: at,
        local: (item) => this.#streams.receive([item]),
        log,
      });
      const redeem = (token: string) => directory().redeem(token);
      const storage = storageOf(ctx, [WAITING, BOSH]);
      let sessions: Sessions | undefined;
      const due = (_: string, entity: string) => sessions?.alarm(entity);
      const ports = { name, settings, secrets, kernel, post, log, accounts: user, gates: gate, redeem, due };
      this.#streams = new Streams({ ...ports, ...storage });
      sessions = new Sessions({
        ...storage,
        gate: name,
        limits: { ...DEFAULT_LIMITS, bytes: settings.maxStanzaBytes },
        accept: (state, socket) => this.#streams.accept(state, socket),
        lost: (stream) => this.#streams.lost(stream),
      });
      this.#legs = new Legs(ctx, sessions);
      for (const ws of ctx.getWebSockets()) this.#adopt(ws);
    });
  }

  /** A socket that has outlived the object's memory. One without our attachment is of no version we know. */
  #adopt(ws: WebSocket): void {
    const state = ws.deserializeAttachment() as StreamState | null;
    if (isLeg(state)) return this.#legs.revive(ws, state);
    if (state?.version === 1) this.#sockets.set(ws, this.#streams.accept(state, socketOver(ws)));
    else ws.close(1012, "start over");
  }

  /** The upgrade of RFC 7395; the edge has checked all that can be refused without a stream. */
  override async fetch(request: Request): Promise<Response> {
    const leg = request.headers.get(BOSH_LEG);
    if (leg !== null) return this.#legs.upgrade(leg);
    if (this.#streams.size >= this.#limit)
      return new Response("This gate is full.", { status: 503, headers: { [GATE_FULL]: "1" } });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const { headers } = request;
    const state = this.#newcomer(headers.get(GATE_HEADERS.address) ?? "", headers.get(GATE_HEADERS.private) === "1");
    const bindings = JSON.parse(headers.get(GATE_HEADERS.bindings) ?? "[]") as [string, string][];
    if (bindings.length > 0) state.bindings = bindings;
    server.serializeAttachment(state);
    this.#sockets.set(server, this.#streams.accept(state, socketOver(server)));
    return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "xmpp" } });
  }

  async bosh(request: BoshRequest): Promise<BoshResponse> {
    if (request.newcomer && this.#streams.size >= this.#limit) return "full";
    return this.#legs.request(request, () => this.#newcomer(request.address, request.secure));
  }

  #newcomer(address: string, secure: boolean): StreamState {
    // The address itself is kept nowhere: limits and bans work on a hash that only this deployment can make.
    const hash = createHmac("sha256", this.#addressKey).update(address).digest("base64url");
    return newStream(randomName(), hash, secure, Date.now());
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void {
    if (typeof message !== "string") return ws.close(1003, "XMPP is text"); // RFC 7395 §3.2
    if (!this.#legs.message(ws)) this.#sockets.get(ws)?.receive(message);
  }

  override webSocketClose(ws: WebSocket, code: number): void {
    try {
      ws.close(code === 1005 || code === 1006 ? 1000 : code, "");
    } catch {
      // It is closed on both sides already.
    }
    this.#lost(ws);
  }

  override webSocketError(ws: WebSocket): void {
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

  async handOver(sid: string, jid: string | undefined, to: string): Promise<HandOver | undefined> {
    return this.#streams.handOver(sid, jid, to);
  }

  async missing(sids: string[]): Promise<string[]> {
    return this.#streams.missing(sids);
  }

  override async alarm(): Promise<void> {
    this.#streams.alarm();
  }
}

/** A socket may close under our hands at any time; its close event says what becomes of the stream. */
function socketOver(ws: WebSocket): Socket {
  const guarded =
    <A extends unknown[]>(run: (...args: A) => void) =>
    (...args: A) => {
      if (ws.readyState !== WebSocket.OPEN) return;
      run(...args);
    };
  return {
    send: guarded((text: string) => ws.send(text)),
    close: guarded((code: number, reason: string) => ws.close(code, reason.slice(0, 100))),
    attach: (state) => ws.serializeAttachment(state),
  };
}

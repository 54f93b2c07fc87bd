/** Holds other servers' streams: hibernatable sockets whose attachments are the streams' states. */
import { DurableObject } from "cloudflare:workers";
import { features } from "../src/features/index.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { Post } from "../src/kernel/post.ts";
import { addressable } from "../src/peer/enter.ts";
import { COUNTS } from "../src/peer/websocket/counts.ts";
import { Door as Streams } from "../src/peer/websocket/door.ts";
import type { Incoming } from "../src/peer/websocket/incoming.ts";
import { type IncomingState, newIncoming } from "../src/peer/websocket/incoming-state.ts";
import { randomName } from "../src/protocol/base32.ts";
import { settingsOf } from "../src/settings.ts";
import { dial } from "./dial.ts";
import { type Env, logOf, storageOf, stubs } from "./ports.ts";
import type { DoorRpc } from "./rpc.ts";
import { Turns } from "./turns.ts";

const kernel = new Kernel(features);

export class Door extends DurableObject<Env> implements DoorRpc {
  #streams!: Streams;
  /** The stream of each socket; rebuilt from the attachments. */
  readonly #sockets = new WeakMap<WebSocket, Incoming>();
  readonly #turns = new Turns();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const log = logOf(settings);
    const { at, directory, door, peer } = stubs(env, settings);
    const name = ctx.id.name as string;
    ctx.blockConcurrencyWhile(async () => {
      const { dialback: secret } = await directory().secrets();
      // Stanzas come in here and go on; none is for this object.
      const post = new Post({
        settings,
        self: { kind: "DOOR", name },
        calls: at,
        local: () => {},
        delivered: () => {},
        log,
      });
      this.#streams = new Streams({
        ...storageOf(ctx, [COUNTS]),
        name,
        settings,
        kernel,
        log,
        post,
        secret,
        hosts: new Set(addressable(settings)),
        fetch: (url, init) => fetch(url, init),
        origins: settings.s2sOrigins,
        dial,
        proof: (domain, id) => {
          peer(domain)
            .answered(id)
            .catch((error) => log.error("an answer was lost", error, { domain }));
        },
        heard: (domain) => {
          peer(domain)
            .heard()
            .catch((error) => log.error("a server's return was not told", error, { domain }));
        },
        ask: (other, stream, domain) => door(other).custody(stream, domain),
      });
      for (const socket of ctx.getWebSockets()) this.#adopt(socket, socket.deserializeAttachment() as IncomingState);
    });
  }

  #adopt(socket: WebSocket, state: IncomingState): void {
    const open = () => socket.readyState === WebSocket.OPEN;
    const stream = this.#streams.accept(state, {
      send: (text) => {
        if (open()) socket.send(text);
      },
      close: () => {
        if (open()) socket.close(1000, "");
      },
      attach: (next) => {
        if (open()) socket.serializeAttachment(next);
      },
    });
    this.#sockets.set(socket, stream);
  }

  /** The upgrade; the edge has checked all that can be refused without a stream. */
  override async fetch(): Promise<Response> {
    if (this.#streams.full)
      return new Response("Too many servers.\n", { status: 503, headers: { "retry-after": "60" } });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const state = newIncoming(this.ctx.id.name as string, randomName(), Date.now());
    server.serializeAttachment(state);
    this.#adopt(server, state);
    return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "xmpp" } });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message !== "string") return socket.close(1003, "XMPP is text"); // RFC 7395 §3.2
    await this.#turns.next();
    this.#sockets.get(socket)?.receive(message);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    // Behind what came before.
    await this.#turns.next();
    const stream = this.#sockets.get(socket);
    if (stream) this.#streams.lost(stream);
    this.#sockets.delete(socket);
    if (socket.readyState === WebSocket.OPEN) socket.close(1000, "");
  }

  override webSocketError(socket: WebSocket): Promise<void> {
    return this.webSocketClose(socket);
  }

  async custody(name: string, domain: string): Promise<number | undefined> {
    return this.#streams.custody(name, domain);
  }

  override async alarm(): Promise<void> {
    this.#streams.alarm();
  }
}

/** One remote domain: its queue, our stream to it, and the sockets of the bridges that reach it. */
import { DurableObject } from "cloudflare:workers";
import { features } from "../src/features/index.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { type Item, Post } from "../src/kernel/post.ts";
import type { ToPeer } from "../src/peer/frames.ts";
import type { Link, LinkState } from "../src/peer/link.ts";
import { Peer as Remote } from "../src/peer/peer.ts";
import { QUEUE } from "../src/peer/queue.ts";
import { WAYS, Ways } from "../src/peer/websocket/way.ts";
import { settingsOf } from "../src/settings.ts";
import { dial } from "./dial.ts";
import { type Env, logOf, storageOf, stubs } from "./ports.ts";
import type { PeerRpc } from "./rpc.ts";
import { Turns } from "./turns.ts";

const kernel = new Kernel(features);

export class Peer extends DurableObject<Env> implements PeerRpc {
  readonly #remote: Remote;
  /** Rebuilt from the sockets. */
  readonly #links = new WeakMap<WebSocket, Link>();
  readonly #turns = new Turns();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const log = logOf(settings);
    const { at, directory } = stubs(env, settings);
    const domain = ctx.id.name as string;
    const post: Post = new Post({
      settings,
      self: { kind: "PEER", name: domain },
      calls: at,
      local: (item) => this.#remote.receive([item]),
      log,
    });
    const storage = storageOf(ctx, [QUEUE, ...WAYS]);
    const ways = new Ways({
      ...storage,
      domain,
      settings,
      log,
      dial,
      fetch: (url, init) => fetch(url, init),
      origins: settings.s2sOrigins,
      secret: async () => (await directory().secrets()).dialback,
      bridge: (to) => directory().reach(to),
      linked: (link) => this.#remote.linked(link),
      unlinked: (link) => this.#remote.unlinked(link),
      frame: (link, frame) => this.#remote.frame(link, frame),
    });
    const reach = () => ways.reach();
    const tend = () => ways.tend();
    this.#remote = new Remote({ ...storage, domain, settings, kernel, post, log, reach, tend });
    for (const socket of ctx.getWebSockets()) this.#adopt(socket);
  }

  #adopt(socket: WebSocket): void {
    const kept = socket.deserializeAttachment() as LinkState | null;
    const link: Link = {
      state: kept ?? { bridge: "", sent: 0, taken: 0 },
      send: (frame) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
      },
      close: () => socket.close(1000, ""),
      save: () => socket.serializeAttachment(link.state),
    };
    this.#links.set(socket, link);
    this.#remote.linked(link);
  }

  /** A bridge's link; the edge has checked its token. */
  override async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#adopt(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#turns.next();
    const link = this.#links.get(socket);
    if (link) this.#remote.frame(link, JSON.parse(String(message)) as ToPeer);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    // Behind what came before.
    await this.#turns.next();
    const link = this.#links.get(socket);
    if (link) this.#remote.unlinked(link);
    this.#links.delete(socket);
  }

  override webSocketError(socket: WebSocket): Promise<void> {
    return this.webSocketClose(socket);
  }

  async receive(batch: Item[]): Promise<void> {
    // A bridge that has said before that it failed is sent nothing that would pass what it failed with.
    await this.#turns.next();
    this.#remote.receive(batch);
  }

  async answered(id: string): Promise<void> {
    this.#remote.answered(id);
  }

  async heard(): Promise<void> {
    this.#remote.heard();
  }

  override async alarm(): Promise<void> {
    this.#remote.alarm();
  }
}

/** XEP-0124: BOSH requests as the gate's object sees them: what cannot be answered at once waits on a socket to the Worker. */

import type { Leg } from "../src/gate/bosh/responses.ts";
import type { Sessions } from "../src/gate/bosh/sessions.ts";
import type { StreamState } from "../src/gate/state.ts";
import type { BoshRequest, BoshResponse } from "../src/gate/upgrade.ts";
import { randomName } from "../src/protocol/base32.ts";

/**
 * A response that comes so soon goes back with the call; a socket for it would cost more. On the edge it is no longer than the
 * gate is awake anyway, until it has saved what changed; on one machine nobody pays for an object that is awake.
 */
export const SOON_MS = { edge: 20, machine: 1000 };
/** A request whose Worker does not come for it with a socket. */
const LOST_MS = 10_000;

/** What a leg's attachment says after the object was forgotten. */
interface LegState {
  version: "bosh";
  sid: string;
  rid: number;
  hash: string;
}

export const isLeg = (state: unknown): state is LegState => (state as LegState | null)?.version === "bosh";

/** A response that is given soon, or on a socket that hibernates until there is one. */
class Waiting implements Leg {
  text: string | undefined;
  socket: WebSocket | undefined;
  readonly #answered = Promise.withResolvers<void>();

  answer(text: string): void {
    this.text = text;
    this.#answered.resolve();
    if (this.socket) say(this.socket, text);
  }

  async soon(milliseconds: number): Promise<void> {
    const { promise, resolve } = this.#answered;
    const timer = setTimeout(resolve, milliseconds);
    await promise;
    clearTimeout(timer);
  }
}

function say(socket: WebSocket, text: string): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(text);
  socket.close(1000, "");
}

export class Legs {
  readonly #ctx: DurableObjectState;
  readonly #sessions: Sessions;
  readonly #soon: number;
  readonly #legs = new WeakMap<WebSocket, { sid: string; rid: number; leg: Leg }>();
  /** Requests on the way from their call to their socket. */
  readonly #between = new Map<string, { leg: Waiting; state: LegState; timer: NodeJS.Timeout }>();

  constructor(ctx: DurableObjectState, sessions: Sessions, soon: number) {
    this.#ctx = ctx;
    this.#sessions = sessions;
    this.#soon = soon;
  }

  /** A request that has outlived the object's memory. */
  revive(socket: WebSocket, { sid, rid, hash }: LegState): void {
    const session = this.#sessions.get(sid);
    if (!session) return socket.close(1000, "");
    const leg: Leg = { answer: (text) => say(socket, text) };
    this.#legs.set(socket, { sid, rid, leg });
    session.revive(rid, hash, leg);
  }

  async request({ text, secure }: BoshRequest, newcomer?: () => StreamState): Promise<BoshResponse> {
    const leg = new Waiting();
    const { session, rid, hash } = this.#sessions.request(text, secure, leg, newcomer);
    const content = session?.state.content ?? "text/xml; charset=utf-8";
    if (leg.text === undefined) await leg.soon(this.#soon);
    if (leg.text !== undefined || !session) return { content, text: leg.text ?? "" };
    const name = randomName();
    const { sid, wait } = session.state;
    // Ended when it has come, for a timer keeps the object from being forgotten.
    const timer = setTimeout(() => {
      this.#between.delete(name);
      session.lost(rid, leg);
    }, LOST_MS);
    this.#between.set(name, { leg, state: { version: "bosh", sid, rid, hash }, timer });
    return { content, leg: name, wait };
  }

  /** The Worker comes with a socket for a request that has to wait. */
  upgrade(name: string): Response {
    const found = this.#between.get(name);
    this.#between.delete(name);
    if (!found) return new Response("There is no such request.", { status: 404 });
    const { leg, state, timer } = found;
    clearTimeout(timer);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    server.serializeAttachment(state);
    leg.socket = server;
    this.#legs.set(server, { sid: state.sid, rid: state.rid, leg });
    if (leg.text !== undefined) say(server, leg.text);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** The Worker says that the longest wait has passed. False when this is no leg. */
  message(socket: WebSocket): boolean {
    const found = this.#legs.get(socket);
    if (!found) return false;
    this.#sessions.get(found.sid)?.timeout(found.rid);
    return true;
  }

  lost(socket: WebSocket): boolean {
    const found = this.#legs.get(socket);
    if (!found) return false;
    this.#legs.delete(socket);
    this.#sessions.get(found.sid)?.lost(found.rid, found.leg);
    return true;
  }
}

/** XEP-0124: BOSH requests as the gate's object sees them: what cannot be answered at once waits on a socket to the Worker. */
import { hashOf, type Leg } from "../src/gate/bosh/session.ts";
import type { Sessions } from "../src/gate/bosh/sessions.ts";
import type { StreamState } from "../src/gate/state.ts";
import { BOSH_HEADERS } from "../src/gate/upgrade.ts";

/** What a leg's attachment says after the object was forgotten. */
interface LegState {
  version: "bosh";
  sid: string;
  rid: number;
  hash: string;
}

export const isLeg = (state: unknown): state is LegState => (state as LegState | null)?.version === "bosh";

/** A response that is given at once, or on a socket that hibernates until there is one. */
class Waiting implements Leg {
  text: string | undefined;
  socket: WebSocket | undefined;

  answer(text: string): void {
    this.text = text;
    if (this.socket) say(this.socket, text);
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
  readonly #legs = new WeakMap<WebSocket, { sid: string; rid: number; leg: Leg }>();

  constructor(ctx: DurableObjectState, sessions: Sessions) {
    this.#ctx = ctx;
    this.#sessions = sessions;
  }

  /** A request that has outlived the object's memory. */
  revive(socket: WebSocket, { sid, rid, hash }: LegState): void {
    const session = this.#sessions.get(sid);
    if (!session) return socket.close(1000, "");
    const leg: Leg = { answer: (text) => say(socket, text) };
    this.#legs.set(socket, { sid, rid, leg });
    session.revive(rid, hash, leg);
  }

  async request(request: Request, secure: boolean, newcomer: () => StreamState): Promise<Response> {
    const text = await request.text();
    const leg = new Waiting();
    const { session, rid } = this.#sessions.request(text, secure, leg, newcomer);
    const headers = { "content-type": session?.state.content ?? "text/xml; charset=utf-8" };
    if (leg.text !== undefined || !session) return new Response(leg.text, { headers });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    const { sid, wait } = session.state;
    server.serializeAttachment({ version: "bosh", sid, rid, hash: hashOf(text) } satisfies LegState);
    leg.socket = server;
    this.#legs.set(server, { sid, rid, leg });
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { ...headers, [BOSH_HEADERS.wait]: String(wait) },
    });
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

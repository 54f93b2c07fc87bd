/** The way in: WebSockets from the bridge to the server, with what the bridge vouches for. */
import WebSocket from "ws";
import { BRIDGE_HEADERS } from "../gate/upgrade.ts";
import type { BridgeFacts } from "../peer/frames.ts";
import { Refusal } from "./options.ts";

export class Inward {
  readonly #base: string;
  readonly #token: string;

  /** `url`: the server's origin, http or https. */
  constructor(url: string, token: string) {
    this.#base = url.replace(/^http/, "ws").replace(/\/$/, "");
    this.#token = token;
  }

  /** A client's stream. */
  client(address: string, bindings: [type: string, data: string][]): WebSocket {
    return this.#connect("/xmpp-websocket", "xmpp", {
      [BRIDGE_HEADERS.address]: address,
      [BRIDGE_HEADERS.bindings]: JSON.stringify(bindings),
    });
  }

  /** Where the server says whom it wants to reach. */
  waiting(): WebSocket {
    return this.#connect("/bridge/wait");
  }

  /** A link to the object of another server. */
  peer(domain: string): WebSocket {
    return this.#connect(`/bridge/peer/${encodeURIComponent(domain)}`);
  }

  async facts(): Promise<BridgeFacts> {
    const url = `${this.#base.replace(/^ws/, "http")}/bridge/facts`;
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(url, { headers }).catch((error: Error) => {
      throw new Refusal(`${url} cannot be reached: ${(error.cause as Error | undefined)?.message || error.message}`);
    });
    if (!response.ok) throw new Refusal(`${url} answered ${response.status}: ${(await response.text()).trim()}`);
    return (await response.json()) as BridgeFacts;
  }

  #connect(path: string, protocol?: string, facts: Record<string, string> = {}): WebSocket {
    const headers = { authorization: `Bearer ${this.#token}`, ...facts };
    const options = { headers, perMessageDeflate: false, skipUTF8Validation: true };
    return protocol ? new WebSocket(this.#base + path, protocol, options) : new WebSocket(this.#base + path, options);
  }
}

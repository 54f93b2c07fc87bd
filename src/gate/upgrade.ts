/** What the edge tells a gate with an upgrade, and what the gate may answer. */
import type { Newcomer } from "./state.ts";

/** Headers that a gate may believe: the edge always sets them, whatever a client sent. */
export const GATE_HEADERS = {
  address: "x-gate-address",
  private: "x-gate-private",
  bindings: "x-gate-bindings",
  site: "x-gate-site",
} as const;
/** A BOSH request as the edge hands it on. */
export interface BoshRequest {
  text: string;
  /** Nobody could have read it on the way. */
  secure: boolean;
  /** Of a request that names no session: who has come. */
  newcomer?: Newcomer;
}

/** Its response; or, when that has to wait, the name under which a socket fetches it within `wait` seconds. */
export type BoshResponse = { content: string; text: string } | { content: string; leg: string; wait: number } | "full";

/** Names the request that a socket is for. */
export const BOSH_LEG = "x-bosh-leg";
/** What a bridge says of a stream; `bindings` are its channel bindings, a JSON array of type and base64. */
export const BRIDGE_HEADERS = { address: "x-bridge-address", bindings: "x-bridge-bindings" } as const;
/** A gate's 503 with this header means: try the next one. */
export const GATE_FULL = "x-gate-full";

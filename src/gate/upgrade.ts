/** What the edge tells a gate with an upgrade, and what the gate may answer. */

/** Headers that a gate may believe: the edge always sets them, whatever a client sent. */
export const GATE_HEADERS = { address: "x-gate-address", private: "x-gate-private" } as const;
/** To a gate: the session that a BOSH request names. From it: the seconds that a request may wait for its response. */
export const BOSH_HEADERS = { sid: "x-bosh-sid", wait: "x-bosh-wait" } as const;
/** A gate's 503 with this header means: try the next one. */
export const GATE_FULL = "x-gate-full";

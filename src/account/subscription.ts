/** RFC 6121 §A: the states of a presence subscription and what moves them — https://www.rfc-editor.org/rfc/rfc6121#appendix-A */
import type { Contact, Subscription } from "./contacts.ts";

/** From the owner's view; "out": the owner has asked, "in": the contact has. */
export type State = Subscription | "none+out" | "none+in" | "none+out+in" | "to+in" | "from+out";
export type Step = "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed";

/** Next states; one that is not named stays as it is. */
type Moves = Readonly<Partial<Record<State, State>>>;

/** The owner gives up seeing the contact (table 3), or the contact no longer shows itself (table 9). */
const NO_MORE_TO: Moves = {
  "none+out": "none",
  "none+out+in": "none+in",
  to: "none",
  "to+in": "none+in",
  "from+out": "from",
  both: "from",
};
/** The owner no longer shows itself (table 5), or the contact gives up seeing it (table 7). */
const NO_MORE_FROM: Moves = {
  "none+in": "none",
  "none+out+in": "none+out",
  "to+in": "to",
  from: "none",
  "from+out": "none+out",
  both: "to",
};
const OUTBOUND: Readonly<Record<Step, Moves>> = {
  subscribe: { none: "none+out", "none+in": "none+out+in", from: "from+out" },
  unsubscribe: NO_MORE_TO,
  subscribed: { "none+in": "from", "none+out+in": "from+out", "to+in": "both" },
  unsubscribed: NO_MORE_FROM,
};
const INBOUND: Readonly<Record<Step, Moves>> = {
  subscribe: { none: "none+in", "none+out": "none+out+in", to: "to+in" },
  unsubscribe: NO_MORE_FROM,
  subscribed: { "none+out": "to", "none+out+in": "to+in", "from+out": "both" },
  unsubscribed: NO_MORE_TO,
};

export interface Move {
  next: State;
  /** The pre-approval afterwards (§3.4). */
  approved: boolean;
  /** Whether the stanza goes on to the other side, or to the owner's clients. */
  pass: boolean;
  /** The contact is told at once that it is subscribed. */
  reply: boolean;
}

/** The owner sends a step to the contact (§A.2). */
export function outbound(state: State, step: Step, approved: boolean): Move {
  const next = OUTBOUND[step][state] ?? state;
  const moved = next !== state;
  // Requests always travel on: they mend what the two sides may remember differently.
  const pass = moved || step === "subscribe" || step === "unsubscribe";
  if (step === "unsubscribed") approved = false;
  else if (step === "subscribed") approved = moved ? false : approved || !grants(state);
  return { next, approved, pass, reply: false };
}

/** The contact sends a step to the owner (§A.3). */
export function inbound(state: State, step: Step, approved: boolean): Move {
  const next = INBOUND[step][state] ?? state;
  if (step === "subscribe") {
    if (grants(state)) return { next, approved, pass: false, reply: true };
    // The approval is spent: should the contact leave and ask again, the owner is asked too.
    if (approved) return { next: OUTBOUND.subscribed[next] ?? next, approved: false, pass: false, reply: true };
  }
  return { next, approved, pass: next !== state, reply: false };
}

/** Whether the contact sees the owner's presence. */
function grants(state: State): boolean {
  return state === "from" || state === "from+out" || state === "both";
}

export function stateOf({ subscription, ask, request }: Contact): State {
  return `${subscription}${ask ? "+out" : ""}${request === undefined ? "" : "+in"}` as State;
}

/** Brings a contact into a state. `request`: the children of the stanza that asked, for when it becomes pending. */
export function enter(contact: Contact, state: State, request = ""): void {
  const [subscription, ...pending] = state.split("+");
  contact.subscription = subscription as Subscription;
  contact.ask = pending.includes("out");
  contact.request = pending.includes("in") ? (contact.request ?? request) : undefined;
}

/** RFC 6121 §A, every row of every table. */
import { describe, expect, it } from "vitest";
import { inbound, outbound, type State, type Step } from "../../../src/account/subscription.ts";

const STATES: readonly State[] = [
  "none",
  "none+out",
  "none+in",
  "none+out+in",
  "to",
  "to+in",
  "from",
  "from+out",
  "both",
];

/** For each step: the next state in the order of STATES ("" for no change), and whether the stanza goes on ("!"). */
const OUTBOUND: Record<Step, readonly string[]> = {
  subscribe: ["!none+out", "!", "!none+out+in", "!", "!", "!", "!from+out", "!", "!"],
  unsubscribe: ["!", "!none", "!", "!none+in", "!none", "!none+in", "!", "!from", "!from"],
  subscribed: ["", "", "!from", "!from+out", "", "!both", "", "", ""],
  unsubscribed: ["", "", "!none", "!none+out", "", "!to", "!none", "!none+out", "!to"],
};
const INBOUND: Record<Step, readonly string[]> = {
  subscribe: ["!none+in", "!none+out+in", "", "", "!to+in", "", "", "", ""],
  unsubscribe: ["", "", "!none", "!none+out", "", "!to", "!none", "!none+out", "!to"],
  subscribed: ["", "!to", "", "!to+in", "", "", "", "!both", ""],
  unsubscribed: ["", "!none", "", "!none+in", "!none", "!none+in", "", "!from", "!from"],
};

const tables = [
  { direction: "outbound", table: OUTBOUND, move: outbound, number: 2 },
  { direction: "inbound", table: INBOUND, move: inbound, number: 6 },
] as const;

for (const { direction, table, move, number } of tables) {
  for (const [index, [step, rows]] of Object.entries(table).entries()) {
    describe(`RFC 6121 §A table ${number + index}: ${direction} ${step}`, () => {
      it.each(STATES.map((state, row) => [state, rows[row] ?? ""] as const))("from %s", (state, wanted) => {
        const { next, pass } = move(state, step as Step, false);
        expect(pass).toBe(wanted.startsWith("!"));
        expect(next).toBe(wanted.replace("!", "") || state);
      });
    });
  }
}

describe("RFC 6121 §3.4: pre-approval", () => {
  it.each(["none", "none+out", "to"] as const)("is noted in %s", (state) => {
    expect(outbound(state, "subscribed", false)).toEqual({ next: state, approved: true, pass: false, reply: false });
  });

  it.each(["from", "from+out", "both"] as const)("is nothing new in %s", (state) => {
    expect(outbound(state, "subscribed", false).approved).toBe(false);
  });

  it.each(["none+in", "none+out+in", "to+in"] as const)("is an approval in %s", (state) => {
    expect(outbound(state, "subscribed", false)).toMatchObject({ approved: false, pass: true });
  });

  it.each(["none", "none+out", "to"] as const)("is taken back in %s without a word to the contact", (state) => {
    expect(outbound(state, "unsubscribed", true)).toEqual({ next: state, approved: false, pass: false, reply: false });
  });

  it.each([
    ["none", "from"],
    ["none+out", "from+out"],
    ["to", "both"],
  ] as const)("answers a request in %s", (state, next) => {
    expect(inbound(state, "subscribe", true)).toEqual({ next, approved: false, pass: false, reply: true });
  });

  it.each(["from", "from+out", "both"] as const)("a request in %s is answered again (§3.1.3)", (state) => {
    expect(inbound(state, "subscribe", false)).toEqual({ next: state, approved: false, pass: false, reply: true });
  });
});

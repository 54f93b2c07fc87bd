/** RFC 6121 §8.5: the whole table of who gets a message. */
import { describe, expect, test } from "vitest";
import { type Candidate, planMessage } from "../../../src/account/delivery.ts";

const resource = (name: string, priority: number, available = true) => ({ name, priority, available });
const A = resource("a", 5);
const B = resource("b", 0);
const NEGATIVE = resource("negative", -1);
const SILENT = resource("silent", 0, false);

/** The names of those who get it, or what else becomes of it. */
function plan(type: string, full: boolean, present: (Candidate & { name: string })[], match?: typeof A) {
  const found = planMessage(type, full, present, match);
  return typeof found === "string" ? found : found.to.map(({ name }) => name).join(" ");
}

const ALL = [A, B, NEGATIVE, SILENT];
const TABLE: [
  section: string,
  full: boolean,
  present: typeof ALL,
  match: typeof A | undefined,
  fates: Record<string, string>,
][] = [
  ["8.5.2.1.1", false, ALL, undefined, { "": "a b", chat: "a b", groupchat: "error", headline: "a b", error: "drop" }],
  [
    "8.5.2.1.1",
    false,
    [NEGATIVE],
    undefined,
    { "": "offline", chat: "offline", groupchat: "error", headline: "drop", error: "drop" },
  ],
  [
    "8.5.2.2.1",
    false,
    [],
    undefined,
    { "": "offline", chat: "offline", groupchat: "error", headline: "drop", error: "drop" },
  ],
  [
    "8.5.2.2.1",
    false,
    [SILENT],
    undefined,
    { "": "offline", chat: "offline", groupchat: "error", headline: "drop", error: "drop" },
  ],
  ["8.5.3.1", true, ALL, B, { "": "b", chat: "b", groupchat: "b", headline: "b", error: "b" }],
  [
    "8.5.3.1",
    true,
    ALL,
    NEGATIVE,
    { "": "negative", chat: "negative", groupchat: "negative", headline: "negative", error: "negative" },
  ],
  [
    "8.5.3.2.1",
    true,
    ALL,
    undefined,
    { "": "error", chat: "a b", groupchat: "error", headline: "drop", error: "drop" },
  ],
  [
    "8.5.3.2.1",
    true,
    [],
    undefined,
    { "": "error", chat: "offline", groupchat: "error", headline: "drop", error: "drop" },
  ],
];

describe.each(TABLE)("§%s, full JID %s", (_section, full, present, match, fates) => {
  test.each(Object.entries(fates))(`type "%s": %s`, (type, fate) => {
    expect(plan(type, full, present, match)).toBe(fate);
  });
});

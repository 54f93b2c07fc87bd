import { describe, expect, test } from "vitest";
import { read } from "../../../src/web/client/reader.ts";
import { type Item, Timeline } from "../../../src/web/client/timeline.ts";

let now = 0;
/** A message of a room as it comes from its archive. */
function item(ref: string, nick: string, payload: string, id = ref, more: Partial<Item> = {}): Item {
  const message = read(`<message xmlns='jabber:client' type='groupchat' id='${id}'>${payload}</message>`);
  return { message, ref, sender: nick, nick, own: nick === "me", time: now++, ...more };
}
const body = (text: string) => `<body>${text}</body>`;
const correct = (id: string, text: string) => `${body(text)}<replace xmlns='urn:xmpp:message-correct:0' id='${id}'/>`;
const react = (ref: string, ...emoji: string[]) =>
  `<reactions xmlns='urn:xmpp:reactions:0' id='${ref}'>${emoji.map((each) => `<reaction>${each}</reaction>`).join("")}</reactions>`;
const retract = (ref: string, inner = "") =>
  `<retract xmlns='urn:xmpp:message-retract:1' id='${ref}'>${inner}</retract>${body("fallback")}`;
const MODERATED = "<moderated xmlns='urn:xmpp:message-moderate:1' by='room@r/boss'/><reason>spam</reason>";

const reply = (ref: string, end: number) =>
  `<reply xmlns='urn:xmpp:reply:0' id='${ref}'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='${end}'/></fallback>`;

const bodies = (timeline: Timeline) => timeline.entries.map((entry) => entry.body);

describe("changes to a message", () => {
  test("a correction is its author's alone (XEP-0308)", () => {
    const timeline = new Timeline();
    timeline.append([item("1", "romeo", body("tyop")), item("2", "juliet", correct("1", "forged"))]);
    expect(bodies(timeline)).toEqual(["tyop"]);
    timeline.append([item("3", "romeo", correct("1", "typo"))]);
    expect(timeline.entries[0]).toMatchObject({ body: "typo", edited: true });
  });

  test("a file is a message that is its address and nothing else, until it is corrected (XEP-0066)", () => {
    const url = "https://chat.example/upload/a.png";
    const oob = `<x xmlns='jabber:x:oob'><url>${url}</url></x>`;
    const timeline = new Timeline();
    timeline.append([
      item("1", "romeo", body(url) + oob),
      item("2", "romeo", body(url)),
      item("3", "romeo", body(`Look: ${url}`) + oob),
      item("4", "romeo", body("> quoted\n".replace(">", "&gt;") + url) + oob + reply("1", 9)),
    ]);
    expect(timeline.entries.map(({ file }) => file)).toEqual([true, false, false, true]);
    timeline.append([item("5", "romeo", correct("1", "never mind")), item("6", "romeo", correct("4", url))]);
    expect(timeline.entries.map(({ file }) => file)).toEqual([false, false, false, false]);
    expect(timeline.entries[3]?.reply?.ref).toBe("1");
  });

  test("so is a retraction; a moderator's comes from the room itself (XEP-0424, 0425)", () => {
    const timeline = new Timeline();
    timeline.append([
      item("1", "romeo", body("one")),
      item("2", "romeo", body("two")),
      item("3", "juliet", retract("1")),
      item("4", "juliet", retract("1", MODERATED)),
    ]);
    expect(timeline.entries.every((entry) => !entry.removed)).toBe(true);
    timeline.append([item("5", "romeo", retract("1")), item("6", "", retract("2", MODERATED))]);
    expect(timeline.entries[0]!.removed).toEqual({ by: undefined, reason: undefined });
    expect(timeline.entries[1]!.removed).toEqual({ by: "room@r/boss", reason: "spam" });
  });

  test("a tombstone stands for what was removed", () => {
    const timeline = new Timeline();
    timeline.append([item("1", "romeo", `<retracted xmlns='urn:xmpp:message-retract:1'>${MODERATED}</retracted>`)]);
    expect(timeline.entries[0]!.removed).toEqual({ by: "room@r/boss", reason: "spam" });
  });

  test("reactions are each sender's last choice, emoji only (XEP-0444)", () => {
    const timeline = new Timeline();
    timeline.append([
      item("1", "romeo", body("hi")),
      item("2", "juliet", react("1", "👍", "❤️")),
      item("3", "nurse", react("1", "👍", "buy now", "5")),
      item("4", "juliet", react("1", "👍", "👨‍👩‍👧")),
    ]);
    const { reactions } = timeline.entries[0]!;
    expect([...reactions].map(([emoji, who]) => [emoji, [...who].sort()])).toEqual([
      ["👍", ["juliet", "nurse"]],
      ["👨‍👩‍👧", ["juliet"]],
    ]);
  });

  test("those that came before the message they change, because older pages load later, are applied in order", () => {
    const timeline = new Timeline();
    timeline.append([item("9", "romeo", correct("1", "last"), "9"), item("10", "juliet", react("1", "🐢"))]);
    timeline.prepend([item("5", "romeo", correct("1", "middle"), "5"), item("6", "juliet", react("1", "👍"))]);
    expect(timeline.entries).toEqual([]);
    timeline.prepend([item("1", "romeo", body("first")), item("2", "romeo", correct("1", "second"), "2")]);
    expect(bodies(timeline)).toEqual(["last"]);
    expect([...timeline.entries[0]!.reactions.keys()]).toEqual(["🐢"]);
  });
});

describe("order and repetition", () => {
  test("what is there already is not added again", () => {
    const timeline = new Timeline();
    const one = item("1", "romeo", body("one"));
    expect(timeline.append([one])).toHaveLength(1);
    expect(timeline.append([one, item("2", "romeo", body("two"))])).toHaveLength(1);
    expect(bodies(timeline)).toEqual(["one", "two"]);
  });

  test("a room without an archive repeats its history at every join", () => {
    const timeline = new Timeline();
    const bare = () => item("", "romeo", body("one"), "id1", { ref: undefined });
    timeline.append([bare()]);
    timeline.append([bare()]);
    expect(bodies(timeline)).toEqual(["one"]);
  });

  test("our message waits at the end until the room sends it back", () => {
    const timeline = new Timeline();
    const mine = item("", "me", body("mine"), "id1", { ref: undefined });
    const entry = timeline.pend(mine);
    timeline.append([item("1", "romeo", body("one"))]);
    expect(bodies(timeline)).toEqual(["one", "mine"]);
    timeline.append([{ ...mine, ref: "2" }, item("3", "romeo", body("three"))]);
    expect(bodies(timeline)).toEqual(["one", "mine", "three"]);
    expect(entry).toMatchObject({ state: "sent", ref: "2" });
  });

  test("nobody else's message can pass for the one we are sending", () => {
    const timeline = new Timeline();
    timeline.pend(item("", "me", body("mine"), "id1", { ref: undefined }));
    timeline.append([item("1", "romeo", body("stolen id"), "id1")]);
    expect(bodies(timeline)).toEqual(["stolen id", "mine"]);
  });
});

test("the quotation for older clients is left out of a reply; positions count code points (XEP-0461)", () => {
  const timeline = new Timeline();
  const quote = "&gt; romeo: 😀\n";
  const reply = `<reply xmlns='urn:xmpp:reply:0' id='1' to='room@r/romeo'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='11'/></fallback>`;
  timeline.append([item("1", "romeo", body("😀")), item("2", "juliet", body(`${quote}yes`) + reply)]);
  expect(timeline.entries[1]).toMatchObject({ body: "yes", reply: { ref: "1", to: "room@r/romeo" } });
});

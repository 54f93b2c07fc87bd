import { describe, expect, test } from "vitest";
import { Inbox } from "../../../src/kernel/inbox.ts";
import type { Item } from "../../../src/kernel/post.ts";

const note = (sid: string): Item => ({ of: "juliet@localhost", sid, acked: 0 });
const named = (item: Item) => ("sid" in item ? item.sid : "?");

describe("inbox", () => {
  test("what an item brings is taken behind what came with it, and settled once", () => {
    const seen: string[] = [];
    const inbox: Inbox = new Inbox(
      (item) => {
        seen.push(named(item));
        if (named(item) === "first") inbox.put(note("brought"));
      },
      () => seen.push("settled"),
    );
    inbox.put(note("first"), note("second"));
    expect(seen).toEqual(["first", "second", "brought", "settled"]);
  });

  test("what settling brings is taken, too, and settled again", () => {
    const seen: string[] = [];
    const inbox: Inbox = new Inbox(
      (item) => seen.push(named(item)),
      () => {
        if (seen.length === 1) inbox.put(note("late"));
        seen.push("settled");
      },
    );
    inbox.put(note("first"));
    expect(seen).toEqual(["first", "settled", "late", "settled"]);
  });

  test("an event ends with settling, even when it fails", () => {
    let settled = 0;
    const inbox = new Inbox(
      () => {},
      () => settled++,
    );
    expect(inbox.event(() => 7)).toBe(7);
    expect(() =>
      inbox.event(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(settled).toBe(2);
  });

  test("an item that fails does not stop the next event", () => {
    const seen: string[] = [];
    const inbox = new Inbox((item) => {
      if (named(item) === "bad") throw new Error("bad");
      seen.push(named(item));
    });
    expect(() => inbox.put(note("bad"), note("left"))).toThrow("bad");
    inbox.put(note("next"));
    expect(seen).toEqual(["left", "next"]);
  });
});

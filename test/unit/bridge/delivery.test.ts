/** XEP-0198 §4: what a stream has carried counts when there is proof that it was read. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Delivery } from "../../../src/bridge/delivery.ts";
import { xml } from "../../../src/xml/element.ts";

const SM = "urn:xmpp:sm:3";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream that only remembers what it carries. */
function stream(acknowledges: boolean) {
  const said: string[] = [];
  const proven: number[] = [];
  const silent: boolean[] = [];
  let questions = 0;
  const delivery = new Delivery(acknowledges, {
    send: (element) => said.push(element.name),
    write: (stanza) => said.push(stanza),
    ask: () => ({ id: `q${++questions}`, iq: xml(`q${questions}`) }),
    proven: (numbers) => proven.push(...numbers),
    silent: (promised) => silent.push(promised),
  });
  const says = (name: string, attrs: Record<string, string> = {}) =>
    delivery.element(xml(name, { xmlns: SM, ...attrs }));
  const write = (...numbers: number[]) => {
    for (const n of numbers) delivery.write(n, String(n));
  };
  return { delivery, said, proven, silent, says, write };
}

describe("where the other end acknowledges", () => {
  test("one question follows a batch, and the answer proves what it counts", () => {
    const { said, proven, says, write } = stream(true);
    says("enabled");
    write(11, 12, 13);
    vi.advanceTimersByTime(20);
    expect(said).toEqual(["enable", "11", "12", "13", "r"]);
    write(14);
    vi.advanceTimersByTime(100);
    says("a", { h: "2" });
    expect(proven).toEqual([11, 12]);
    vi.advanceTimersByTime(20);
    expect(said.slice(5)).toEqual(["14", "r"]);
    says("a", { h: "4" });
    expect(proven).toEqual([11, 12, 13, 14]);
    vi.advanceTimersByTime(60_000);
    expect(said.at(-1)).toBe("r");
  });

  test("nothing is asked before management is on, and without it a ping is", () => {
    const { said, proven, says, write, delivery } = stream(true);
    write(1);
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual(["enable", "1"]);
    says("failed");
    vi.advanceTimersByTime(20);
    expect(said).toEqual(["enable", "1", "q1"]);
    expect(delivery.answered("q2")).toBe(false);
    expect(delivery.answered("q1")).toBe(true);
    expect(proven).toEqual([1]);
  });

  test("a count is modulo 2³², and one of more than there was proves nothing", () => {
    const { proven, says, write } = stream(true);
    says("enabled");
    write(1, 2);
    for (const h of ["3", "-1", "x", "4294967295"]) says("a", { h });
    expect(proven).toEqual([]);
    says("a", { h: "2" });
    expect(proven).toEqual([1, 2]);
  });

  test("a server that is slow is asked again, not at once", () => {
    const { said, says, write } = stream(true);
    says("enabled");
    write(1);
    vi.advanceTimersByTime(20);
    says("a", { h: "0" });
    vi.advanceTimersByTime(900);
    expect(said.filter((what) => what === "r")).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(said.filter((what) => what === "r")).toHaveLength(2);
  });

  test.each([true, false])("silence is told, with what was promised (enabled: %s)", (enabled) => {
    const { silent, says, write } = stream(true);
    if (enabled) says("enabled");
    write(1);
    vi.advanceTimersByTime(31_000);
    expect(silent).toEqual([true]);
  });
});

describe("where it does not", () => {
  test("a ping goes behind what it is about, one at a time", () => {
    const { said, proven, write, delivery } = stream(false);
    write(1, 2);
    vi.advanceTimersByTime(20);
    write(3);
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual(["1", "2", "q1", "3"]);
    delivery.answered("q1");
    expect(proven).toEqual([1, 2]);
    vi.advanceTimersByTime(20);
    expect(said.at(-1)).toBe("q2");
    expect(delivery.answered("q1")).toBe(false);
    delivery.answered("q2");
    expect(proven).toEqual([1, 2, 3]);
  });

  test("one that never answers anything can be believed", () => {
    const { silent, proven, write, delivery } = stream(false);
    write(1);
    vi.advanceTimersByTime(25_000);
    write(2);
    vi.advanceTimersByTime(6_000);
    expect(silent).toEqual([false]);
    delivery.presume();
    expect(proven).toEqual([1]);
  });

  test("what is not proven when the stream ends is told, once", () => {
    const { said, silent, proven, write, delivery } = stream(false);
    write(1, 2);
    vi.advanceTimersByTime(20);
    delivery.answered("q1");
    write(3, 4);
    expect(delivery.end()).toEqual([3, 4]);
    expect(delivery.end()).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect([proven, silent, said.at(-1)]).toEqual([[1, 2], [], "4"]);
  });
});

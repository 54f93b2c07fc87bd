/** XEP-0198: the counters of one stream. */
import { describe, expect, test } from "vitest";
import { acknowledge, Ledger, QUEUE, readH, readResumptionId, resumptionId } from "../../../src/gate/management.ts";
import { StreamError } from "../../../src/protocol/errors.ts";
import { xml } from "../../../src/xml/element.ts";

const WRAP = 2 ** 32;

/** A ledger whose stream has been going for long. */
const aged = (received: number, sent = received) =>
  new Ledger({ resume: true, received, handled: received, sent, acked: sent, mark: 0, told: 0 });

describe("what the client sends", () => {
  test("is handled when it is in custody, in the order in which it came", () => {
    const ledger = Ledger.enabled(true);
    const [one, two, three] = [ledger.receive(), ledger.receive(), ledger.receive()];
    ledger.handle(three);
    expect(ledger.answer().attrs.h).toBe("0");
    ledger.handle(one);
    expect(ledger.answer().attrs.h).toBe("1");
    ledger.handle(two);
    expect(ledger.answer().attrs.h).toBe("3");
  });

  test("is acknowledged on request, once what came before has arrived", () => {
    const ledger = Ledger.enabled(true);
    expect(ledger.asked()?.attrs.h).toBe("0");
    const one = ledger.receive();
    expect(ledger.asked()).toBeUndefined();
    const two = ledger.receive();
    expect(ledger.handle(one)?.attrs.h).toBe("1");
    expect(ledger.handle(two)).toBeUndefined();
  });

  test("is settled when nothing is on its way", async () => {
    const ledger = Ledger.enabled(true);
    await ledger.settled();
    const one = ledger.receive();
    let settled = false;
    const waiting = ledger.settled().then(() => {
      settled = true;
    });
    await Promise.resolve();
    expect(settled).toBe(false);
    ledger.handle(one);
    await waiting;
  });

  test("is counted modulo 2^32 on the wire", () => {
    const ledger = aged(WRAP - 1);
    expect(ledger.answer().attrs.h).toBe("4294967295");
    ledger.handle(ledger.receive());
    expect(ledger.answer().attrs.h).toBe("0");
    ledger.handle(ledger.receive());
    expect(ledger.answer().attrs.h).toBe("1");
  });
});

describe("what the client is sent", () => {
  test("waits for its acknowledgement, and raises the mark", () => {
    const ledger = Ledger.enabled(true);
    for (let n = 1; n <= 3; n++) ledger.send(`<message id="${n}"/>`, n * 10);
    acknowledge(ledger, 2);
    expect(ledger.queue.map(([text]) => text)).toEqual([`<message id="3"/>`]);
    expect(ledger.news()).toBe(20);
    expect(ledger.news()).toBeUndefined();
    acknowledge(ledger, 2);
    acknowledge(ledger, 3);
    expect(ledger.bytes).toBe(0);
    expect(ledger.news()).toBe(30);
  });

  test("is acknowledged across 2^32", () => {
    const ledger = aged(WRAP - 2);
    for (let n = 0; n < 4; n++) ledger.send("<message/>", n + 1);
    acknowledge(ledger, WRAP - 1);
    expect(ledger.queue).toHaveLength(3);
    acknowledge(ledger, 1);
    expect(ledger.queue).toHaveLength(1);
    acknowledge(ledger, 2);
    expect(ledger.queue).toHaveLength(0);
  });

  test("cannot be acknowledged before it was sent", () => {
    const ledger = aged(10);
    ledger.send("<message/>", 1);
    expect(() => acknowledge(ledger, 12)).toThrow(StreamError);
    // xmpp.js over SASL 1 may count from 0 again: it acknowledges nothing new by that, and nothing is taken back.
    for (const h of [9, 0]) acknowledge(ledger, h);
    expect(ledger.queue).toHaveLength(1);
  });

  test("is too much at some point, by number or by size", () => {
    const many = Ledger.enabled(true);
    for (let n = 0; n < QUEUE.stanzas; n++) many.send("<message/>", 0);
    expect(many.overflows).toBe(false);
    many.send("<message/>", 0);
    expect(many.overflows).toBe(true);
    const large = Ledger.enabled(true);
    large.send("x".repeat(QUEUE.bytes + 1), 0);
    expect(large.overflows).toBe(true);
  });

  test("is asked about once until there is an answer", () => {
    const ledger = Ledger.enabled(true);
    const asks = Array.from({ length: 20 }, () => ledger.send("<message/>", 0));
    expect(asks.filter(Boolean)).toHaveLength(1);
    acknowledge(ledger, 5);
    expect(ledger.ask()).toBe(true);
    expect(ledger.ask()).toBe(false);
  });

  test("rides in the attachment while it is short, and is restored from its row when not", () => {
    const ledger = Ledger.enabled(true);
    ledger.send("<message/>", 1);
    expect(new Ledger(ledger.save(100)).complete).toBe(true);
    const revived = new Ledger(structuredClone(ledger.save(5)));
    expect(revived.complete).toBe(false);
    const row = [["<gone/>", 0], ...ledger.queue] as [string, number][];
    revived.restore(row.slice(revived.lacking));
    expect(revived.complete).toBe(true);
    expect(revived.queue).toEqual(ledger.queue);
  });
});

test("an h is an unsigned integer of 32 bits", () => {
  const h = (value?: string) => readH(xml("a", value === undefined ? {} : { h: value }));
  expect([h("0"), h("4294967295")]).toEqual([0, 4_294_967_295]);
  for (const wrong of [undefined, "", "-1", "1.0", " 1", "4294967296", "99999999999", "0x1"])
    expect(h(wrong)).toBeUndefined();
});

test("a resumption id names its gate", () => {
  expect(readResumptionId(resumptionId("weur:0", "abc"))).toEqual({ gate: "weur:0", sid: "abc" });
  for (const wrong of ["", "abc", "/abc", `${"x".repeat(300)}/a`]) expect(readResumptionId(wrong)).toBeUndefined();
});

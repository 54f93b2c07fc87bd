/** XEP-0124 §6, §7, §14, §15: what needs no stream to be judged. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bosh } from "../../../src/edge/bosh.ts";
import type { Env } from "../../../src/edge/env.ts";
import { fits } from "../../../src/gate/bosh/keys.ts";
import { readRequest, sidOf } from "../../../src/gate/bosh/request.ts";
import { hashOf, newRids, place, received, respond, sentBy } from "../../../src/gate/bosh/rids.ts";
import { negotiate } from "../../../src/gate/bosh/terms.ts";
import { body, terminate } from "../../../src/gate/bosh/wire.ts";
import { DEFAULT_LIMITS, PRE_AUTH_LIMITS, read } from "../../../src/xml/reader.ts";

const wrapper = (attrs: string, inner = "") =>
  `<body xmlns="http://jabber.org/protocol/httpbind" ${attrs}>${inner}</body>`;

describe("a request", () => {
  test("names its session before anything of it is read", () => {
    expect(sidOf(wrapper('rid="1" sid="abc"'))).toBe("abc");
    expect(sidOf(wrapper("rid='1' sid='abc'"))).toBe("abc");
    expect(sidOf(`<?xml version="1.0"?>\n${wrapper('sid="abc"')}`)).toBe("abc");
    expect(sidOf(wrapper('rid="1"', '<a sid="abc"/>'))).toBeUndefined();
    expect(sidOf(wrapper('xsid="abc"'))).toBeUndefined();
  });

  test("is one wrapper with a rid, within the limits of its stream", () => {
    const good = readRequest(wrapper('rid="7"', "<iq/>"), DEFAULT_LIMITS);
    expect(good).toMatchObject({ rid: 7 });
    for (const bad of ["", "<body/>", wrapper(""), wrapper('rid="1e3"'), wrapper('rid="1"', "text"), "<body>"])
      expect(readRequest(bad, DEFAULT_LIMITS)).toBe("bad-request");
    expect(readRequest(wrapper('rid="1"', "x".repeat(20_000)), PRE_AUTH_LIMITS)).toBe("policy-violation");
    const stanza = (size: number) => wrapper('rid="1"', `<message><body>${"x".repeat(size)}</body></message>`);
    expect(readRequest(stanza(DEFAULT_LIMITS.bytes - 200), DEFAULT_LIMITS)).toMatchObject({ rid: 1 });
  });

  test("is refused by the edge when it is too long, or no UTF-8", async () => {
    const env = { XMPP_DOMAIN: "capulet.example" } as unknown as Env;
    const send = (body: BodyInit, headers: Record<string, string> = {}) =>
      bosh(new Request("http://localhost/http-bind", { method: "POST", body, headers }), env);
    expect((await send("x".repeat(300_000))).status).toBe(413);
    expect((await send(new Uint8Array([0xff]))).status).toBe(400);
    // The same when it says its length, as clients' do.
    const long = (length: number) => ({ "content-length": String(length) });
    expect((await send("x", long(300_000))).status).toBe(413);
    expect((await send(new Uint8Array([0xc3]), long(1))).status).toBe(400);
    expect((await send('<body sid="none"/>', long(18))).status).toBe(200);
  });
});

test("what is not asked for has a default, and nothing is more than it may be", () => {
  const terms = (attrs: string) => negotiate(read(wrapper(attrs)));
  expect(terms('rid="1"')).toBe("improper-addressing");
  expect(terms('to="a"')).toEqual({
    wait: 60,
    hold: 1,
    inactivity: 60,
    ver: "1.11",
    content: "text/xml; charset=utf-8",
    ack: false,
  });
  expect(terms('to="a" wait="5" hold="9" ver="1.06" content="text/html" ack="1"')).toMatchObject({
    wait: 5,
    hold: 1,
    ver: "1.6",
    content: "text/xml; charset=utf-8",
    ack: true,
  });
  expect(terms('to="a" wait="0"')).toMatchObject({ hold: 0, inactivity: 120 });
});

describe("rids", () => {
  const at = (rid: number, answered: number) => ({ ...newRids(1), rid, answered });

  test("have their turn, come before it, have come, or are nowhere", () => {
    const rids = at(10, 9);
    rids.hashes[10] = "ten";
    rids.early[12] = "";
    expect(place(rids, 11, "x", 2)).toBe("next");
    expect(place(rids, 12, "x", 2)).toBe("open");
    expect(place(at(10, 9), 12, "x", 2)).toBe("early");
    expect(place(rids, 13, "x", 2)).toBe("unknown");
    expect(place(rids, 10, "ten", 2)).toBe("open");
    expect(place(rids, 10, "other", 2)).toBe("unknown");
    expect(place(rids, 9, "x", 2)).toBe("unknown");
  });

  test("have their response again while it is kept, for the same request only", () => {
    const rids = at(12, 9);
    for (const rid of [10, 11, 12]) rids.hashes[rid] = hashOf(String(rid));
    for (const text of ["a", "b", "c"]) respond(rids, text, 0);
    expect(rids.hashes).toEqual({});
    expect(place(rids, 10, hashOf("10"), 2)).toBe("unknown");
    expect(place(rids, 12, hashOf("12"), 2)).toEqual([12, hashOf("12"), "c", 0]);
    expect(place(rids, 12, hashOf("13"), 2)).toBe("unknown");
  });

  test("keep no more than a row has room for", () => {
    const rids = at(2, 0);
    respond(rids, "x".repeat(300_000), 0);
    respond(rids, "y".repeat(300_000), 0);
    expect(rids.responses.map(([rid]) => rid)).toEqual([2]);
  });

  test("prove what their client has received", () => {
    const of = { ack: undefined, acks: false, requests: 2, extra: false };
    expect(received(at(9, 9), { ...of, rid: 10 })).toBe(8);
    expect(received(at(9, 9), { ...of, rid: 10, extra: true })).toBe(7);
    expect(received(at(9, 9), { ...of, rid: 10, requests: 1 })).toBe(9);
    expect(received(at(9, 9), { ...of, rid: 10, acks: true })).toBe(9);
    expect(received(at(9, 8), { ...of, rid: 10, acks: true })).toBe(8);
    expect(received(at(9, 9), { ...of, rid: 10, acks: true, ack: 5 })).toBe(5);
    expect(received(at(9, 7), { ...of, rid: 10, acks: true, ack: 99 })).toBe(7);
    expect(received(at(9, 9), { ...of, rid: 10, ack: 9 })).toBe(8);
    const rids = at(9, 7);
    respond(rids, "", 3);
    respond(rids, "", 5);
    expect([7, 8, 9, 99].map((rid) => sentBy(rids, rid))).toEqual([undefined, 3, 5, 5]);
  });

  test("in whatever order they come within the window, are taken in their own", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }), (order) => {
        const rids = newRids(1);
        const taken: number[] = [];
        for (const rid of order) {
          const found = place(rids, rid, hashOf(String(rid)), 2);
          if (found !== "next" && found !== "early") continue;
          rids.hashes[rid] = hashOf(String(rid));
          rids.early[rid] = "";
          for (let next = rids.rid + 1; next in rids.early; next++) {
            delete rids.early[next];
            taken.push(next);
            rids.rid = next;
            respond(rids, "", 0);
          }
        }
        expect(taken).toEqual(taken.map((_, index) => index + 1));
      }),
    );
  });
});

test("keys hash to the one before, and a new sequence may take over", () => {
  const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
  const [one, two, other] = [sha1("seed"), sha1(sha1("seed")), sha1(sha1("other"))];
  const request = (attrs: string) => read(wrapper(attrs));
  const keys = { key: "" };
  expect(fits(keys, request(""))).toBe(true);
  expect(fits(keys, request('key="of no sequence"'))).toBe(true);
  expect(keys.key).toBe("");
  expect(fits(keys, request(`newkey="${two.toUpperCase()}"`))).toBe(true);
  for (const bad of ["", `key="${two}"`, `key="${"x".repeat(100)}"`, `newkey="${two}"`])
    expect(fits(keys, request(bad))).toBe(false);
  expect(fits(keys, request(`key="${one}" newkey="${other}"`))).toBe(true);
  expect(fits(keys, request('key="seed"'))).toBe(false);
  expect(fits(keys, request(`key="${sha1("other")}"`))).toBe(true);
});

test("a wrapper escapes its attributes, and declares the prefix of what is the stream's", () => {
  expect(body({ from: 'a"<b', none: undefined })).toBe(
    '<body xmlns="http://jabber.org/protocol/httpbind" from="a&quot;&lt;b"/>',
  );
  expect(body({}, ["<stream:features/>"])).toContain('xmlns:stream="http://etherx.jabber.org/streams"');
  expect(terminate("")).not.toContain("condition");
});

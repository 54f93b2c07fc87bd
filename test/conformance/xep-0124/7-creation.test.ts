/** XEP-0124 §5–§7, §19, XEP-0206 §2–§4: the HTTP of it, the wrapper, and what a session's first request and response say. */
import { afterAll, beforeAll, expect } from "vitest";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { condition, post, read, Session } from "./session.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

const wrapper = (attrs: string, inner = "", before = "") =>
  `${before}<body xmlns="http://jabber.org/protocol/httpbind" rid="5" to="${world.domain}" ${attrs}>${inner}</body>`;
const answer = async (xml: string) => read(await (await post(world, xml)).text());

spec("XEP-0124", "5", "a request is a POST, whatever content type it claims; its response is 200", async () => {
  for (const type of ["text/xml; charset=utf-8", "application/x-www-form-urlencoded", "text/plain"]) {
    const response = await post(world, wrapper(""), { "content-type": type });
    expect(response.status).toBe(200);
    expect(read(await response.text()).attrs.sid).toBeDefined();
  }
  const got = await fetch(`${world.http}/http-bind`);
  expect(await got.text()).toContain("XMPP clients");
});

spec("XEP-0124", "5", "pages of other origins may ask, by CORS, without credentials", async () => {
  const origin = "http://localhost:1";
  const asked = await fetch(`${world.http}/http-bind`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
  });
  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
  expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
  expect(asked.headers.get("access-control-allow-headers")).toContain("content-type");
  for (const [body, status] of [
    [wrapper(""), 200],
    [new Uint8Array([0x3c, 0xff]), 400],
  ] as const) {
    const response = await fetch(`${world.http}/http-bind`, { method: "POST", body, headers: { origin } });
    expect(response.status).toBe(status);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-store");
  }
  expect((await post(world, wrapper(""), { origin: "https://evil.example" })).status).toBe(403);
});

spec(
  "XEP-0124",
  "6",
  "a wrapper is one element of its namespace, with a rid and with nothing but elements in it",
  async () => {
    const refused = [
      wrapper("", "<!-- no -->"),
      wrapper("", "<?no way?>"),
      wrapper("", "words"),
      wrapper("", "", '<!DOCTYPE body [<!ENTITY a "b">]>'),
      wrapper("", "&a;"),
      wrapper("").slice(0, -2),
      wrapper("").replace('rid="5"', ""),
      wrapper("").replace('rid="5"', 'rid="-5"'),
      wrapper("").replace('rid="5"', 'rid="five"'),
      wrapper("").replace("httpbind", "other"),
      wrapper("").replaceAll("body", "head"),
      "",
    ];
    for (const xml of refused) expect(condition(await answer(xml)), xml).toBe("terminate bad-request");
    expect((await answer(wrapper("", "", '<?xml version="1.0" encoding="UTF-8"?>\n'))).attrs.sid).toBeDefined();
  },
);

spec(
  "XEP-0124",
  "7.1",
  "there is no session without a host, with an unknown one, or by a request that has a sid",
  async () => {
    expect((await Session.create(world, { to: "" })).created.attrs).toMatchObject({ condition: "improper-addressing" });
    expect((await Session.create(world, { to: "nowhere.example" })).created.attrs).toMatchObject({
      condition: "host-unknown",
    });
    expect(condition(await answer(wrapper('sid="local:0.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"')))).toBe(
      "terminate item-not-found",
    );
    expect(condition(await answer(wrapper('from="a>b" sid="local:0.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"')))).toBe(
      "terminate item-not-found",
    );
  },
);

spec(
  "XEP-0124",
  "7.1",
  "every response has the content type that the client asked for, if no browser runs it",
  async () => {
    for (const [content, type] of [
      ["", "text/xml; charset=utf-8"],
      ["text/plain", "text/plain"],
      ["application/xml; charset=utf-8", "application/xml; charset=utf-8"],
      ["text/html", "text/xml; charset=utf-8"],
    ]) {
      const first = await post(world, wrapper(content ? `content="${content}"` : ""));
      expect(first.headers.get("content-type")).toBe(type);
      const { sid } = read(await first.text()).attrs;
      const next = `<body xmlns="http://jabber.org/protocol/httpbind" rid="6" sid="${sid}" type="terminate"/>`;
      expect((await post(world, next)).headers.get("content-type")).toBe(type);
    }
  },
);

spec("XEP-0124", "7.2", "the first response has sid, wait and requests, and each sid is another", async () => {
  const { created } = await Session.create(world, { ack: "1" });
  expect(created.attrs).toMatchObject({ wait: "20", hold: "1", requests: "2", ver: "1.6", from: world.domain });
  expect(created.attrs.polling).toBeUndefined();
  expect(Number(created.attrs.maxpause)).toBeGreaterThan(0);
  const sids = await Promise.all([1, 2, 3].map(async () => (await Session.create(world)).sid));
  expect(new Set(sids).size).toBe(3);
  for (const sid of sids) expect(sid).toMatch(/^[a-z]+:\d+\.[a-z2-7]{32}$/);
});

spec(
  "XEP-0124",
  "7.2",
  "wait and hold are at most what the client asked for, and requests is more than hold",
  async () => {
    for (const [wait, hold, agreed] of [
      ["20", "1", { wait: "20", hold: "1", requests: "2" }],
      ["9999", "5", { wait: "60", hold: "1", requests: "2" }],
      ["20", "0", { wait: "20", hold: "0", requests: "1" }],
      ["0", "1", { wait: "0", hold: "0", requests: "1" }],
      ["", "", { wait: "60", hold: "1", requests: "2" }],
    ] as const) {
      const { created } = await Session.create(world, { wait, hold });
      expect(created.attrs).toMatchObject(agreed);
      expect(created.attrs.polling !== undefined).toBe(agreed.hold === "0");
    }
  },
);

spec("XEP-0124", "7.2", "the version is the lower one, its numbers compared as integers", async () => {
  for (const [ver, agreed] of [
    ["1.6", "1.6"],
    ["1.10", "1.10"],
    ["1.12", "1.11"],
    ["2.0", "1.11"],
    ["0.99", "0.99"],
    ["", "1.11"],
  ] as const)
    expect((await Session.create(world, { ver })).created.attrs.ver, ver).toBe(agreed);
});

spec("XEP-0124", "7.2", "what the first response says is in no other", async () => {
  const session = await Session.create(world);
  const { attrs } = await session.sends('<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="NONE"/>');
  for (const name of ["sid", "wait", "requests", "ver", "polling", "inactivity", "hold", "from", "maxpause"])
    expect(attrs[name], name).toBeUndefined();
});

spec("XEP-0124", "7.1", "a route, which says where a host is, is ignored", async () => {
  expect((await Session.create(world, { route: "xmpp:elsewhere.example:5222" })).sid).not.toBe("");
});

spec(
  "XEP-0206",
  "4",
  "the first response has the version, that streams can be restarted, and the features",
  async () => {
    const { created } = await Session.create(world);
    expect(created.attrs).toMatchObject({ "xmpp:version": "1.0", "xmpp:restartlogic": "true" });
    expect(created.getChildElements()[0]?.name).toBe("features");
  },
);

spec("XEP-0206", "2", "features and errors of the stream have their prefix declared by the wrapper", async () => {
  const declared = /^<body [^>]*xmlns:stream="http:\/\/etherx\.jabber\.org\/streams"[^>]*><stream:/;
  const created = await (await post(world, wrapper('xmlns:xmpp="urn:xmpp:xbosh" xmpp:version="1.0"'))).text();
  expect(created).toMatch(declared);
  const next = `rid="6" sid="${read(created).attrs.sid}"`;
  const presence = '<presence xmlns="jabber:client"/>';
  const failed = await (await post(world, wrapper("", presence).replace('rid="5"', next))).text();
  expect(failed).toMatch(declared);
  expect(condition(read(failed))).toBe("terminate remote-stream-error");
});

spec("XEP-0124", "14.1", "a rid that a double cannot count to is none", async () => {
  const last = Number.MAX_SAFE_INTEGER;
  expect(condition(await answer(wrapper("").replace('rid="5"', `rid="${last + 1}"`)))).toBe("terminate bad-request");
  const session = await Session.create(world, { rid: String(last) });
  expect(session.sid).not.toBe("");
  const over = session.write("", "", 0).replace('rid="0"', 'rid="9007199254740992"');
  expect(condition(await session.sendsRaw(over))).toBe("terminate bad-request");
});

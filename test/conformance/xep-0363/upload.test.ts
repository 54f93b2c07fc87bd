/** XEP-0363: HTTP File Upload — https://xmpp.org/extensions/xep-0363.html */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const XEP = "XEP-0363";
const NS = "urn:xmpp:http:upload:0";
const SERVICE = "upload.capulet.example";
const MOST = 3_000_000;
const DAY = 9_000_000;
let world: World;
let juliet: Actor;
beforeAll(async () => {
  world = await World.start({
    settings: { UPLOAD_BYTES: String(MOST), UPLOAD_DAY_BYTES: String(DAY), LIMITS: "on" },
  });
  juliet = await world.login("juliet");
});
afterAll(() => world.dispose());

interface Slot {
  put: string;
  get: string;
}

async function asksFor(actor: Actor, attributes: string, inner = "") {
  return actor.asks("get", `<request xmlns="${NS}" ${attributes}>${inner}</request>`, SERVICE);
}

async function slot(size: number, { name = "letter.txt", type = "text/plain", inner = "" } = {}): Promise<Slot> {
  const answer = await asksFor(juliet, `filename="${name}" size="${size}" content-type="${type}"`, inner);
  const found = answer.getChild("slot", NS);
  return { put: found?.getChild("put")?.attrs.url ?? "", get: found?.getChild("get")?.attrs.url ?? "" };
}

/** Bytes that differ from place to place. */
const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251);

const put = (url: string, body: Uint8Array<ArrayBuffer> | string, type = "text/plain") =>
  fetch(url, { method: "PUT", body, headers: { "content-type": type } });

/** Of each object that was woken since: its tables, without the runtime's own. */
const woken = (before: ReadonlyMap<string, string[]>) =>
  [...world.tables("File")]
    .filter(([id]) => !before.has(id))
    .map(([, tables]) => tables.filter((name) => !name.startsWith("_")));

const status = async (response: Promise<Response>) => {
  const { status, body } = await response;
  await body?.cancel();
  return status;
};

spec(XEP, "3", "the service is among the server's items, and says how large a file may be", async () => {
  const items = await juliet.asks("get", `<query xmlns="http://jabber.org/protocol/disco#items"/>`, world.domain);
  const found = items.getChild("query")?.getChildren("item") ?? [];
  expect(found.map(({ attrs }) => attrs.jid)).toContain(SERVICE);
  await juliet.sends(
    `<iq type="get" id="d" to="${SERVICE}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
  );
  await juliet.receives(`<iq type="result" id="d" from="${SERVICE}" to="${juliet.jid}">
    <query xmlns="http://jabber.org/protocol/disco#info">
      <identity category="store" type="file" name="Files"/>
      <feature var="http://jabber.org/protocol/disco#info"/>
      <feature var="http://jabber.org/protocol/disco#items"/>
      <feature var="${NS}"/>
      <feature var="urn:xmpp:http:upload:purpose:0#ephemeral"/>
      <feature var="urn:xmpp:http:upload:purpose:0#message"/>
      <x xmlns="jabber:x:data" type="result">
        <field var="FORM_TYPE" type="hidden"><value>${NS}</value></field>
        <field var="max-file-size"><value>${MOST}</value></field>
      </x>
    </query></iq>`);
});

spec("XEP-0030", "3.2", "it has no nodes", async () => {
  for (const ns of ["http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"]) {
    const answer = await juliet.asks("get", `<query xmlns="${ns}" node="music"/>`, SERVICE);
    expect(answer.getChild("error")?.getChild("item-not-found")).toBeDefined();
  }
});

spec(XEP, "4", "what is put is what anybody gets", async () => {
  const { put: to, get: from } = await slot(11);
  expect(from.startsWith(`${world.http}/upload/`)).toBe(true);
  expect(await status(put(to, "Hello world"))).toBe(201);
  const response = await fetch(from, { headers: { "accept-encoding": "identity" } });
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("Hello world");
  const { headers } = response;
  expect(headers.get("content-length")).toBe("11");
  expect(headers.get("content-type")).toBe("text/plain");
  expect(headers.get("content-disposition")).toBe("inline; filename*=UTF-8''letter.txt");
});

spec(XEP, "4", "a large file comes back byte for byte, whole and in part", async () => {
  const body = bytes(2_500_000);
  const { put: to, get: from } = await slot(body.length, { name: "large.bin", type: "application/octet-stream" });
  expect(await status(put(to, body, "application/octet-stream"))).toBe(201);
  expect(Buffer.compare(Buffer.from(await (await fetch(from)).arrayBuffer()), body)).toBe(0);
  const part = await fetch(from, { headers: { range: "bytes=1048570-1048589" } });
  expect(part.status).toBe(206);
  expect(part.headers.get("content-range")).toBe("bytes 1048570-1048589/2500000");
  expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), body.subarray(1_048_570, 1_048_590))).toBe(0);
  expect(await status(fetch(from, { headers: { range: "bytes=2500000-" } }))).toBe(416);
});

spec(XEP, "4", "a name keeps its letters and its ending, and no path", async () => {
  const { get } = await slot(1, { name: "../../très cool.jpg", type: "image/jpeg" });
  expect(get.endsWith("/tr%C3%A8s%20cool.jpg")).toBe(true);
});

spec(XEP, "5.3", "an ephemeral file is gone when its time is over", async () => {
  const purpose = (before: number) =>
    `<ephemeral xmlns="urn:xmpp:http:upload:purpose:0" expire-before="${new Date(before).toISOString()}"/>`;
  const late = await asksFor(juliet, `filename="a" size="1"`, purpose(Date.now() - 1000));
  expect(late.getChild("error")?.getChild("bad-request")).toBeDefined();
  const { put: to, get: from } = await slot(5, { inner: purpose(Date.now() + 2_000) });
  expect(await status(put(to, "brief"))).toBe(201);
  expect((await fetch(from)).headers.get("cache-control")).toMatch(/max-age=[01],/);
  await expect.poll(() => status(fetch(from)), { timeout: 5_000 }).toBe(404);
});

spec(XEP, "6", "a file that is too large is refused, and the limit told", async () => {
  const answer = await asksFor(juliet, `filename="a.bin" size="${MOST + 1}"`);
  const error = answer.getChild("error");
  expect(error?.attrs.type).toBe("modify");
  expect(error?.getChild("not-acceptable")).toBeDefined();
  expect(error?.getChild("file-too-large", NS)?.getChildText("max-file-size")).toBe(String(MOST));
});

spec(XEP, "6", "who has uploaded enough for a day is told when to come back", async () => {
  const paris = await world.login("paris");
  for (let i = 0; i < 3; i++)
    expect((await asksFor(paris, `filename="a" size="${MOST}"`)).getChild("slot", NS)).toBeDefined();
  const error = (await asksFor(paris, `filename="a" size="1"`)).getChild("error");
  expect(error?.attrs.type).toBe("wait");
  expect(error?.getChild("resource-constraint")).toBeDefined();
  expect(Date.parse(error?.getChild("retry", NS)?.attrs.stamp ?? "")).toBeGreaterThan(Date.now());
});

spec(XEP, "6", "a request without a name or a size is a bad one", async () => {
  for (const attributes of [`filename="a"`, `size="1"`, `filename="a" size="0"`, `filename="a" size="-1"`])
    expect((await asksFor(juliet, attributes)).getChild("error")?.getChild("bad-request")).toBeDefined();
});

spec(XEP, "7", "a file of another size MUST be rejected, and nothing of it is kept", async () => {
  const { put: to, get: from } = await slot(10);
  expect(await status(put(to, "too short"))).toBe(413);
  expect(await status(put(to, "much too long"))).toBe(413);
  const chunked = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes(20));
      controller.close();
    },
  });
  const init = { method: "PUT", body: chunked, duplex: "half", headers: { "content-type": "text/plain" } };
  expect(await status(fetch(to, init as RequestInit))).toBe(413);
  expect(await status(fetch(from))).toBe(404);
  expect(await status(put(to, "ten bytes!"))).toBe(201);
});

spec(XEP, "7", "a file of another type is rejected", async () => {
  const { put: to } = await slot(4, { type: "image/png" });
  expect(await status(put(to, "text", "text/html"))).toBe(415);
});

spec(XEP, "7", "a slot is used once", async () => {
  const { put: to, get: from } = await slot(5);
  expect(await status(put(to, "first"))).toBe(201);
  expect(await status(put(to, "other"))).toBe(409);
  expect(await (await fetch(from)).text()).toBe("first");
});

spec(XEP, "8", "pages of any site may put and get", async () => {
  const { put: to, get: from } = await slot(1);
  const preflight = await fetch(to, { method: "OPTIONS", headers: { origin: "https://app.example" } });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
  await status(put(to, "x"));
  const response = await fetch(from);
  expect(await response.text()).toBe("x");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
});

spec(XEP, "9.1", "nothing in a file runs, and what no page shows is saved", async () => {
  const html = "<script>alert(1)</script>";
  const { put: to, get: from } = await slot(html.length, { name: "a.html", type: "text/html" });
  expect(await status(put(to, html, "text/html"))).toBe(201);
  const { headers, body } = await fetch(from);
  await body?.cancel();
  expect(headers.get("content-disposition")).toMatch(/^attachment;/);
  expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'; frame-ancestors 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

spec(XEP, "9.3", "what this server has not given cannot be put, nor looked for", async () => {
  const { put: to, get: from } = await slot(5);
  expect(await status(put(to.replace(/slot=[^.]+/, `slot=${btoa('{"size":5}')}`), "forge"))).toBe(403);
  expect(await status(put(from, "forge"))).toBe(403);
  expect(await status(put(to.replace("letter.txt", "other.txt"), "forge"))).toBe(403);
  expect(await status(fetch(`${world.http}/upload/${"a".repeat(26)}.${"b".repeat(22)}/letter.txt`))).toBe(404);
});

spec(XEP, "9.3", "who asks for what is not there wakes nothing, and leaves nothing behind", async () => {
  const before = world.tables("File");
  const { put: to, get: from } = await slot(5);
  const [path = "", query = ""] = to.split("?");
  const other = `${world.http}/upload/${"a".repeat(26)}.${"b".repeat(22)}/letter.txt`;
  for (const url of [other, from.replace("/upload/", "/upload/x"), from.replace("letter.txt", "%")]) {
    expect(await status(fetch(url))).toBe(404);
    expect(await status(fetch(url, { method: "HEAD" }))).toBe(404);
    expect(await status(put(`${url}?${query}`, "forge"))).toBeGreaterThanOrEqual(403);
  }
  expect(await status(put(path, "forge"))).toBe(403);
  expect(await status(put(to, "too long"))).toBe(413);
  expect(await status(put(to, "<b/>!", "text/html"))).toBe(415);
  expect(woken(before)).toEqual([]);
  // A slot's own address is one that a file may have, so its object is asked; but nothing is made in it.
  expect(await status(fetch(from))).toBe(404);
  expect(await status(fetch(from, { method: "HEAD" }))).toBe(404);
  expect(woken(before)).toEqual([[]]);
  expect(await status(put(to, "first"))).toBe(201);
  expect(woken(before)).toEqual([expect.arrayContaining(["file", "piece"])]);
});

spec(XEP, "7", "of an upload that fails nothing is left, not even tables", async () => {
  const before = world.tables("File");
  const { put: to } = await slot(10);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes(20));
      controller.close();
    },
  });
  const init = { method: "PUT", body, duplex: "half", headers: { "content-type": "text/plain" } };
  expect(await status(fetch(to, init as RequestInit))).toBe(413);
  expect(woken(before)).toEqual([[]]);
});

spec("XEP-0175", "3", "guests upload nothing", async () => {
  const guest = await world.connect("guest");
  await guest.opens(`guest.${world.domain}`);
  await guest.sends(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>`);
  await guest.receives(`<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>`);
  await guest.opens(`guest.${world.domain}`);
  await guest.binds();
  const answer = await asksFor(guest, `filename="a" size="1"`);
  expect(answer.getChild("error")?.getChild("not-allowed")).toBeDefined();
});

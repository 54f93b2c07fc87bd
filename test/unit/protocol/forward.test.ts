import { expect, test } from "vitest";
import { delayElement, readDelay } from "../../../src/protocol/delay.ts";
import { forwarded } from "../../../src/protocol/forward.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

const STAMP = new Date("2010-07-10T23:08:25Z");

test("XEP-0297: the stanza keeps its namespace", () => {
  const message = '<message xmlns="jabber:client" id="0202197"><body>Yet I should kill thee</body></message>';
  const text = forwarded(message, STAMP);
  expect(text).toBe(
    `<forwarded xmlns="urn:xmpp:forward:0"><delay xmlns="urn:xmpp:delay" stamp="2010-07-10T23:08:25.000Z"/>${message}</forwarded>`,
  );
  const element = read(text);
  expect(element.getChild("message", "jabber:client")?.getChild("body", "jabber:client")).toBeDefined();
  expect(readDelay(element.getChildElements())?.stamp).toEqual(STAMP);
  expect(forwarded(message)).not.toContain("delay");
});

test("XEP-0203: a delay is written and read", () => {
  const delay = { stamp: STAMP, from: "capulet.example", reason: "Offline storage" };
  const element = read(serialise(delayElement(delay)));
  expect(readDelay([element])).toEqual(delay);
  expect(readDelay([read("<delay xmlns='urn:xmpp:delay' stamp='yesterday'/>"), element])).toEqual(delay);
  expect(readDelay([read("<delay xmlns='urn:example' stamp='2010-07-10T23:08:25Z'/>")])).toBeUndefined();
});

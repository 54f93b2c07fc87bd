import { describe, expect, test } from "vitest";
import { errorElement, readError, StreamError, stanzaError, streamErrorElement } from "../../../src/protocol/errors.ts";
import { xml } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

describe("RFC 6120 §8.3: stanza errors", () => {
  test("the type follows from the condition, unless said", () => {
    expect(stanzaError("item-not-found").type).toBe("cancel");
    expect(stanzaError("forbidden").type).toBe("auth");
    expect(stanzaError("resource-constraint").type).toBe("wait");
    expect(stanzaError("feature-not-implemented", undefined, undefined, { type: "modify" }).type).toBe("modify");
  });

  test.each([
    [stanzaError("conflict"), '<error type="cancel"><conflict xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>'],
    [
      stanzaError("not-acceptable", "No <b>", xml("precondition-not-met", { xmlns: "urn:example" })),
      '<error type="modify"><not-acceptable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="en">No &lt;b&gt;</text><precondition-not-met xmlns="urn:example"/></error>',
    ],
    [
      stanzaError("gone", undefined, undefined, { by: "rooms.example", uri: "xmpp:new@rooms.example" }),
      '<error type="cancel" by="rooms.example"><gone xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">xmpp:new@rooms.example</gone></error>',
    ],
  ])("%s is written and read back", (error, text) => {
    expect(serialise(errorElement(error))).toBe(text);
    const { condition, type, by, uri } = error;
    expect(readError(read(text))).toMatchObject({ condition, type, by, uri, text: error.text });
    expect(readError(read(text)).app?.name).toBe(error.app?.name);
  });

  test("§8.3.2: what cannot be understood is an undefined-condition", () => {
    for (const text of [
      "<error/>",
      "<error type='odd'><strange xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    ]) {
      expect(readError(read(text))).toMatchObject({ condition: "undefined-condition", type: "cancel" });
    }
    expect(readError(undefined).condition).toBe("undefined-condition");
    expect(readError(read("<error type='wait'/>")).type).toBe("wait");
  });
});

describe("RFC 6120 §4.9: stream errors", () => {
  test.each([
    [
      new StreamError("host-unknown"),
      '<stream:error xmlns:stream="http://etherx.jabber.org/streams"><host-unknown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>',
    ],
    [
      new StreamError("see-other-host", "Moved", undefined, "[2001:db8::1]:5222"),
      '<stream:error xmlns:stream="http://etherx.jabber.org/streams"><see-other-host xmlns="urn:ietf:params:xml:ns:xmpp-streams">[2001:db8::1]:5222</see-other-host><text xmlns="urn:ietf:params:xml:ns:xmpp-streams" xml:lang="en">Moved</text></stream:error>',
    ],
  ])("%s", (error, text) => expect(serialise(streamErrorElement(error))).toBe(text));
});

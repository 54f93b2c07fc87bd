import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type Limits, PRE_AUTH_LIMITS, XmlError } from "../../../src/xml/reader.ts";
import { StreamReader } from "../../../src/xml/stream-reader.ts";
import { serialise } from "../../../src/xml/writer.ts";
import { MALFORMED } from "./malformed.ts";

const HEADER =
  "<?xml version='1.0'?><stream:stream to='b' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

function record(limits: Limits = DEFAULT_LIMITS, onStanza?: (reader: StreamReader, name: string) => void) {
  const seen: string[] = [];
  const reader: StreamReader = new StreamReader(
    {
      open: (stream, namespaces) => seen.push(`open ${stream.name} to ${stream.attrs.to} in ${namespaces[""]}`),
      stanza: (element) => {
        seen.push(serialise(element, "jabber:client"));
        onStanza?.(reader, element.name);
      },
      close: () => seen.push("close"),
    },
    limits,
  );
  return { reader, seen };
}

function refusal(reader: StreamReader, text: string): string | undefined {
  try {
    reader.feed(text);
  } catch (error) {
    if (error instanceof XmlError) return error.condition;
    throw error;
  }
  return undefined;
}

describe("StreamReader", () => {
  const body = `<message><body>a\r\n\u{1f600}]] &amp; é</body></message> \n<p:iq xmlns:p='jabber:client' id='1'/>\r`;
  const events = [
    "open stream to b in jabber:client",
    "<message><body>a\n\u{1f600}]] &amp; é</body></message>",
    '<iq id="1"/>',
    "close",
  ];

  it.each([1, 2, 3, 7, 1000])("reads a stream in pieces of %i", (size) => {
    const { reader, seen } = record();
    const characters = Array.from(`${HEADER}${body}</stream:stream>\n`);
    for (let at = 0; at < characters.length; at += size) reader.feed(characters.slice(at, at + size).join(""));
    expect(seen).toEqual(events);
  });

  it("§4.3.3: begins again, without what came before it was agreed", () => {
    const { reader, seen } = record(DEFAULT_LIMITS, (reader, name) => name === "starttls" && reader.restart());
    reader.feed(`${HEADER}<starttls xmlns='u'/><message/><<<`);
    reader.feed("\n");
    reader.feed(`${HEADER}<iq/>`);
    expect(seen).toEqual([events[0], '<starttls xmlns="u"/>', events[0], "<iq/>"]);
  });

  const inStanza = MALFORMED.filter(
    ([title]) =>
      !/before|after|cut off|without end|nothing|white space$|^text$|roots|deep|byte|declaration|version|Latin|encoding|^a document|entity|external|other quotes|alone/.test(
        title,
      ),
  );
  it.each(inStanza)("refuses %s", (_title, condition, text) => {
    const { reader } = record();
    reader.feed(HEADER);
    expect(refusal(reader, text)).toBe(condition);
    expect(refusal(reader, "<iq/>")).toBe(condition);
  });

  it.each([
    ["a document type", "restricted-xml", `<!DOCTYPE a>${HEADER.slice(21)}`],
    [
      "a document type after the declaration",
      "restricted-xml",
      HEADER.replace("?>", "?><!DOCTYPE a [<!ENTITY b 'c'>]>"),
    ],
    ["a byte order mark", "not-well-formed", `\ufeff${HEADER}`],
    ["another encoding", "unsupported-encoding", HEADER.replace("?>", " encoding='UTF-16'?>")],
    ["text between stanzas", "bad-format", `${HEADER}<a/>b<c/>`],
    ["a stream in the stream", "policy-violation", `${HEADER}<a>${HEADER.slice(21)}</a>`],
    ["a depth of 65", "policy-violation", HEADER + "<a>".repeat(65)],
    ["a document type in the stream", "restricted-xml", `${HEADER}<!DOCTYPE a>`],
  ])("refuses %s", (_title, condition, text) => {
    const whole = record().reader;
    expect(refusal(whole, text)).toBe(condition);
    const { reader } = record();
    let got: string | undefined;
    for (const char of text) got ??= refusal(reader, char);
    expect(got).toBe(condition);
  });

  it("holds each stanza to the limit, and not their sum", () => {
    const { reader, seen } = record(PRE_AUTH_LIMITS);
    reader.feed(HEADER);
    const stanza = `<a>${"é".repeat(4990)}</a>`;
    for (let i = 0; i < 5; i++) reader.feed(stanza);
    reader.feed(`<a>${"b".repeat(9000)}`);
    reader.feed(`</a>${stanza}`);
    expect(seen.length).toBe(8);
    expect(refusal(reader, `<a>${"é".repeat(4998)}</a>`)).toBe("policy-violation");
  });

  it.each([
    ["a tag", "<a ", " "],
    ["a name", "<", "a"],
    ["an attribute", "<a b='", "c"],
    ["a text", "<a>", "b"],
    ["a reference", "<a>&", "b"],
    ["an element", "<a>", "<b/>"],
    ["the space between", "", "  "],
  ])("does not wait for the end of %s", (_what, begin, more) => {
    const { reader } = record({ ...PRE_AUTH_LIMITS, elements: 1e9 });
    reader.feed(HEADER + begin);
    let fed = 0;
    while (refusal(reader, more.repeat(100)) === undefined) fed += 100 * more.length;
    expect(fed).toBeLessThanOrEqual(PRE_AUTH_LIMITS.bytes + 500);
  });

  it("lets a handler's own error through", () => {
    const { reader } = record(DEFAULT_LIMITS, () => {
      throw new RangeError("mine");
    });
    expect(() => reader.feed(`${HEADER}<a/>`)).toThrow(RangeError);
  });
});

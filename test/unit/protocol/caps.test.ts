import { describe, expect, test } from "vitest";
import {
  caps2Element,
  caps2Hash,
  caps2Input,
  caps2Node,
  capsElement,
  capsVersion,
  readCaps,
  readCaps2,
  verificationString,
} from "../../../src/protocol/caps.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

const query = (inner: string) => read(`<query xmlns='http://jabber.org/protocol/disco#info'>${inner}</query>`);
const features = (names: string) =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `<feature var='${name}'/>`)
    .join("");
const field = (name: string, ...values: string[]) =>
  `<field var='${name}'${name === "FORM_TYPE" ? " type='hidden'" : ""}>${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
const form = (...fields: string[]) => `<x xmlns='jabber:x:data' type='result'>${fields.join("")}</x>`;
const CLIENT = "<identity category='client' type='pc' name='Exodus 0.9.1'/>";
const MUC = features(`http://jabber.org/protocol/muc http://jabber.org/protocol/disco#info
  http://jabber.org/protocol/disco#items http://jabber.org/protocol/caps`);

describe("XEP-0115 §5: verification string", () => {
  test("§5.2: the simple example", () => {
    expect(capsVersion(query(CLIENT + MUC))).toBe("QgayPKawpkPSDYmwT/WM94uAlu0=");
  });

  test("§5.3: the complex example, however it is ordered", () => {
    const identities =
      "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>";
    const info = form(
      field("software_version", "0.11"),
      field("ip_version", "ipv6", "ipv4"),
      field("FORM_TYPE", "urn:xmpp:dataforms:softwareinfo"),
      field("os", "Mac"),
      field("software", "Psi"),
      field("os_version", "10.5.1"),
    );
    expect(capsVersion(query(identities + MUC + info))).toBe("q07IKJEyjvHSyhy//CH0CxmKi8w=");
    expect(capsVersion(query(info + MUC + identities))).toBe("q07IKJEyjvHSyhy//CH0CxmKi8w=");
  });

  test("§5.1: identities are sorted by category, then by type", () => {
    expect(verificationString(query("<identity category='a-b' type='x'/><identity category='a' type='y'/>"))).toBe(
      "a/y//<a-b/x//<",
    );
  });

  test("i;octet is the order of bytes", () => {
    expect(verificationString(query(features("\u{1f600} \uffe0")))).toBe("\uffe0<\u{1f600}<");
  });

  test.each([
    ["an identity twice", CLIENT + CLIENT],
    ["a feature twice", CLIENT + MUC + MUC],
    ["a FORM_TYPE twice", form(field("FORM_TYPE", "a")) + form(field("FORM_TYPE", "a"))],
    ["a FORM_TYPE of two values", form(field("FORM_TYPE", "a", "b"))],
    ["a name that hides a feature", "<identity category='client' type='pc' name='x&lt;urn:example'/>"],
    ["a type that hides a language", "<identity category='client' type='pc/en' name='x'/>"],
    ["a value that hides a field", form(field("FORM_TYPE", "a"), field("os", "Mac&lt;os_version"))],
  ])("§5.4: %s is ill-formed", (_what, inner) => expect(capsVersion(query(inner))).toBeUndefined());

  test("§5.4: a form without a hidden FORM_TYPE is left out", () => {
    const open = "<field var='FORM_TYPE'><value>a</value></field>";
    expect(capsVersion(query(CLIENT + MUC + form(field("os", "Mac")) + form(open)))).toBe(
      "QgayPKawpkPSDYmwT/WM94uAlu0=",
    );
  });

  test("'&lt;' written out stays four characters", () => {
    expect(verificationString(query(features("x&amp;lt;y")))).toBe("x&lt;y<");
  });
});

describe("XEP-0115 §6: in presence", () => {
  const caps = {
    node: "http://code.google.com/p/exodus",
    version: "QgayPKawpkPSDYmwT/WM94uAlu0=",
    hash: "sha-1",
  } as const;

  test("is written and read", () => {
    const text = serialise(capsElement(caps.node, caps.version));
    expect(text).toBe(
      `<c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="${caps.node}" ver="${caps.version}"/>`,
    );
    expect(readCaps([read(text)])).toEqual(caps);
  });

  test.each([
    "ver='0.9' node='n'",
    "hash='md5' ver='v' node='n'",
    "hash='sha-1' node='n'",
    "hash='constructor' ver='v' node='n'",
  ])("%s cannot be checked", (attributes) =>
    expect(readCaps([read(`<c xmlns='http://jabber.org/protocol/caps' ${attributes}/>`)])).toBeUndefined(),
  );
});

describe("XEP-0390 §4: hash input", () => {
  test("§4.5.1: the simple example", () => {
    const info = query(
      "<identity category='client' name='BombusMod' type='mobile'/>" +
        features(`http://jabber.org/protocol/si
  http://jabber.org/protocol/bytestreams
  http://jabber.org/protocol/chatstates
  http://jabber.org/protocol/disco#info
  http://jabber.org/protocol/disco#items
  urn:xmpp:ping
  jabber:iq:time
  jabber:iq:privacy
  jabber:iq:version
  http://jabber.org/protocol/rosterx
  urn:xmpp:time
  jabber:x:oob
  http://jabber.org/protocol/ibb
  http://jabber.org/protocol/si/profile/file-transfer
  urn:xmpp:receipts
  jabber:iq:roster
  jabber:iq:last`),
    );
    expect(caps2Hash(info, "sha-256")).toBe("kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=");
  });

  test("§4.5.2: the complex example", () => {
    const info = query(
      "<identity category='client' name='Tkabber' type='pc' xml:lang='en'/><identity category='client' name='Ткаббер' type='pc' xml:lang='ru'/>" +
        features(`games:board
  http://jabber.org/protocol/activity
  http://jabber.org/protocol/activity+notify
  http://jabber.org/protocol/bytestreams
  http://jabber.org/protocol/chatstates
  http://jabber.org/protocol/commands
  http://jabber.org/protocol/disco#info
  http://jabber.org/protocol/disco#items
  http://jabber.org/protocol/evil
  http://jabber.org/protocol/feature-neg
  http://jabber.org/protocol/geoloc
  http://jabber.org/protocol/geoloc+notify
  http://jabber.org/protocol/ibb
  http://jabber.org/protocol/iqibb
  http://jabber.org/protocol/mood
  http://jabber.org/protocol/mood+notify
  http://jabber.org/protocol/rosterx
  http://jabber.org/protocol/si
  http://jabber.org/protocol/si/profile/file-transfer
  http://jabber.org/protocol/tune
  http://www.facebook.com/xmpp/messages
  http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify
  jabber:iq:avatar
  jabber:iq:browse
  jabber:iq:dtcp
  jabber:iq:filexfer
  jabber:iq:ibb
  jabber:iq:inband
  jabber:iq:jidlink
  jabber:iq:last
  jabber:iq:oob
  jabber:iq:privacy
  jabber:iq:roster
  jabber:iq:time
  jabber:iq:version
  jabber:x:data
  jabber:x:event
  jabber:x:oob
  urn:xmpp:avatar:metadata+notify
  urn:xmpp:ping
  urn:xmpp:receipts
  urn:xmpp:time`) +
        form(
          field("FORM_TYPE", "urn:xmpp:dataforms:softwareinfo"),
          field("software", "Tkabber"),
          field("software_version", "0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)"),
          field("os", "Windows"),
          field("os_version", "XP"),
        ),
    );
    expect(caps2Hash(info, "sha-256")).toBe("u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=");
  });

  test("§4.1: a language in scope counts", () => {
    expect(caps2Input(query(CLIENT), "de")).toBe(caps2Input(query(CLIENT.replace("/>", " xml:lang='de'/>"))));
    expect(caps2Input(query(CLIENT), "de")).not.toBe(caps2Input(query(CLIENT)));
  });

  test.each([
    ["another element", "<other xmlns='urn:example'/>"],
    ["a form without FORM_TYPE", form(field("os", "Mac"))],
    ["a FORM_TYPE of two values", form(field("FORM_TYPE", "a", "b"))],
    ["a table", form(field("FORM_TYPE", "a"), "<reported/>")],
    ["an item", form(field("FORM_TYPE", "a"), "<item/>")],
  ])("§4.1: %s is an error", (_what, inner) => expect(caps2Hash(query(CLIENT + inner), "sha-256")).toBeUndefined());

  test("hash sets and nodes", () => {
    const text = serialise(caps2Element({ "sha-256": "abc=" }));
    expect(text).toBe('<c xmlns="urn:xmpp:caps"><hash xmlns="urn:xmpp:hashes:2" algo="sha-256">abc=</hash></c>');
    expect(readCaps2([read(text)])).toEqual({ "sha-256": "abc=" });
    expect(readCaps2([read(text.replace("sha-256", "md5"))])).toEqual({});
    expect(caps2Node("sha-256", "abc=")).toBe("urn:xmpp:caps#sha-256.abc=");
  });
});

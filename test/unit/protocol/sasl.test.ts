import { describe, expect, test } from "vitest";
import { SASL, SASL2 } from "../../../src/protocol/ns.ts";
import {
  authenticationFeature,
  challengeElement,
  channelBindingFeature,
  continueElement,
  failureElement,
  mechanismsFeature,
  readSasl,
  successElement,
} from "../../../src/protocol/sasl.ts";
import { xml } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

const request = (text: string) => readSasl(read(text));
const auth = (content: string) => request(`<auth xmlns='${SASL}' mechanism='PLAIN'>${content}</auth>`);
const bytes = (text: string) => expect.objectContaining(Buffer.from(text));

describe("RFC 6120 §6.4: requests", () => {
  test("no initial response, one of no length, and one", () => {
    expect(auth("")).toMatchObject({ kind: "start", profile: "sasl", mechanism: "PLAIN", initial: undefined });
    expect(auth("=")).toMatchObject({ kind: "start", initial: new Uint8Array() });
    expect(auth("AGFiYwB4eXo=")).toMatchObject({ kind: "start", initial: bytes("\0abc\0xyz") });
  });

  test.each([
    "AGFiYwB4eXo",
    "AGFi YwB4eXo=",
    "AGFi\nYwB4eXo=",
    "AGFiYwB4eXp=",
    "====",
    "A",
    "-_-_",
    " =",
    "A".repeat(10_004),
  ])("§6.5.5: %j is incorrect-encoding", (text) =>
    expect(auth(text)).toMatchObject({ kind: "refused", profile: "sasl", condition: "incorrect-encoding" }),
  );

  test("§6.5.7: no mechanism is invalid-mechanism", () => {
    expect(request(`<auth xmlns='${SASL}'>=</auth>`)).toMatchObject({
      kind: "refused",
      condition: "invalid-mechanism",
    });
  });

  test("response and abort", () => {
    expect(request(`<response xmlns='${SASL}'>YWJj</response>`)).toMatchObject({
      kind: "response",
      data: bytes("abc"),
    });
    expect(request(`<response xmlns='${SASL}'/>`)).toMatchObject({ kind: "response", data: new Uint8Array() });
    expect(request(`<response xmlns='${SASL}'>%</response>`)).toMatchObject({ kind: "refused" });
    expect(request(`<abort xmlns='${SASL}'/>`)).toEqual({ kind: "abort", profile: "sasl" });
  });

  test("anything else is none of ours", () => {
    expect(request("<auth xmlns='jabber:client' mechanism='PLAIN'/>")).toBeUndefined();
    expect(request(`<auth xmlns='${SASL2}' mechanism='PLAIN'/>`)).toBeUndefined();
    expect(request(`<authenticate xmlns='${SASL}' mechanism='PLAIN'/>`)).toBeUndefined();
    expect(request(`<success xmlns='${SASL}'/>`)).toBeUndefined();
  });
});

describe("XEP-0388: requests", () => {
  test("§2.3: the example", () => {
    const example = request(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1-PLUS'>
      <initial-response>cD10bHMtZXhwb3J0ZXIsLG49dXNlcixyPTEyQzRDRDVDLUUzOEUtNEE5OC04RjZELTE1QzM4RjUxQ0NDNg==</initial-response>
      <user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'>
        <software>AwesomeXMPP</software>
        <device>Kiva's Phone</device>
      </user-agent>
    </authenticate>`);
    expect(example).toEqual({
      kind: "start",
      profile: "sasl2",
      mechanism: "SCRAM-SHA-1-PLUS",
      initial: bytes("p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6"),
      userAgent: { id: "d4565fa7-4d72-4749-b3d3-740edbf87770", software: "AwesomeXMPP", device: "Kiva's Phone" },
    });
  });

  test("§2.2: an empty initial response is one of no length", () => {
    const open = "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='ANONYMOUS'>";
    expect(request(`${open}</authenticate>`)).toMatchObject({ initial: undefined, userAgent: {} });
    expect(request(`${open}<initial-response/></authenticate>`)).toMatchObject({ initial: new Uint8Array() });
  });

  test("response and abort", () => {
    expect(request("<response xmlns='urn:xmpp:sasl:2'>YWJj</response>")).toMatchObject({
      profile: "sasl2",
      data: bytes("abc"),
    });
    expect(request("<abort xmlns='urn:xmpp:sasl:2'><text>no</text></abort>")).toEqual({
      kind: "abort",
      profile: "sasl2",
    });
  });
});

describe("what the server writes", () => {
  test.each([
    [
      mechanismsFeature(["SCRAM-SHA-1", "PLAIN"]),
      `<mechanisms xmlns="${SASL}"><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>`,
    ],
    [
      authenticationFeature(["PLAIN"], [xml("bind", { xmlns: "urn:xmpp:bind:0" })]),
      '<authentication xmlns="urn:xmpp:sasl:2"><mechanism>PLAIN</mechanism><inline><bind xmlns="urn:xmpp:bind:0"/></inline></authentication>',
    ],
    [
      channelBindingFeature(["tls-exporter"]),
      '<sasl-channel-binding xmlns="urn:xmpp:sasl-cb:0"><channel-binding type="tls-exporter"/></sasl-channel-binding>',
    ],
    [challengeElement("sasl", "abc"), `<challenge xmlns="${SASL}">YWJj</challenge>`],
    [challengeElement("sasl2", ""), '<challenge xmlns="urn:xmpp:sasl:2"/>'],
    [successElement("sasl", { authorizationIdentifier: "a@b" }), `<success xmlns="${SASL}"/>`],
    [successElement("sasl", { authorizationIdentifier: "a@b", data: "" }), `<success xmlns="${SASL}">=</success>`],
    [successElement("sasl", { authorizationIdentifier: "a@b", data: "v=" }), `<success xmlns="${SASL}">dj0=</success>`],
    [
      successElement("sasl2", {
        authorizationIdentifier: "a@b/c",
        data: Buffer.of(255),
        inline: [xml("bound", { xmlns: "urn:xmpp:bind:0" })],
      }),
      '<success xmlns="urn:xmpp:sasl:2"><additional-data>/w==</additional-data><authorization-identifier>a@b/c</authorization-identifier><bound xmlns="urn:xmpp:bind:0"/></success>',
    ],
    [
      continueElement(["TOTP"], "v=", "2FA"),
      '<continue xmlns="urn:xmpp:sasl:2"><additional-data>dj0=</additional-data><tasks><task>TOTP</task></tasks><text>2FA</text></continue>',
    ],
    [failureElement("sasl", "not-authorized"), `<failure xmlns="${SASL}"><not-authorized/></failure>`],
    [
      failureElement("sasl2", "aborted", "bye"),
      `<failure xmlns="urn:xmpp:sasl:2"><aborted xmlns="${SASL}"/><text xml:lang="en">bye</text></failure>`,
    ],
  ])("%#", (element, text) => expect(serialise(element)).toBe(text));
});

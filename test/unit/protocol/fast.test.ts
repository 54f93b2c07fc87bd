import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  fastFeature,
  fastMechanisms,
  newToken,
  readFast,
  readTokenRequest,
  type Token,
  type TokenSlots,
  tokenElement,
  useToken,
} from "../../../src/protocol/fast.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

const NONE = "HT-SHA-256-NONE";
const proof = (token: Token, mechanism = NONE) => ({
  mechanism,
  hash: createHmac("sha256", token.secret).update("Initiator").digest("base64"),
  binding: "",
});
const authenticate = (inner: string) =>
  read(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='${NONE}'>${inner}</authenticate>`);

describe("XEP-0484: on the wire", () => {
  test("mechanisms with channel binding only where there is one", () => {
    expect(fastMechanisms()).toEqual([NONE]);
    expect(fastMechanisms(["tls-exporter", "tls-server-end-point"])).toEqual([
      "HT-SHA-256-EXPR",
      "HT-SHA-256-ENDP",
      NONE,
    ]);
    expect(serialise(fastFeature([NONE]))).toBe(`<fast xmlns="urn:xmpp:fast:0"><mechanism>${NONE}</mechanism></fast>`);
  });

  test("requests, as in the examples", () => {
    expect(readFast(authenticate("<fast xmlns='urn:xmpp:fast:0' count='123' />"))).toEqual({
      count: 123,
      invalidate: false,
    });
    expect(readFast(authenticate("<fast xmlns='urn:xmpp:fast:0' count='123' invalidate='true'/>"))?.invalidate).toBe(
      true,
    );
    expect(readFast(authenticate("<fast xmlns='urn:xmpp:fast:0' invalidate='1'/>"))).toEqual({
      count: undefined,
      invalidate: true,
    });
    expect(readFast(authenticate("<fast xmlns='urn:xmpp:fast:0' count='-1'/>"))?.count).toBe(0);
    expect(readFast(authenticate(""))).toBeUndefined();
    expect(readTokenRequest(authenticate(`<request-token xmlns='urn:xmpp:fast:0' mechanism='${NONE}'/>`))).toBe(NONE);
    expect(readTokenRequest(authenticate(""))).toBeUndefined();
  });

  test("the token and its end", () => {
    const token: Token = { secret: "abc", mechanism: NONE, expires: Date.UTC(2020, 2, 12, 14, 36, 15), count: 0 };
    expect(serialise(tokenElement(token))).toBe(
      '<token xmlns="urn:xmpp:fast:0" token="abc" expiry="2020-03-12T14:36:15.000Z"/>',
    );
  });
});

describe("XEP-0484 §5.1: two slots", () => {
  const now = 1_000_000;
  const first = newToken(NONE, now, 1000);
  const second = newToken(NONE, now, 2000);

  test("a token has 256 random bits", () => {
    expect(Buffer.from(first.secret, "base64url")).toHaveLength(32);
    expect(first.secret).not.toBe(second.secret);
  });

  test("both work until the newer one is used, which ends the older", () => {
    const slots: TokenSlots = { current: first, fresh: second };
    expect(useToken(slots, proof(first), now)).toMatchObject({ ok: true, slots, token: first });
    expect(useToken(slots, proof(second), now)).toMatchObject({ ok: true, slots: { current: second }, token: second });
    const after = useToken(slots, proof(second), now);
    if (!after.ok) throw new Error(after.reason);
    expect(after.slots.fresh).toBeUndefined();
    expect(useToken(after.slots, proof(first), now)).toMatchObject({ ok: false, condition: "not-authorized" });
  });

  test("the answer proves that the server knows the token", () => {
    expect(useToken({ current: first }, proof(first), now)).toMatchObject({
      data: createHmac("sha256", first.secret).update("Responder").digest("base64"),
    });
  });

  test("expired, foreign, or for another mechanism", () => {
    expect(useToken({ current: first }, proof(first), now + 1000)).toMatchObject({ condition: "credentials-expired" });
    expect(useToken({ current: first }, proof(second), now)).toMatchObject({ condition: "not-authorized" });
    expect(useToken({ current: first }, proof(first, "HT-SHA-256-EXPR"), now)).toMatchObject({
      condition: "not-authorized",
    });
    expect(useToken({}, proof(first), now)).toMatchObject({ condition: "not-authorized" });
  });

  test("a count must rise", () => {
    const once = useToken({ current: first }, proof(first), now, 5);
    if (!once.ok) throw new Error(once.reason);
    expect(once.token.count).toBe(5);
    expect(useToken(once.slots, proof(first), now, 5).ok).toBe(false);
    expect(useToken(once.slots, proof(first), now, 6).ok).toBe(true);
    expect(useToken({ current: first }, proof(first), now, 0).ok).toBe(false);
  });
});

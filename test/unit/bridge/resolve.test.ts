import { expect, test } from "vitest";
import { isPublic, NoServer, resolveServer } from "../../../src/bridge/resolve.ts";
import { dialbackKey, isDialbackKey } from "../../../src/protocol/dialback.ts";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "169.254.169.254",
  "100.64.0.1",
  "192.168.1.1",
  "0.0.0.0",
  "::1",
  "::ffff:10.0.0.1",
  "64:ff9b::a00:1",
  "2002:a00:1::",
  "fd00::1",
  "fe80::1%eth0",
  "not an address",
])("%s is not of the public internet (security.md F6)", (address) => expect(isPublic(address)).toBe(false));

test.each(["9.9.9.9", "2620:fe::fe"])("%s is", (address) => expect(isPublic(address)).toBe(true));

test.each(["127.0.0.1", "[::1]", "somewhere.invalid"])("%s is no server", async (name) => {
  await expect(resolveServer(name, { overrides: {}, allowPrivate: false })).rejects.toThrow(NoServer);
});

test("XEP-0185 §4: the key of the example", () => {
  const key = dialbackKey("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F");
  expect(key).toBe("37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
  expect(isDialbackKey(` ${key}\n`, "s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F")).toBe(true);
  expect(isDialbackKey(key, "s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "other")).toBe(false);
});

test("keys of names that run together differ (CVE-2016-0756)", () => {
  expect(dialbackKey("s", "a", "bber.example", "1")).not.toBe(dialbackKey("s", "ab", "ber.example", "1"));
});

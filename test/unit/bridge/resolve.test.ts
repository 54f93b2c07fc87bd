import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isPublic, NoServer, type ResolveOptions, resolveServer } from "../../../src/bridge/resolve.ts";
import { dialbackKey, isDialbackKey } from "../../../src/protocol/dialback.ts";
import { NameServer } from "../../support/name-server.ts";

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
  await expect(resolveServer(name, { overrides: {}, allowPrivate: false, nameServers: [] })).rejects.toThrow(NoServer);
});

describe("what DNS says", () => {
  let dns: NameServer;
  beforeEach(async () => {
    dns = await NameServer.start();
  });
  afterEach(() => dns.stop());

  const resolve = (domain: string, options: Partial<ResolveOptions> = {}) =>
    resolveServer(domain, { overrides: {}, allowPrivate: true, nameServers: [dns.address], ...options });

  test("RFC 6120 §3.2.2: without services it is the domain itself, by IPv6 and IPv4", async () => {
    dns.address4("verona.example", "9.9.9.9");
    dns.address6("verona.example", "2620:fe::fe");
    expect(await resolve("verona.example")).toEqual([
      { address: "2620:fe::fe", port: 5269, direct: false },
      { address: "9.9.9.9", port: 5269, direct: false },
    ]);
  });

  test("XEP-0368 §3: both kinds of service are one list, by their priorities", async () => {
    dns.service("_xmpp-server._tcp.verona.example", { target: "a.example", port: 5269, priority: 1 });
    dns.service("_xmpps-server._tcp.verona.example", { target: "b.example", port: 443, priority: 0 });
    dns.service("_xmpps-server._tcp.verona.example", { target: "c.example", port: 5270, priority: 2 });
    for (const [i, name] of ["a", "b", "c"].entries()) dns.address4(`${name}.example`, `9.9.9.${i}`);
    expect(await resolve("verona.example")).toEqual([
      { address: "9.9.9.1", port: 443, direct: true },
      { address: "9.9.9.0", port: 5269, direct: false },
      { address: "9.9.9.2", port: 5270, direct: true },
    ]);
  });

  test("RFC 2782: of one priority, each goes first by the share of its weight", async () => {
    const share = { rare: 1, often: 9 };
    for (const [name, weight] of Object.entries(share)) {
      dns.service("_xmpp-server._tcp.verona.example", { target: `${name}.example`, port: 5269, weight });
      dns.address4(`${name}.example`, `9.9.9.${weight}`);
    }
    let rare = 0;
    for (let i = 0; i < 300; i++) if ((await resolve("verona.example"))[0]?.address === "9.9.9.1") rare++;
    // 30 of 300, with a chance of less than one in a million to be outside of this.
    expect(rare).toBeGreaterThan(5);
    expect(rare).toBeLessThan(60);
  });

  test("a domain in another script is asked for in ASCII", async () => {
    dns.address4("xn--mnchen-3ya.example", "9.9.9.9");
    expect(await resolve("münchen.example")).toMatchObject([{ address: "9.9.9.9" }]);
  });

  test("RFC 2782: a target of one dot says that there is no such service", async () => {
    dns.service("_xmpp-server._tcp.verona.example", { target: ".", port: 0 });
    dns.address4("verona.example", "9.9.9.9");
    await expect(resolve("verona.example")).rejects.toThrow(NoServer);
  });

  test("nothing of our own network, and no port of another protocol (security.md F6)", async () => {
    dns.service("_xmpp-server._tcp.verona.example", { target: "inside.example", port: 5269 });
    dns.address4("inside.example", "10.0.0.1");
    dns.address6("inside.example", "::ffff:127.0.0.1");
    await expect(resolve("verona.example", { allowPrivate: false })).rejects.toThrow(NoServer);
    dns.service("_xmpp-server._tcp.bank.example", { target: "mail.example", port: 25 });
    dns.address4("mail.example", "9.9.9.9");
    await expect(resolve("bank.example", { allowPrivate: false })).rejects.toThrow(NoServer);
  });

  test("a name that does not exist is final; a name server that fails is not", async () => {
    await expect(resolve("nowhere.example")).rejects.toThrow(NoServer);
    dns.fails = true;
    await expect(resolve("verona.example")).rejects.not.toThrow(NoServer);
  });
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

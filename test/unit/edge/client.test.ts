import { describe, expect, test } from "vitest";
import { clientAddress, isPrivate, region } from "../../../src/edge/client.ts";
import { isAllowedOrigin } from "../../../src/edge/origin.ts";
import { parseSettings } from "../../../src/settings.ts";

const settings = parseSettings({});

function request(
  cf: object | undefined,
  headers: Record<string, string> = {},
  url = "http://chat.example/ws",
): Request {
  return Object.assign(new Request(url, { headers }), { cf }) as unknown as Request;
}

describe("the client's address", () => {
  test.each([
    ["203.0.113.9:5000", "203.0.113.9"],
    ["[2001:db8:1:2:3:4:5:6]:5000", "2001:db8:1:2::/64"],
    ["[2001:DB8::6]:5000", "2001:db8:0:0::/64"],
    ["[2001:0db8:0001:0002::]:5000", "2001:db8:1:2::/64"],
    ["[::ffff:203.0.113.9]:5000", "203.0.113.9"],
    ["[::1]:5000", "0:0:0:0::/64"],
  ])("%s counts as %s", (clientIp, address) => {
    expect(clientAddress(request({ clientIp }), settings)).toBe(address);
  });

  test("on plain workerd no header has a say", () => {
    const spoofed = { "cf-connecting-ip": "198.51.100.1", "x-forwarded-for": "198.51.100.2" };
    expect(clientAddress(request({ clientIp: "203.0.113.9:1" }, spoofed), settings)).toBe("203.0.113.9");
  });

  test("on Cloudflare it is the header that only Cloudflare sets", () => {
    const headers = { "cf-connecting-ip": "203.0.113.9", "x-forwarded-for": "198.51.100.2" };
    expect(clientAddress(request({ continent: "EU" }, headers), settings)).toBe("203.0.113.9");
  });

  test("behind a trusted proxy it is the last address the proxy wrote", () => {
    const trusting = parseSettings({ TRUST_PROXY: "on" });
    const headers = { "x-forwarded-for": "198.51.100.66, 203.0.113.9" };
    expect(clientAddress(request({ clientIp: "127.0.0.1:1" }, headers), trusting)).toBe("203.0.113.9");
  });
});

describe("a connection is private", () => {
  test.each([
    [true, "https://chat.example/", { continent: "EU" }],
    [false, "http://chat.example/", { continent: "EU" }],
    [true, "http://chat.example/", { clientIp: "127.0.0.1:1" }],
    [true, "http://chat.example/", { clientIp: "[::1]:1" }],
    // The Host header is the client's word.
    [false, "http://localhost/", { clientIp: "203.0.113.9:1" }],
    [true, "http://127.0.0.1:8787/", undefined],
  ])("%s: %s from %o", (expected, url, cf) => {
    expect(isPrivate(request(cf, {}, url), settings)).toBe(expected);
  });

  test("TLS in front counts only when the proxy is trusted", () => {
    const proxied = request({ clientIp: "203.0.113.9:1" }, { "x-forwarded-proto": "https" });
    expect(isPrivate(proxied, settings)).toBe(false);
    expect(isPrivate(proxied, parseSettings({ TRUST_PROXY: "on" }))).toBe(true);
  });
});

test.each([
  [{ continent: "EU", longitude: "2.35" }, "weur"],
  [{ continent: "EU", longitude: "21.0" }, "eeur"],
  [{ continent: "NA", longitude: "-122.4" }, "wnam"],
  [{ continent: "NA", longitude: "-74.0" }, "enam"],
  [{ continent: "AS", country: "AE" }, "me"],
  [{ continent: "AS", country: "JP" }, "apac"],
  [{ clientIp: "127.0.0.1:1" }, undefined],
  [undefined, undefined],
])("the region of %o is %s", (cf, expected) => {
  expect(region(request(cf))).toBe(expected);
});

describe("the origin policy", () => {
  const open = parseSettings({ ALLOWED_ORIGINS: "https://www.example.org", PUBLIC_URL: "https://public.example" });
  test.each([
    [null, true], // no page at all
    ["http://chat.example", true],
    ["https://chat.example", true],
    ["https://www.example.org", true],
    ["https://public.example", true],
    ["http://localhost:3000", true],
    ["http://app.localhost:3000", true],
    ["http://127.0.0.1:5173", true],
    ["http://[::1]:5173", true],
    ["https://evil.example", false],
    ["https://evilchat.example", false],
    ["https://chat.example.evil.example", false],
    ["https://localhost.evil.example", false],
    ["http://www.example.org", false],
    ["https://chat.example:8443", false],
    ["null", false],
    ["", false],
  ])("%s: %s", (origin, expected) => {
    expect(isAllowedOrigin(origin, { url: "http://chat.example/ws" }, open)).toBe(expected);
  });

  test("* lets every page in", () => {
    const all = parseSettings({ ALLOWED_ORIGINS: "*" });
    expect(isAllowedOrigin("null", { url: "http://chat.example/ws" }, all)).toBe(true);
  });
});

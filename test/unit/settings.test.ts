import { describe, expect, test } from "vitest";
import {
  parseSettings,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  SettingsError,
  settingsOf,
} from "../../src/settings.ts";

/** The problems of an environment, as `NAME=value`. */
function refused(env: Record<string, unknown>): string[] {
  try {
    parseSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map(({ name, value }) => `${name}=${value}`);
    throw error;
  }
  return [];
}

describe("defaults", () => {
  const settings = parseSettings({});

  test("hosts hang under the domain", () => {
    expect(settings).toMatchObject({
      domain: "localhost",
      guestDomain: "guest.localhost",
      mucDomain: "rooms.localhost",
      pubsubDomain: "pubsub.localhost",
      uploadDomain: "upload.localhost",
    });
  });

  test("are safe: closed registration, no token, own pages only", () => {
    expect(settings).toMatchObject({ registration: "closed", adminToken: undefined, allowedOrigins: [], limits: true });
  });

  test("an empty variable is an absent one", () => {
    const empty = Object.fromEntries(SETTING_NAMES.map((name) => [name, ""]));
    expect(parseSettings(empty)).toEqual(settings);
  });

  test("every fallback that is a value is a good one", () => {
    for (const name of SETTING_NAMES) {
      const { fallback } = SETTINGS[name];
      if (fallback !== "" && !fallback.includes("<")) expect(refused({ [name]: fallback }), name).toEqual([]);
    }
  });
});

test("the value is frozen to its depth", () => {
  const settings = parseSettings({
    ALLOWED_ORIGINS: "https://a.example",
    EXTERNAL_SERVICES: '[{"type":"stun","host":"s"}]',
  });
  expect(Object.isFrozen(settings)).toBe(true);
  expect(Object.isFrozen(settings.allowedOrigins)).toBe(true);
  expect(Object.isFrozen(settings.externalServices[0])).toBe(true);
});

test("one environment is parsed once", () => {
  const env = { XMPP_DOMAIN: "a.example" };
  expect(settingsOf(env)).toBe(settingsOf(env));
});

test("other names in the environment are nobody's business", () => {
  expect(parseSettings({ PATH: "/bin", GATE: { get: () => {} } })).toEqual(parseSettings({}));
});

test("domains are brought to one form", () => {
  expect(parseSettings({ XMPP_DOMAIN: "Chat.Example.ORG" }).mucDomain).toBe("rooms.chat.example.org");
  expect(parseSettings({ XMPP_DOMAIN: "xn--mnchen-3ya.example" }).domain).toBe("münchen.example");
});

test("what the dashboard or wrangler.toml give as numbers, booleans and JSON is read alike", () => {
  const settings = parseSettings({
    HISTORY_DAYS: 7,
    ANONYMOUS: false,
    EXTERNAL_SERVICES: [{ type: "turn", host: "t.example" }],
  });
  expect(settings).toMatchObject({ historyDays: 7, anonymous: false, externalServices: [{ type: "turn" }] });
});

test("placement", () => {
  expect(parseSettings({ PLACEMENT: "each" }).placement).toEqual({ policy: "each" });
  expect(parseSettings({ PLACEMENT: "shared:12" }).placement).toEqual({ policy: "shared", objects: 12 });
});

test("origins are separated by commas or spaces and reduced to scheme, host and port", () => {
  expect(parseSettings({ ALLOWED_ORIGINS: "https://A.example/, http://b.example:8080" }).allowedOrigins).toEqual([
    "https://a.example",
    "http://b.example:8080",
  ]);
  expect(parseSettings({ ALLOWED_ORIGINS: "*" }).allowedOrigins).toBe("*");
});

const bad: [SettingName, string][] = [
  ["XMPP_DOMAIN", "https://example.org"],
  ["XMPP_DOMAIN", "example.org:5222"],
  ["XMPP_DOMAIN", "me@example.org"],
  ["XMPP_DOMAIN", "[::1]"],
  ["REGISTRATION", "yes"],
  ["ANONYMOUS", "true"],
  ["ALLOWED_ORIGINS", "example.org"],
  ["ALLOWED_ORIGINS", "https://example.org/path"],
  ["PUBLIC_URL", "example.org"],
  ["ARCHIVE", "1"],
  ["HISTORY_DAYS", "-1"],
  ["HISTORY_DAYS", "1e3"],
  ["PLACEMENT", "shared"],
  ["PLACEMENT", "shared:0"],
  ["GATE_SOCKETS", "0"],
  ["MAX_STANZA_BYTES", "9999"], // RFC 6120 §13.12: not below 10,000
  ["RESUME_SECONDS", "600s"],
  ["SCRAM_ITERATIONS", "4095"], // RFC 7677 §4
  ["SCRAM_ITERATIONS", "100001"], // the cloud's runtime refuses more
  ["EXTERNAL_SERVICES", "stun.example.org"],
  ["EXTERNAL_SERVICES", '[{"type":"stun"}]'],
  ["ABUSE_CONTACT", "abuse@example.org"],
  ["MUC_CREATE", "everyone"],
  ["DEFAULT_ROOM", "the lobby"],
  ["LOG_LEVEL", "verbose"],
];
test.each(bad)("%s=%s is refused", (name, value) => {
  const shown = "secret" in SETTINGS[name] ? "(hidden)" : JSON.stringify(value);
  expect(refused({ [name]: value })).toEqual([`${name}=${shown}`]);
});

test("every bad value is named at once, with what is allowed", () => {
  expect(refused({ REGISTRATION: "yes", LIMITS: "none" })).toHaveLength(2);
  expect(() => parseSettings({ REGISTRATION: "yes" })).toThrow(
    'REGISTRATION="yes" is not possible: closed, invite or open',
  );
});

test("no two kinds of entity share a host", () => {
  expect(refused({ XMPP_DOMAIN: "a.example", MUC_DOMAIN: "a.example" })).toEqual(['MUC_DOMAIN="a.example"']);
});

test.each([
  "change-me-please-now",
  "your-token-goes-here",
  "short",
  "aaaaaaaaaaaaaaaaaaaa",
  "secretsecretsecret",
  "an-example-of-a-token",
])("a placeholder is no token: %s", (token) =>
  expect(refused({ ADMIN_TOKEN: token })).toEqual(["ADMIN_TOKEN=(hidden)"]),
);

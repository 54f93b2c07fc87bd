/** A certificate that is renewed while the bridge runs: the next who connects is shown the new one. */
import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "../client.ts";
import { stage } from "../fixture.ts";
import { Authority, type Identity } from "./authority.ts";
import { BRIDGE_TOKEN, type RunningBridge, startBridge } from "./bridge.ts";
import { header, Raw, STARTTLS } from "./raw.ts";

const on = stage({ settings: { BRIDGE_TOKEN } });

test("a renewed certificate is shown at every door and to other servers, and who is connected stays", async () => {
  const { domain } = on.server;
  const folder = mkdtempSync(join(tmpdir(), "enjamb-certificate-"));
  const authority = new Authority(folder);
  const shown: Identity = { cert: join(folder, "shown.pem"), key: join(folder, "shown.key") };
  const install = ({ cert, key }: Identity) => {
    cpSync(cert, shown.cert);
    cpSync(key, shown.key);
  };
  install(authority.issue("first", [domain]));
  const remote = await Raw.listen();
  on.later(() => remote.close());
  const overrides = { "else.test": `127.0.0.1:${remote.port}` };
  const bridge = await startBridge(on.server, shown, { S2S_OVERRIDES: JSON.stringify(overrides) });
  on.later(() => bridge.stop());

  async function visit(door: keyof RunningBridge["ports"], protocol?: string, servername?: string): Promise<Raw> {
    const raw = await Raw.connect(bridge.ports[door], protocol, servername);
    on.later(() => raw.close());
    const namespace = door.startsWith("c2s") ? "jabber:client" : "jabber:server";
    if (!protocol) {
      raw.say(header("else.test", domain, namespace));
      await raw.hears(/<\/stream:features>/);
      await raw.handshake(STARTTLS, undefined, servername);
    }
    raw.say(header("else.test", domain, namespace));
    await raw.hears(/<\/stream:features>/);
    return raw;
  }
  const DOORS: Parameters<typeof visit>[] = [
    ["c2s", undefined, domain],
    ["c2sTls", "xmpp-client", domain],
    ["s2s", undefined, domain],
    ["s2sTls", "xmpp-server", domain],
    // Who names no host
    ["c2sTls", "xmpp-client", ""],
    ["c2s", undefined, ""],
  ];
  const serials = async () => {
    const visits = await Promise.all(DOORS.map((door) => visit(...door)));
    return visits.map((raw) => raw.certificate?.serialNumber);
  };

  const before = await serials();
  expect(new Set(before).size).toBe(1);
  const stays = await visit("c2sTls", "xmpp-client", domain);

  // A renewal in the middle of its being written: half of it is there, and is not shown.
  const next = authority.issue("second", [domain]);
  cpSync(next.key, shown.key);
  expect(await serials()).toEqual(before);
  writeFileSync(shown.cert, "-----BEGIN CERTIFICATE-----\n");
  expect(await serials()).toEqual(before);

  install(next);
  const { name: username, password } = await on.account("romeo");
  const romeo = await Client.login({ username, password, url: on.server.websocket, domain });
  on.later(() => romeo.close());
  const written = remote.accept();
  romeo.send('<message xmlns="jabber:client" to="paul@else.test"><body>hello</body></message>');
  const reached = await written;
  on.later(() => reached.close());
  await reached.accepts("else.test", domain, authority.selfSigned("else", ["else.test"]));
  expect(reached.certificate).toBeDefined();
  expect(reached.certificate?.serialNumber).not.toBe(before[0]);

  const after = await serials();
  expect(new Set(after).size).toBe(1);
  expect(after).not.toContain(before[0]);
  stays.say('<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="NONE"/>');
  await stays.hears(/<failure [^>]*><invalid-mechanism/);
});

/**
 * XEP-0215: External Service Discovery, v1.0.0 — https://xmpp.org/extensions/xep-0215.html
 * Credentials of TURN services as in draft-uberti-behave-turn-rest-00, without the name of whoever asks.
 */
import { createHmac } from "node:crypto";
import type { Feature } from "../kernel/feature.ts";
import { type HostContext, host } from "../kernel/host.ts";
import { randomName } from "../protocol/base32.ts";
import { formatDateTime } from "../protocol/datetime.ts";
import { stanzaError } from "../protocol/errors.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { ExternalService, Settings } from "../settings.ts";
import { type Element, xml } from "../xml/element.ts";

const NS = "urn:xmpp:extdisco:2";

/** What a relay costs is for the accounts of this server. */
function admit({ settings }: HostContext, { from }: Stanza): void {
  if (from.domain !== settings.domain)
    throw stanzaError("forbidden", "These services are for accounts of this server.");
}

function serviceElement(service: ExternalService, settings: Settings): Element {
  const { type, host, port, transport, name } = service;
  return xml("service", { type, host, port, transport, name, ...credentials(service, settings) });
}

function credentials({ type, username, password }: ExternalService, { turnSecret, turnSeconds }: Settings) {
  if (username !== undefined || !turnSecret || !/^turns?$/.test(type)) return { username, password };
  const expires = Math.floor(Date.now() / 1000) + turnSeconds;
  const name = `${expires}:${randomName()}`;
  return {
    username: name,
    password: createHmac("sha1", turnSecret).update(name).digest("base64"),
    expires: formatDateTime(expires * 1000),
  };
}

function services(cx: HostContext, iq: Stanza): Element {
  admit(cx, iq);
  const { settings } = cx;
  const { type } = iq.payload.attrs;
  const wanted = settings.externalServices.filter((service) => type === undefined || service.type === type);
  return xml("services", { xmlns: NS, type }, ...wanted.map((service) => serviceElement(service, settings)));
}

/** §3.3: of the services that the request names. */
function credentialsOf(cx: HostContext, iq: Stanza): Element {
  admit(cx, iq);
  const { settings } = cx;
  const { host, type, port } = iq.payload.getChild("service", NS)?.attrs ?? {};
  if (!host || !type) throw stanzaError("bad-request", "A service has a host and a type.");
  const wanted = settings.externalServices.filter(
    (service) => service.host === host && service.type === type && (!port || String(service.port) === port),
  );
  if (wanted.length === 0) throw stanzaError("item-not-found", "There is no such service.");
  return xml("credentials", { xmlns: NS }, ...wanted.map((service) => serviceElement(service, settings)));
}

export const externalServices: Feature = {
  name: "external-services",
  when: ({ externalServices }) => externalServices.length > 0,
  implements: [{ id: "XEP-0215", version: "1.0.0", note: "without pushes: what is offered does not change" }],
  advertises: { host: [NS] },
  handles: [host.iq("get", NS, "services", services), host.iq("get", NS, "credentials", credentialsOf)],
};

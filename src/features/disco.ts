/**
 * XEP-0030: Service Discovery, v2.5.0 — https://xmpp.org/extensions/xep-0030.html
 * With the server's own hash (XEP-0115 §6.3) and whom to write to (XEP-0128, XEP-0157).
 */
import { type Account, account, contact } from "../account/account.ts";
import type { Feature, Inquiry, Place } from "../kernel/feature.ts";
import { type HostContext, host } from "../kernel/host.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Caps, capsElement, capsVersion } from "../protocol/caps.ts";
import { contactForm, infoElement } from "../protocol/disco.ts";
import { stanzaError } from "../protocol/errors.ts";
import { CLIENT, DISCO_INFO, DISCO_ITEMS } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import { type Element, xml } from "../xml/element.ts";
import { read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";

/** The URI that names this software in XEP-0115. */
const SOFTWARE = "urn:x-enjamb";

/** Answers that only the list of features and the settings decide, as text: written once for each kernel. */
const answers = new WeakMap<Kernel, Map<Place, string>>();

function info(kernel: Kernel, settings: Settings, place: Place): string {
  const known = answers.get(kernel) ?? new Map<Place, string>();
  answers.set(kernel, known);
  let text = known.get(place);
  if (text === undefined) {
    text = serialise(infoOf(kernel, settings, place), CLIENT);
    known.set(place, text);
  }
  return text;
}

function infoOf(kernel: Kernel, settings: Settings, place: Place): Element {
  const { identities, features } = kernel.disco(place, settings);
  if (place !== "host") return infoElement({ identities, features });
  const server = { category: "server", type: "im", name: settings.siteName };
  return infoElement({ identities: [server, ...identities], features }, contactForm(settings));
}

/** What `<c/>` in the stream features says of the server (XEP-0115 §6.3). */
export function serverCaps(kernel: Kernel, settings: Settings): Caps {
  const version = capsVersion(read(info(kernel, settings, "host"))) ?? "";
  return { node: SOFTWARE, version, hash: "sha-1" };
}

/** Lists what handlers found at a node; where there is no such node, there is an error (§3.2). */
function listed(ns: string, { node, found, exists }: Inquiry): Element {
  if (node && found.length === 0 && !exists) throw stanzaError("item-not-found", "There is no such node here.");
  return xml("query", { xmlns: ns, node: node || undefined }, ...found);
}

const inquiry = ({ from, payload }: Stanza): Inquiry => ({ asker: from, node: payload.attrs.node ?? "", found: [] });

function hostInfo({ kernel, settings, self }: HostContext, iq: Stanza): Stanza | Element {
  const asked = inquiry(iq);
  if (!asked.node) return iq.result().with({ inner: info(kernel, settings, "host") });
  const { node, version } = serverCaps(kernel, settings);
  if (asked.node === `${node}#${version}`) {
    const query = infoOf(kernel, settings, "host");
    query.attrs.node = asked.node;
    return query;
  }
  kernel.fire("host", "disco:info", { kernel, settings, self }, asked);
  return listed(DISCO_INFO, asked);
}

function hostItems(cx: HostContext, iq: Stanza): Element {
  const { kernel, settings } = cx;
  const asked = inquiry(iq);
  if (!asked.node) {
    const services: [Place, string][] = [
      ["rooms", settings.mucDomain],
      ["pubsub", settings.pubsubDomain],
      ["upload", settings.uploadDomain],
    ];
    for (const [place, jid] of services)
      for (const { name } of kernel.disco(place, settings).identities.slice(0, 1))
        asked.found.push(xml("item", { jid, name }));
  }
  kernel.fire("host", "disco:items", cx, asked);
  return listed(DISCO_ITEMS, asked);
}

function accountInfo(account: Account, iq: Stanza): Stanza | Element {
  account.admit(iq.from);
  const asked = inquiry(iq);
  const { kernel } = account.object;
  if (!asked.node) return iq.result().with({ inner: info(kernel, account.settings, "account") });
  account.fire("disco:info", asked);
  return listed(DISCO_INFO, asked);
}

function accountItems(account: Account, iq: Stanza): Element {
  account.admit(iq.from);
  const asked = inquiry(iq);
  account.fire("disco:items", asked);
  return listed(DISCO_ITEMS, asked);
}

export const disco: Feature = {
  name: "disco",
  implements: [
    { id: "XEP-0030", version: "2.5.0" },
    { id: "XEP-0115", version: "1.6", note: "the server's own" },
    { id: "XEP-0128", version: "1.0.1" },
    { id: "XEP-0157", version: "1.1.1", note: "abuse and admin addresses" },
  ],
  advertises: { host: [DISCO_INFO, DISCO_ITEMS], account: [DISCO_INFO, DISCO_ITEMS] },
  offers: (phase, guest, settings, kernel) => {
    if (phase === "login" || guest) return [];
    const { node, version } = serverCaps(kernel, settings);
    return [capsElement(node, version)];
  },
  identities: { account: [{ category: "account", type: "registered" }] },
  handles: [
    host.iq("get", DISCO_INFO, "query", hostInfo),
    host.iq("get", DISCO_ITEMS, "query", hostItems),
    account.iq("get", DISCO_INFO, "query", accountInfo),
    account.iq("get", DISCO_ITEMS, "query", accountItems),
    contact.iq("get", DISCO_INFO, "query", accountInfo),
    contact.iq("get", DISCO_ITEMS, "query", accountItems),
  ],
};

/** XEP-0030: Service Discovery, v2.5.0, §3: what something is and can do — https://xmpp.org/extensions/xep-0030.html */
import { type Element, xml } from "../xml/element.ts";
import { resultForm } from "./forms.ts";
import { DISCO_INFO } from "./ns.ts";

export interface Info {
  identities: readonly { category: string; type: string; name?: string }[];
  features: readonly string[];
}

/** URIs. */
export interface Contacts {
  readonly abuseContact: readonly string[];
  readonly adminContact: readonly string[];
}

/** The answer to disco#info; `more`: forms about it (XEP-0128). */
export function infoElement({ identities, features }: Info, ...more: (Element | undefined)[]): Element {
  return xml(
    "query",
    { xmlns: DISCO_INFO },
    ...identities.map(({ category, type, name }) => xml("identity", { category, type, name })),
    ...features.map((name) => xml("feature", { var: name })),
    ...more,
  );
}

/** XEP-0157: Contact Addresses for XMPP Services, v1.1.1: whom to write to, where somebody has said so. */
export function contactForm({ abuseContact, adminContact }: Contacts): Element | undefined {
  if (abuseContact.length + adminContact.length === 0) return undefined;
  return resultForm("http://jabber.org/network/serverinfo", {
    "abuse-addresses": abuseContact.length > 0 ? abuseContact : undefined,
    "admin-addresses": adminContact.length > 0 ? adminContact : undefined,
  });
}

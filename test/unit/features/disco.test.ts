/** XEP-0030, XEP-0115, XEP-0157 */
import { describe, expect, it } from "vitest";
import { disco, serverCaps } from "../../../src/features/disco.ts";
import type { Feature } from "../../../src/kernel/feature.ts";
import { host } from "../../../src/kernel/host.ts";
import { Kernel } from "../../../src/kernel/kernel.ts";
import { capsVersion } from "../../../src/protocol/caps.ts";
import { type Element, xml } from "../../../src/xml/element.ts";
import { condition, Site } from "./fake.ts";

const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";
const info = (node?: string) => `<query xmlns="${INFO}"${node ? ` node="${node}"` : ""}/>`;
const items = (node?: string) => `<query xmlns="${ITEMS}"${node ? ` node="${node}"` : ""}/>`;
const payload = (iq: Element) => iq.getChildElements()[0] as Element;
const features = (iq: Element) =>
  payload(iq)
    .getChildren("feature")
    .map((feature) => feature.attrs.var);

async function juliet(site: Site) {
  return site.client(site.user("juliet"), "balcony", true);
}

describe("the server", () => {
  it("says what it is and can do (§3.1)", async () => {
    const site = new Site({ SITE_NAME: "Verona", ABUSE_CONTACT: "mailto:abuse@capulet.example" });
    const client = await juliet(site);
    const answer = await client.asks("get", info(), "capulet.example");
    expect(answer.attrs.from).toBe("capulet.example");
    const [identity] = payload(answer).getChildren("identity");
    expect(identity?.attrs).toMatchObject({ category: "server", type: "im", name: "Verona" });
    expect(features(answer)).toContain(INFO);
    expect(features(answer)).toContain("urn:xmpp:ping");
    expect(features(answer)).toEqual([...features(answer)].sort());
    const [form] = payload(answer).getChildren("x", "jabber:x:data");
    expect(form?.getChildren("field").map((field) => [field.attrs.var, field.getChildText("value")])).toEqual([
      ["FORM_TYPE", "http://jabber.org/network/serverinfo"],
      ["abuse-addresses", "mailto:abuse@capulet.example"],
    ]);
  });

  it("has a hash that its answer at that node matches (XEP-0115 §6.3)", async () => {
    const site = new Site();
    const client = await juliet(site);
    const { node, version } = serverCaps(site.kernel, site.settings);
    const plain = payload(await client.asks("get", info(), "capulet.example"));
    const hashed = payload(await client.asks("get", info(`${node}#${version}`), "capulet.example"));
    expect(hashed.attrs.node).toBe(`${node}#${version}`);
    expect(capsVersion(plain)).toBe(version);
    expect(capsVersion(hashed)).toBe(version);
  });

  it("knows no other nodes, unless a feature does (§3.2)", async () => {
    const site = new Site();
    const client = await juliet(site);
    expect(condition(await client.asks("get", info("x"), "capulet.example"))).toBe("item-not-found");
    expect(condition(await client.asks("get", items("x"), "capulet.example"))).toBe("item-not-found");
  });

  it("lists the services that there are features for, and what features add", async () => {
    const site = new Site();
    const service = (place: "rooms" | "pubsub"): Feature => ({
      name: place,
      implements: [],
      identities: { [place]: [{ category: "x", type: "y", name: place }] },
    });
    const commands: Feature = {
      name: "commands",
      implements: [],
      handles: [
        host.hook("disco:items", (_cx, { node, found }) => {
          if (node === "commands") found.push(xml("item", { jid: "capulet.example", node: "c" }));
        }),
      ],
    };
    const client = await juliet(site);
    const listed = async (features: readonly Feature[], node?: string) => {
      Object.assign(site, { kernel: new Kernel([disco, ...features]) });
      const query = payload(await client.asks("get", items(node), "capulet.example"));
      return query.getChildElements().map(({ attrs }) => attrs.jid);
    };
    expect(await listed([])).toEqual([]);
    expect(await listed([service("rooms")])).toEqual(["rooms.capulet.example"]);
    expect(await listed([service("pubsub"), service("rooms"), commands])).toHaveLength(2);
    expect(await listed([commands], "commands")).toEqual(["capulet.example"]);
  });
});

describe("an account", () => {
  it("is one to itself and to its contacts, and nothing to strangers", async () => {
    const site = new Site();
    const client = await juliet(site);
    const answer = await client.asks("get", info());
    expect(payload(answer).getChild("identity")?.attrs).toMatchObject({ category: "account", type: "registered" });
    const romeo = await site.client(site.user("romeo"), "orchard", true);
    for (const query of [info(), items()]) {
      expect(condition(await romeo.asks("get", query, "juliet@capulet.example"))).toBe("service-unavailable");
      expect(condition(await romeo.asks("get", query, "nobody@capulet.example"))).toBe("service-unavailable");
    }
    await site.befriends(romeo.jid.bare, client.jid.bare);
    expect(features(await romeo.asks("get", info(), "juliet@capulet.example"))).toEqual(features(answer));
    expect(condition(await romeo.asks("get", info("x"), "juliet@capulet.example"))).toBe("item-not-found");
  });
});

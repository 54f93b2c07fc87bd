/**
 * XEP-0398: User Avatar to vCard-Based Avatars Conversion, v1.0.0 — https://xmpp.org/extensions/xep-0398.html
 * The vCard is for everybody: it gets the avatar only where the avatar's own node is open. The gates put the hash into presence.
 */
import { createHash } from "node:crypto";
import { type Account, account } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { withPhoto } from "../protocol/photo.ts";
import { Personal } from "../pubsub/personal.ts";
import type { Change } from "../pubsub/service.ts";
import { type Element, xml } from "../xml/element.ts";
import { read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";

const DATA = "urn:xmpp:avatar:data";
const METADATA = "urn:xmpp:avatar:metadata";
const CARD = "vcard-temp";

/** The row's copy: asked for at each login. */
class Avatar {
  /** "" for none. */
  hash: string;

  constructor({ sql, id }: Account) {
    this.hash = sql<{ hash: string }>`SELECT hash FROM avatar WHERE owner = ${id}`[0]?.hash ?? "";
  }
}

const avatarOf = (account: Account): Avatar => account.memo(Avatar, () => new Avatar(account));

/** The avatar is another from now on, or none: presence says so (§4). */
function show(account: Account, hash: string): void {
  const { sql, id, resources, object } = account;
  if (hash) sql`INSERT OR REPLACE INTO avatar VALUES (${id}, ${hash})`;
  else sql`DELETE FROM avatar WHERE owner = ${id}`;
  avatarOf(account).hash = hash;
  for (const { gate, sid } of resources) object.post.photo(gate, sid, hash);
  for (const resource of resources.available) {
    const stanza = resources.presence(resource);
    if (stanza) account.fire("presence:outbound", { resource, stanza: withPhoto(stanza, hash) });
  }
}

interface Picture {
  hash: string;
  type: string;
  base64: string;
}

/** The picture that an item of metadata points to; undefined when it says that there is none, or it is not here. */
function pictureOf({ nodes }: Personal, metadata: string): Picture | undefined {
  const infos = read(metadata).getChildren("info");
  const data = nodes.get(DATA);
  // §3.1: one that is elsewhere (`url`) is of no use for a vCard.
  const info = infos.find(({ attrs }) => attrs.url === undefined);
  const { id: hash = "", type = "image/png" } = info?.attrs ?? {};
  const payload = data?.config.access === "open" ? data.items.get(hash)?.payload : undefined;
  if (!payload) return undefined;
  const base64 = read(payload).getText().replace(/\s+/g, "");
  return sha1(base64) === hash ? { hash, type, base64 } : undefined;
}

const sha1 = (base64: string) => createHash("sha1").update(Buffer.from(base64, "base64")).digest("hex");

/** A client has published an avatar, or has withdrawn it. */
function published(account: Account, { node, published, retracted, purged, deleted }: Change): void {
  if (node.name !== METADATA || !(published || retracted || purged || deleted)) return;
  const last = deleted ? undefined : node.items.last;
  const picture = last && pictureOf(Personal.of(account), last.payload);
  if ((picture?.hash ?? "") === avatarOf(account).hash) return;
  account.fire("vcard:photo", picture);
  account.after(() => show(account, picture?.hash ?? ""));
}

/** A client has put an avatar into the vCard, or has taken it out. */
function carded(account: Account, card: Element): void {
  const photo = card.getChild("PHOTO", CARD);
  const base64 = photo?.getChildText("BINVAL")?.replace(/\s+/g, "") ?? "";
  const hash = base64 ? sha1(base64) : "";
  if (hash === avatarOf(account).hash) return;
  show(account, hash);
  const service = Personal.of(account);
  const type = photo?.getChildText("TYPE") || "image/png";
  if (hash) {
    const data = xml("data", { xmlns: DATA }, base64);
    service.publish(DATA, [{ id: hash, payload: serialise(data) }], { access: "open" });
    const bytes = Buffer.from(base64, "base64").length;
    const metadata = xml("metadata", { xmlns: METADATA }, xml("info", { id: hash, type, bytes }));
    service.publish(METADATA, [{ id: hash, payload: serialise(metadata) }], { access: "open" });
  } else if (service.nodes.get(METADATA)?.items.size)
    service.publish(METADATA, [{ id: "none", payload: serialise(xml("metadata", { xmlns: METADATA })) }]);
}

export const avatar: Feature = {
  name: "avatar",
  implements: [
    { id: "XEP-0084", version: "1.1.4" },
    { id: "XEP-0153", version: "1.1.1" },
    { id: "XEP-0398", version: "1.0.0" },
  ],
  advertises: { account: ["urn:xmpp:pep-vcard-conversion:0"] },
  tables: [{ name: "avatar", steps: ["CREATE TABLE avatar (owner INTEGER PRIMARY KEY, hash TEXT NOT NULL)"] }],
  handles: [
    account.hook("node:changed", published),
    account.hook("vcard:changed", carded),
    account.hook("resource:bound", (account, bound) => {
      const hash = avatarOf(account).hash;
      if (hash) bound.photo = hash;
    }),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM avatar WHERE owner = ${id}`;
    }),
  ],
};

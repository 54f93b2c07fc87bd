/** XEP-0060 §4.6: which node of the service a stanza is about, so that it goes where that node is — https://xmpp.org/extensions/xep-0060.html#addressing */
import { readForm } from "./forms.ts";
import { COMMANDS, DISCO_INFO, DISCO_ITEMS, PUBSUB, PUBSUB_OWNER } from "./ns.ts";
import type { Stanza } from "./stanza.ts";

/** The command that shows an owner the requests that wait for it (§8.7). */
export const GET_PENDING = `${PUBSUB}#get-pending`;

/** Longest node name, in UTF-8, that the ids of events about it carry. */
const MAX_CARRIED = 256;

/** The id of an event: an error that comes back has nothing else to say which node it is about (§12.4). */
export function eventId(unique: string, node: string): string {
  const name = Buffer.from(node);
  return name.length > MAX_CARRIED ? unique : `${unique}.${name.toString("base64url")}`;
}

/** The node that a stanza for the service is about; undefined where it is about the service, or wants a new node. */
export function nodeOf(stanza: Stanza): string | undefined {
  if (stanza.kind === "iq") return stanza.asks ? nodeOfRequest(stanza) : undefined;
  if (stanza.kind !== "message") return undefined;
  if (stanza.type === "error") {
    const [, name] = stanza.id.split(".", 2);
    return name ? Buffer.from(name, "base64url").toString() : undefined;
  }
  if (!stanza.inner.includes(`${PUBSUB}#subscribe_authorization`)) return undefined;
  const form = stanza.children.map((child) => readForm(child)).find((one) => one !== undefined);
  return form?.values.get("pubsub#node")?.[0];
}

function nodeOfRequest({ payload }: Stanza): string | undefined {
  const { node, xmlns } = payload.attrs;
  switch (xmlns) {
    case DISCO_INFO:
    case DISCO_ITEMS:
      // Commands are the service's.
      return node && node !== COMMANDS && node !== GET_PENDING ? node : undefined;
    case PUBSUB:
    case PUBSUB_OWNER:
      for (const child of payload.getChildElements()) {
        if (child.name === "create") return undefined;
        if (child.attrs.node) return child.attrs.node;
      }
      return undefined;
    case COMMANDS:
      return node === GET_PENDING ? readForm(payload)?.values.get("pubsub#node")?.[0] : undefined;
    default:
      return undefined;
  }
}

/** XEP-0490: Message Displayed Synchronization, v1.0.1 — https://xmpp.org/extensions/xep-0490.html. The server's assistance. */
import { type Account, account, type Passage } from "../account/account.ts";
import type { Feature } from "../kernel/feature.ts";
import { StanzaError } from "../protocol/errors.ts";
import { Personal } from "../pubsub/personal.ts";
import { serialise } from "../xml/writer.ts";

const NS = "urn:xmpp:mds:displayed:0";

/** §5: before the message is stored or copied, what was displayed is taken out of it and published. */
function assist(account: Account, passage: Passage): void {
  const { stanza } = passage;
  const displayed = stanza.child("displayed", NS);
  if (!displayed || !stanza.to) return;
  passage.stanza = stanza.without((child) => child === displayed);
  const draft = { id: stanza.to.toString(), payload: serialise(displayed) };
  try {
    account.object.atomically(() => Personal.of(account).publish(NS, [draft]));
  } catch (error) {
    // Where there is no room for it, the message goes all the same.
    account.forget(Personal);
    if (!(error instanceof StanzaError)) throw error;
  }
}

export const displayed: Feature = {
  name: "displayed",
  implements: [{ id: "XEP-0490", version: "1.0.1", note: "with server assist" }],
  advertises: { account: ["urn:xmpp:mds:server-assist:0"] },
  handles: [account.hook("message:outbound", assist)],
};

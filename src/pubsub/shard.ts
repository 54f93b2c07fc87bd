/** One object's part in the pubsub host: some of its nodes, and, in one of the objects, the list of them all. */
import type { HostObject } from "../kernel/entity.ts";
import { asStanzaError } from "../kernel/failure.ts";
import { Inbox } from "../kernel/inbox.ts";
import type { Item } from "../kernel/post.ts";
import { readError, stanzaError } from "../protocol/errors.ts";
import { CLIENT } from "../protocol/ns.ts";
import { stanza as newStanza, Stanza } from "../protocol/stanza.ts";
import { subscriptionsOf } from "./access.ts";
import { Index } from "./listing.ts";
import { PublicNodes, type Unlisted } from "./public.ts";
import { judge } from "./subscribe.ts";

export class Shard {
  readonly #object: HostObject;
  readonly #nodes: PublicNodes;
  readonly #index: Index;
  readonly inbox = new Inbox((item) => this.#take(item));

  constructor(object: HostObject) {
    this.#object = object;
    this.#nodes = new PublicNodes(object);
    this.#index = new Index(object, this.#nodes);
  }

  #take(item: Item): void {
    if ("listed" in item) return this.#index.note(item);
    if (!("e" in item)) return;
    const stanza = Stanza.open(item.e);
    try {
      if (stanza.to?.local || stanza.to?.full) throw stanzaError("service-unavailable", "There is nobody here.");
      if (stanza.kind === "iq") this.#answer(stanza, item.node !== undefined);
      else if (stanza.kind === "message") this.#hear(stanza, item.node);
      else this.#meet(stanza);
    } catch (error) {
      this.#nodes.forget();
      const answer = stanza.error(asStanzaError(error, this.#object.log, { kind: stanza.kind, about: stanza.about }));
      if (answer) this.#nodes.send(answer);
    }
    this.#nodes.finish();
  }

  /** What is due: the service may not have heard of something. */
  alarm(): void {
    for (const { data } of this.#object.alarms.take(Date.now())) this.#nodes.relist(data as Unlisted);
  }

  #answer(iq: Stanza, toNode: boolean): void {
    if (!iq.asks) return;
    const { kernel } = this.#object;
    const run = () => (toNode ? kernel.iq("node", this.#nodes, iq) : kernel.iq("pubsub", this.#index, iq));
    const answer = iq.type === "set" ? this.#object.atomically(run) : run();
    if (!this.#index.passed()) this.#nodes.send(answer instanceof Stanza ? answer : iq.result(answer || undefined));
  }

  #hear(message: Stanza, node: string | undefined): void {
    if (node === undefined) return;
    if (message.type === "error") this.#bounced(message, node);
    else judge(this.#nodes, message);
  }

  /** §12.4: who is gone for good is not told any more. */
  #bounced({ from, children }: Stanza, name: string): void {
    const node = this.#nodes.nodes.get(name);
    const error = readError(children.find((child) => child.is("error", CLIENT)));
    if (!node || (error.type !== "cancel" && error.condition !== "gone")) return;
    for (const { jid } of subscriptionsOf(this.#nodes, node, from)) {
      if (jid !== from.toString() && jid !== from.bare.toString()) continue;
      node.unsubscribe(jid);
      this.#nodes.changed({ node, member: jid });
    }
  }

  /** The service has no presence to share. */
  #meet({ type, from, to }: Stanza): void {
    if (type === "subscribe" && to)
      this.#nodes.send(newStanza("presence", { type: "unsubscribed", from: to, to: from.bare }));
  }
}

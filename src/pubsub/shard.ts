/** One object's part in the pubsub host: some of its nodes, and, in one of the objects, the list of them all. */
import type { HostObject } from "../kernel/entity.ts";
import { asStanzaError } from "../kernel/failure.ts";
import { Inbox } from "../kernel/inbox.ts";
import type { Item, Sight, StanzaItem } from "../kernel/post.ts";
import { readError, stanzaError } from "../protocol/errors.ts";
import { CLIENT } from "../protocol/ns.ts";
import { stanza as newStanza, Stanza } from "../protocol/stanza.ts";
import { subscriptionsOf } from "./access.ts";
import { Index } from "./listing.ts";
import { PublicNodes, type Unlisted } from "./public.ts";
import { Unseen } from "./rosters.ts";
import { judge } from "./subscribe.ts";

/** Requests that wait at one node. */
const MOST_WAITING = 1000;
const LATER = stanzaError("resource-constraint", "It cannot be seen now who may do this; try again later.");

export class Shard {
  readonly #object: HostObject;
  readonly #nodes: PublicNodes;
  readonly #index: Index;
  /** Requests to nodes that wait, with all behind them, until an owner's account has shown its roster. By node. */
  readonly #waiting = new Map<string, StanzaItem[]>();
  readonly inbox = new Inbox((item) => this.#take(item));

  constructor(object: HostObject) {
    this.#object = object;
    this.#nodes = new PublicNodes(object);
    this.#index = new Index(object, this.#nodes);
  }

  #take(item: Item): void {
    if ("listed" in item) return this.#index.note(item);
    if ("seen" in item) return this.#see(item);
    if (!("e" in item)) return;
    const stanza = Stanza.open(item.e);
    const before = item.node === undefined ? undefined : this.#waiting.get(item.node);
    if (before && before.length < MOST_WAITING) {
      before.push(item);
      return;
    }
    try {
      if (stanza.to?.local || stanza.to?.full) throw stanzaError("service-unavailable", "There is nobody here.");
      if (stanza.kind === "iq") this.#answer(stanza, item.node !== undefined);
      else if (stanza.kind === "message") this.#hear(stanza, item.node);
      else this.#meet(stanza);
    } catch (error) {
      this.#nodes.forget();
      if (error instanceof Unseen && !before) this.#wait(item, error);
      else {
        const reason = error instanceof Unseen ? LATER : error;
        const answer = stanza.error(
          asStanzaError(reason, this.#object.log, { kind: stanza.kind, about: stanza.about }),
        );
        if (answer) this.#nodes.send(answer);
      }
    }
    this.#nodes.finish();
  }

  /** A request waits in memory: its sender asks again, should the object be lost. */
  #wait(item: StanzaItem, unseen: Unseen): void {
    this.#waiting.set(unseen.node, [item]);
    this.#nodes.rosters.ask(unseen, () => {
      const items = this.#waiting.get(unseen.node) ?? [];
      this.#waiting.delete(unseen.node);
      for (const { e } of items) {
        const answer = Stanza.open(e).error(LATER);
        if (answer) this.#nodes.send(answer);
      }
    });
  }

  /** An account tells a node what it wanted to know, and what has waited for it is judged. */
  #see(sight: Sight): void {
    try {
      this.#object.atomically(() => this.#nodes.heard(sight));
    } catch (error) {
      this.#nodes.forget();
      throw error;
    }
    this.#nodes.finish();
    const items = this.#waiting.get(sight.seen) ?? [];
    this.#waiting.delete(sight.seen);
    for (const item of items) this.#take(item);
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

/** XEP-0160: Best Practices for Handling Offline Messages, v1.0.1 — https://xmpp.org/extensions/xep-0160.html */
import { type Account, account, type Passage } from "../account/account.ts";
import type { Resource } from "../account/resources.ts";
import { type Archived, stanzaOf, timeOf, withId } from "../archive/row.ts";
import type { Feature } from "../kernel/feature.ts";
import { delayElement } from "../protocol/delay.ts";
import { Trait } from "../protocol/message.ts";
import type { Stanza } from "../protocol/stanza.ts";

/**
 * Offline mail is a position in the archive, not a second copy: what lies beyond it has reached no client that
 * acknowledged it. The position rises with acknowledgements and is written when a burst of messages is over.
 */

/** Messages that wait for a reader who is away: of everybody, and of one sender who is no contact (security.md D4). */
const WAITING = 1000;
const WAITING_OF_STRANGER = 20;
/** Messages handed over at once; the next page follows when these are acknowledged, and what arrives meanwhile waits in it. */
const PAGE = 100;
/** The position is written once in so many ms of traffic, not once per message. */
const BURST_MS = 10_000;

class Position {
  value: number;
  #saved: number;
  /** When the alarm that writes it goes off, and after which message the burst began. */
  #due: number;
  #since: number;

  constructor(account: Account) {
    const since = account.due<number | null>("offline");
    this.#due = since === undefined ? 0 : Date.now() + BURST_MS;
    this.#since = since ?? 0;
    this.value =
      account.sql<{ offline: number }>`SELECT offline FROM account WHERE id = ${account.id}`[0]?.offline ?? 0;
    this.#saved = this.value;
  }

  rise(to: number): void {
    if (to > this.value) this.value = to;
  }

  /** A burst of messages after one, or of acknowledgements, has begun or goes on. */
  stir(account: Account, after = account.archive.last): void {
    const on = this.#due > Date.now();
    if (on && after >= this.#since) return;
    if (!on) this.#due = Date.now() + BURST_MS;
    this.#since = after;
    account.wake("offline", this.#due, after);
  }

  save(account: Account): void {
    if (this.value === this.#saved) return;
    account.sql`UPDATE account SET offline = ${this.value} WHERE id = ${account.id}`;
    account.archive.forget(this.value);
    this.#saved = this.value;
  }
}

/** What waits, counted while nobody is there. */
class Waiting {
  total = 0;
  readonly senders = new Map<string, number>();

  constructor(account: Account) {
    for (const { peer } of account.archive.received(position(account).value, WAITING)) this.add(peer);
  }

  add(sender: string): void {
    this.total++;
    this.senders.set(sender, (this.senders.get(sender) ?? 0) + 1);
  }
}

const position = (account: Account) => account.memo(Position, () => new Position(account));

/** Nobody is there: "handled" when the message cannot wait either. */
function offline(account: Account, { stanza }: Passage): "handled" | undefined {
  if (!(stanza.traits & Trait.OFFLINE)) return stanza.traits & Trait.BODY ? "handled" : undefined;
  if (!account.settings.limits) return undefined;
  const waiting = account.memo(Waiting, () => new Waiting(account));
  const sender = stanza.from.bare.toString();
  if (waiting.total >= WAITING) return "handled";
  if (!account.contacts.get(stanza.from)?.listed && (waiting.senders.get(sender) ?? 0) >= WAITING_OF_STRANGER)
    return "handled";
  waiting.add(sender);
  return undefined;
}

/** Hands a resource a page of what reached nobody, oldest first, stamped with when and by whom it was kept (XEP-0203). */
function catchUp(account: Account, resource: Resource): void {
  account.forget(Waiting);
  const { state } = resource;
  const rows = account.archive.waiting(Math.max(position(account).value, state.handed), state.read ?? 0, PAGE);
  const [first] = rows;
  if (first) position(account).stir(account, first.id - 1);
  // Nothing is left of what the client has read by itself; else its acknowledgement of the rest says so.
  else position(account).rise(state.read ?? 0);
  for (const row of rows) account.deliver(resource, kept(account, row), { mark: row.id });
  const last = rows.length === PAGE ? rows.at(-1)?.id : undefined;
  if (last === state.behind) return;
  if (last === undefined) delete state.behind;
  else state.behind = last;
  account.resources.touch(resource);
}

/** A message as it was kept: when, and by whom (XEP-0203). */
function kept(account: Account, row: Archived): Stanza {
  const stamp = delayElement({ stamp: new Date(timeOf(row.id)), from: account.jid.domain });
  const stanza = stanzaOf(row);
  return (row.hidden ? stanza : withId(stanza, account.jid, account.archive.uid(row.id))).plus(stamp);
}

/**
 * What came after a mark once more: the object was lost, and its gates may not have heard of it. They know up to which mark
 * their streams have had what was for them, so that no client sees it twice (XEP-0198 §5).
 */
function again(account: Account, after: number): void {
  const { archive, resources } = account;
  for (const resource of resources) {
    const { acked, from = 0, read = 0, behind } = resource.state;
    if (behind === undefined) continue;
    for (const row of archive.waiting(Math.max(acked, from), read, WAITING))
      if (row.id <= behind) account.deliver(resource, kept(account, row), { mark: row.id, again: true });
  }
  for (let rows = archive.received(after, PAGE); rows.length > 0; rows = archive.received(after, PAGE)) {
    for (const row of rows) account.fire("message:again", { stanza: kept(account, row), mark: row.id });
    after = rows.at(-1)?.id ?? after;
  }
}

function back(account: Account): void {
  const { archive, resources } = account;
  const since = account.due<number | null>("offline");
  if (since) again(account, since);
  // An account is forgotten only when all that it had to hand over has been handed over, else it has been just now.
  for (const { state } of resources.receptive)
    if (state.behind === undefined) state.handed = Math.max(state.handed, archive.last);
}

/** The burst is over, unless something of it is on its way still. */
function rest(account: Account, since: number | null): void {
  // This alarm is what told of a burst; where nothing else is left of it, all that came in it goes out again.
  if (!account.loaded && since && account.resources.size > 0) again(account, since);
  position(account).save(account);
  if (since && [...account.resources].some(({ gate }) => account.object.post.busy(gate)))
    position(account).stir(account, since);
}

function acknowledged(account: Account, resource: Resource): void {
  const { acked, behind } = resource.state;
  position(account).rise(acked);
  position(account).stir(account);
  if (behind !== undefined && acked >= behind) catchUp(account, resource);
}

export const offlineMail: Feature = {
  name: "offline",
  implements: [
    { id: "XEP-0160", version: "1.0.1" },
    { id: "XEP-0203", version: "2.0" },
  ],
  advertises: { host: ["msgoffline"] },
  handles: [
    account.hook("message:offline", offline),
    account.hook("message:stored", (account, { mark = 1 }) => position(account).stir(account, mark - 1)),
    account.hook("account:back", back),
    account.hook("resource:receptive", (account, resource) => {
      // Whoever else is there has been handed everything already.
      const others = account.resources.receptive.some((other) => other !== resource);
      resource.state.from = others ? account.archive.last : position(account).value;
      if (!others) catchUp(account, resource);
    }),
    account.hook("resource:acked", acknowledged),
    account.hook("resource:slow", (account, resource) => {
      // It reads on from the archive, page by page, once it has acknowledged what it was handed.
      const { state } = resource;
      if (state.behind !== undefined || state.acked >= state.handed) return;
      state.behind = state.handed;
      account.resources.touch(resource);
    }),
    account.hook("resource:gone", (account) => {
      position(account).save(account);
      const [heir] = account.resources.receptive.sort((a, b) => b.state.handed - a.state.handed);
      if (heir && heir.state.handed < account.archive.last) catchUp(account, heir);
    }),
    account.alarm<number | null>("offline", rest),
  ],
};

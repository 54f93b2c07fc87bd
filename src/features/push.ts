/**
 * XEP-0357: Push Notifications, v0.4.1 — https://xmpp.org/extensions/xep-0357.html
 *
 * A client that is away is woken by its app's own service, which is told how many messages there are, neither whose nor
 * what they say. One notification is on its way to a service at a time; what comes meanwhile is counted into the next.
 */
import { type Account, account, type Passage } from "../account/account.ts";
import type { Resource } from "../account/resources.ts";
import { stanzaOf } from "../archive/row.ts";
import type { Feature } from "../kernel/feature.ts";
import { randomName } from "../protocol/base32.ts";
import { readError, stanzaError } from "../protocol/errors.ts";
import { readForm, resultForm } from "../protocol/forms.ts";
import { Jid } from "../protocol/jid.ts";
import { ENCRYPTED, Trait } from "../protocol/message.ts";
import { CLIENT, FORMS, PUBSUB } from "../protocol/ns.ts";
import { QUESTION, type Stanza } from "../protocol/stanza.ts";
import { PUBLISH_OPTIONS } from "../pubsub/config.ts";
import { type Element, xml } from "../xml/element.ts";
import { utf8Length } from "../xml/limits.ts";
import { read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";

const NS = "urn:xmpp:push:0";
const SUMMARY = "urn:xmpp:push:summary";
/** In the ids of notifications; the registration's own name follows. */
const NAME = "push";
/** Apps of one account; another takes the place of the one that is longest here. */
const MOST = 10;
const MAX_NODE = 1024;
const MAX_OPTIONS = 4096;
/** Messages that one notification counts. */
const MOST_COUNTED = 100;
/** A service that has not answered for so long is told again. */
const ANSWER_MS = 30_000;

/** Bodiless messages that are worth waking somebody: encrypted ones, calls, invitations. */
const URGENT = new Set<string>([
  ...ENCRYPTED,
  "jabber:x:conference",
  "urn:xmpp:call-invites:0",
  "http://jabber.org/protocol/muc#user",
]);

/** One app on one device. */
interface Registration {
  name: string;
  service: string;
  node: string;
  /** Of the client that asked for it. */
  resource: string;
  /** The form that goes with every notification, as text; "" for none. */
  options: string;
}

/** What a service knows; a cache: at worst it is told once too often. */
interface Told {
  /** Up to which message of the archive. */
  upTo: number;
  /** When the notification was sent that it has not answered yet; 0 when there is none. */
  asked: number;
  /** More has come since. */
  more: boolean;
}

class Registrations {
  readonly all: Registration[];
  readonly #told = new Map<string, Told>();

  constructor({ sql, id }: Account) {
    this.all = sql<Registration>`SELECT name, service, node, resource, options FROM push WHERE owner = ${id} ORDER BY at`;
  }

  told({ name }: Registration): Told {
    const told = this.#told.get(name) ?? { upTo: 0, asked: 0, more: false };
    this.#told.set(name, told);
    return told;
  }
}

const registrations = (account: Account) => account.memo(Registrations, () => new Registrations(account));

function enable(account: Account, iq: Stanza): undefined {
  const { jid = "", node = "" } = iq.payload.attrs;
  const service = Jid.tryParse(jid);
  if (!service) throw stanzaError("bad-request", "The jid of a push service is missing, or is no address.");
  if (utf8Length(node) > MAX_NODE) throw stanzaError("not-acceptable", `A node has at most ${MAX_NODE} bytes.`);
  const options = readOptions(iq.payload);
  forget(account, ({ service: other, node: at }) => other === jid && at === node);
  const { all } = registrations(account);
  const [oldest] = all;
  if (all.length >= MOST) forget(account, (other) => other === oldest);
  account.sql`INSERT INTO push (owner, name, service, node, resource, options, at) VALUES
    (${account.id}, ${randomName()}, ${service.toString()}, ${node}, ${iq.from.resource}, ${options}, ${Date.now()})`;
  account.forget(Registrations);
}

/** §5: what the service wants to see with each notification, its own secret perhaps. */
function readOptions(payload: Element): string {
  const element = payload.getChild("x", FORMS);
  if (!element) return "";
  const form = readForm(element, PUBLISH_OPTIONS);
  if (form?.type !== "submit") throw stanzaError("bad-request", `The form's FORM_TYPE must be ${PUBLISH_OPTIONS}.`);
  const text = serialise(element, CLIENT);
  if (utf8Length(text) > MAX_OPTIONS) throw stanzaError("not-acceptable", `The form has at most ${MAX_OPTIONS} bytes.`);
  return text;
}

/** §6: one app, or without a node all of a service. */
function disable(account: Account, iq: Stanza): undefined {
  const { jid, node } = iq.payload.attrs;
  if (!jid) throw stanzaError("bad-request", "The jid of a push service is missing.");
  forget(account, ({ service, node: at }) => service === jid && (node === undefined || at === node));
}

function forget(account: Account, which: (registration: Registration) => boolean): void {
  const gone = registrations(account).all.filter(which);
  for (const { name } of gone) account.sql`DELETE FROM push WHERE owner = ${account.id} AND name = ${name}`;
  if (gone.length > 0) account.forget(Registrations);
}

const urgent = ({ traits, children }: Stanza): boolean =>
  (traits & Trait.BODY) !== 0 ||
  children.some(({ name, attrs }) => URGENT.has(attrs.xmlns ?? "") || name === "propose"); // XEP-0353 §3

/** A message lies in the archive: apps that have no stream are told. */
function stored(account: Account, { mark = 0 }: Passage): void {
  for (const registration of registrations(account).all)
    if (!account.resources.get(registration.resource)) notify(account, registration, mark - 1);
}

/** A stream waits for its client, with something in its queue. */
function asleep(account: Account, { jid, state }: Resource): void {
  for (const registration of registrations(account).all)
    if (registration.resource === jid.resource) notify(account, registration, state.acked);
}

/** Tells a service how many messages there are behind a place in the archive, if that is news. */
function notify(account: Account, registration: Registration, after: number): void {
  const told = registrations(account).told(registration);
  told.more = told.asked > Date.now() - ANSWER_MS;
  if (told.more) return;
  const rows = account.archive.received(Math.max(after, told.upTo), MOST_COUNTED);
  const count = rows.filter((row) => row.peer !== account.jid.toString() && urgent(stanzaOf(row))).length;
  if (count === 0) return;
  told.upTo = rows.at(-1)?.id ?? told.upTo;
  told.asked = Date.now();
  const { name, service, node, options } = registration;
  const summary = resultForm(SUMMARY, { "message-count": String(count) });
  const item = xml("item", {}, xml("notification", { xmlns: NS }, summary));
  const publish = xml("publish", { node: node || undefined }, item);
  const more = options !== "" && xml("publish-options", {}, read(options));
  const request = xml("pubsub", { xmlns: PUBSUB }, publish, more);
  account.ask("set", Jid.parse(service), request, `${NAME}-${name}`);
}

/** §7.1: a service that does not want to be told is not told any more; one that has trouble is. */
function answered(account: Account, { id, from, type, children }: Stanza): void {
  if (!id.startsWith(`${QUESTION}${NAME}-`)) return;
  const registration = registrations(account).all.find(
    ({ name, service }) => id.startsWith(`${QUESTION}${NAME}-${name}-`) && service === from.toString(),
  );
  if (!registration) return;
  if (type === "error" && readError(children.find(({ name }) => name === "error")).type !== "wait")
    return forget(account, (other) => other === registration);
  const told = registrations(account).told(registration);
  told.asked = 0;
  if (told.more) notify(account, registration, told.upTo);
}

export const push: Feature = {
  name: "push",
  implements: [{ id: "XEP-0357", version: "0.4.1", note: "tells how many messages wait, never whose" }],
  advertises: { account: [NS] },
  tables: [
    {
      name: "push",
      steps: [
        `CREATE TABLE push (
           owner INTEGER NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL, node TEXT NOT NULL, resource TEXT NOT NULL,
           options TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID`,
      ],
    },
  ],
  handles: [
    account.iq("set", NS, "enable", enable),
    account.iq("set", NS, "disable", disable),
    account.hook("message:stored", stored),
    account.hook("resource:asleep", asleep),
    account.hook("iq:answered", answered),
    account.hook("account:removed", ({ sql, id }) => {
      sql`DELETE FROM push WHERE owner = ${id}`;
    }),
  ],
};

/** RFC 6121 §4: presence among contacts. */
import { attribute, type Client } from "../../interop/client.ts";
import { bare, befriend, names, recruit, Tally } from "../crew.ts";
import type { Row } from "../row.ts";

const CONTACTS = 50;
const CHANGES = 150;
/** A storm is of that many, who all know each other. */
const CIRCLE = 40;

/** One account changes its status; its contacts see it, and then comes the next change. */
const broadcast: Row["prepare"] = async (server) => {
  const [hub, ...contacts] = (await recruit(server, names("user", CONTACTS + 1))) as [Client, ...Client[]];
  await befriend(contacts.map((contact) => [hub, contact] as const));
  const from = hub.jid;

  return {
    async run() {
      const tally = new Tally(CONTACTS * CHANGES);
      let changes = 0;
      const change = () =>
        hub.send(`<presence xmlns="jabber:client"><status>${++changes} of my thoughts</status></presence>`);
      hub.onStanza = () => {};
      for (const contact of contacts) {
        contact.onStanza = (stanza) => {
          if (!stanza.startsWith("<presence") || attribute(stanza, "from") !== from) return;
          tally.hit();
          if (tally.count % CONTACTS === 0 && changes < CHANGES) change();
        };
      }
      change();
      await tally.done;
      return CONTACTS * CHANGES;
    },
  };
};

/** All come online at once: everybody sees everybody, whether by broadcast, by probe or by both. */
const storm: Row["prepare"] = async (server) => {
  const clients = await recruit(server, names("user", CIRCLE));
  await befriend(clients.flatMap((one, at) => clients.slice(at + 1).map((other) => [one, other] as const)));
  const sightings = CIRCLE * (CIRCLE - 1);

  /** Everybody sends that, and everybody sees it of everybody else. */
  async function all(presence: string, type: string | undefined): Promise<void> {
    const tally = new Tally(sightings);
    for (const client of clients) {
      const seen = new Set([bare(client.jid)]);
      client.onStanza = (stanza) => {
        if (!stanza.startsWith("<presence") || attribute(stanza, "type") !== type) return;
        const who = bare(attribute(stanza, "from") ?? "");
        if (seen.has(who)) return;
        seen.add(who);
        tally.hit();
      };
    }
    for (const client of clients) client.send(presence);
    await tally.done;
  }

  /** Who goes is seen only by who is still there: so one after the other, each seen by the next. */
  async function leave(): Promise<void> {
    for (const client of clients) {
      client.onStanza = () => {};
      client.send(`<presence xmlns="jabber:client" type="unavailable"/>`);
    }
    // An answered request shows that what was sent before it has been handled.
    await Promise.all(clients.map((client) => client.iq("get", server.domain, `<ping xmlns="urn:xmpp:ping"/>`)));
  }

  return {
    before: leave,
    async run() {
      await all(`<presence xmlns="jabber:client"><status>here</status></presence>`, undefined);
      return sightings;
    },
  };
};

export const rows: Row[] = [
  { name: "presence", title: "presence, per delivery to 50 contacts", unit: "µs", prepare: broadcast },
  { name: "storm", title: "  all of 40 come online, per sighting", unit: "µs", prepare: storm },
];

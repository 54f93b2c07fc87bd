/** RFC 6121 §8.5: server rules for delivering to local users, row by row — https://www.rfc-editor.org/rfc/rfc6121#section-8.5 */
import { afterAll, beforeAll, describe } from "vitest";
import type { Actor } from "../../support/actor.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";

const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const RFC = "RFC 6121";

/** What becomes of a message: who gets it; or its sender gets an error; or it waits; or it is gone. */
type Fate = "all" | "match" | "error" | "offline" | "nothing";

/** Who of Juliet's clients is there: what the rows of the table are about. */
interface Scene {
  section: string;
  what: string;
  /** Priorities of the clients that are available; "-" one that is bound without presence. */
  present: readonly (number | "-")[];
  to: "bare" | "full" | "absent";
  fates: Record<"normal" | "chat" | "groupchat" | "headline" | "error", Fate>;
}

const SCENES: Scene[] = [
  {
    section: "8.5.1",
    what: "no such user",
    present: [],
    to: "absent",
    fates: { normal: "error", chat: "error", groupchat: "error", headline: "error", error: "nothing" },
  },
  {
    section: "8.5.2.1.1",
    what: "bare JID, resources of priority 0 and more",
    present: [0, 5, -1, "-"],
    to: "bare",
    fates: { normal: "all", chat: "all", groupchat: "error", headline: "all", error: "nothing" },
  },
  {
    section: "8.5.2.1.1",
    what: "bare JID, nobody of priority 0 or more",
    present: [-1],
    to: "bare",
    fates: { normal: "offline", chat: "offline", groupchat: "error", headline: "nothing", error: "nothing" },
  },
  {
    section: "8.5.2.2.1",
    what: "bare JID, nobody there",
    present: [],
    to: "bare",
    fates: { normal: "offline", chat: "offline", groupchat: "error", headline: "nothing", error: "nothing" },
  },
  {
    section: "8.5.3.1",
    what: "full JID that is there",
    present: [0, 5],
    to: "full",
    fates: { normal: "match", chat: "match", groupchat: "match", headline: "match", error: "match" },
  },
  {
    section: "8.5.3.1",
    what: "full JID of negative priority",
    present: [-1, 5],
    to: "full",
    fates: { normal: "match", chat: "match", groupchat: "match", headline: "match", error: "match" },
  },
  {
    section: "8.5.3.2.1",
    what: "full JID that is not there, others are",
    present: [0, -1],
    to: "absent",
    fates: { normal: "error", chat: "all", groupchat: "error", headline: "nothing", error: "nothing" },
  },
  {
    section: "8.5.3.2.1",
    what: "full JID that is not there, nor is anybody else",
    present: [],
    to: "absent",
    fates: { normal: "error", chat: "offline", groupchat: "error", headline: "nothing", error: "nothing" },
  },
];

let world: World;
let users = 0;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

describe.each(SCENES)("$what", ({ section, present, to, fates, what }) => {
  for (const [type, fate] of Object.entries(fates)) {
    spec(RFC, section, `${type}, ${what}: ${fate}`, async () => {
      const name = `juliet${++users}`;
      // One who has sent nothing yet: an account that is forgotten in the middle of a burst sends the burst again.
      const romeo = await world.login(`romeo${users}`, { resource: "orchard" });
      const nobody = section === "8.5.1";
      if (!nobody) await world.user(name);
      const clients: Actor[] = [];
      for (const [i, priority] of present.entries()) {
        const client = await world.login(name, { resource: `r${i}` });
        if (priority !== "-") {
          await client.sends(`<presence><priority>${priority}</priority></presence>`);
          await client.receives(`<presence from="${client.jid}"/>`, { extra: true });
        }
        for (const earlier of clients.filter((_, at) => priority !== "-" && present[at] !== "-")) {
          await client.receives(`<presence from="${earlier.jid}"/>`, { extra: true });
          await earlier.receives(`<presence from="${client.jid}"/>`, { extra: true });
        }
        clients.push(client);
      }
      const bare = `${name}@capulet.example`;
      const address = to === "bare" ? bare : to === "full" ? `${bare}/r0` : `${bare}/absent`;
      const kind = type === "normal" ? "" : ` type="${type}"`;
      await romeo.sends(`<message to="${address}"${kind} id="m"><body>It is my lady.</body></message>`);
      const message = `<message from="${romeo.jid}"${kind} id="m"><body>It is my lady.</body></message>`;
      for (const [i, client] of clients.entries()) {
        const priority = present[i] as number | "-";
        const gets = fate === "all" ? priority !== "-" && priority >= 0 : fate === "match" && i === 0;
        if (gets) await client.receives(message, { extra: true });
        await client.receivesNothing();
      }
      if (fate === "error")
        await romeo.receives(
          `<message type="error" id="m" from="${address}" to="${romeo.jid}"><error><service-unavailable xmlns="${STANZAS}"/></error></message>`,
          { extra: true },
        );
      await romeo.receivesNothing();
      if (nobody) return;
      for (const client of clients) {
        await client.sends(`<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`);
        await client.ended;
      }
      const later = await world.login(name, { resource: "later", presence: true });
      if (fate === "offline")
        await later.receives(message.replace("</message>", `<delay xmlns="urn:xmpp:delay"/></message>`), {
          extra: true,
        });
      await later.receivesNothing();
      await later.closes();
    });
  }
});

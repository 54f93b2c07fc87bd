/** XEP-0484 with SASL ANONYMOUS: a guest who comes back, or opens a second tab, is the same guest. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Actor } from "../../support/actor.ts";
import {
  type Attempt,
  BIND2,
  FAST,
  failsToAuthenticate,
  succeeds,
  TOKEN_MECHANISM,
  tokenProof,
} from "../../support/sasl2.ts";
import { spec } from "../../support/spec.ts";
import { World } from "../../support/world.ts";
import { enters, error, granted, item, joining, roomOf, shows, until } from "../xep-0045/coven.ts";

const XEP = "XEP-0484";
const SM = "urn:xmpp:sm:3";
const CLIENT = "d4565fa7-4d72-4749-b3d3-740edbf87770";
const REQUEST = `<request-token xmlns="${FAST}" mechanism="${TOKEN_MECHANISM}"/>`;
const BIND = `<bind xmlns="${BIND2}"/>`;
const RESUMABLE = `<bind xmlns="${BIND2}"><enable xmlns="${SM}" resume="true"/></bind>`;
const extra = { extra: true };

/** In the second world every stream has a gate of its own. */
let world: World;
let scattered: World;
beforeAll(async () => {
  [world, scattered] = await Promise.all([World.start(), World.start({ settings: { GATE_SOCKETS: "1" } })]);
});
afterAll(() => Promise.all([world?.dispose(), scattered?.dispose()]));

async function opened(where: World): Promise<Actor> {
  const actor = await where.connect("guest");
  await actor.opens(where.settings.guestDomain);
  return actor;
}

interface Visitor {
  actor: Actor;
  token: string;
  /** What its stream may be resumed by. */
  id: string;
}

async function by(where: World, attempt: Attempt): Promise<Visitor> {
  const actor = await opened(where);
  const success = await succeeds(actor, { client: CLIENT, ...attempt });
  const resumed = success.getChild("resumed", SM);
  if (!resumed) await actor.next(); // features
  return {
    actor,
    token: success.getChild("token", FAST)?.attrs.token ?? "",
    id: success.getChild("bound", BIND2)?.getChild("enabled", SM)?.attrs.id ?? "",
  };
}

/** Ends its stream; what else comes first is of no matter. */
async function leaves(actor: Actor): Promise<void> {
  await actor.sends(`<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>`);
  await until(actor, (got) => got.name === "close");
}

const ANONYMOUS: Attempt = { mechanism: "ANONYMOUS", initial: "", inline: REQUEST + BIND };
const byToken = ({ actor, token }: Visitor, inline = BIND, fast = ""): Attempt => ({
  mechanism: TOKEN_MECHANISM,
  initial: tokenProof(actor.bare.split("@")[0] ?? "", token),
  inline: `<fast xmlns="${FAST}"${fast}/>${inline}`,
});

spec(
  XEP,
  "4.4",
  "a second tab of a guest is the same guest: one occupant with one nick, and the first tab stays",
  async () => {
    const lobby = roomOf(world, world.settings.defaultRoom);
    const first = await by(world, ANONYMOUS);
    await enters(first.actor, lobby, "mira");
    const second = await by(world, byToken(first));
    expect(second.actor.bare).toBe(first.actor.bare);
    expect(second.actor.jid).not.toBe(first.actor.jid);
    await enters(second.actor, lobby, "mira");
    await first.actor.receives(shows(lobby, "mira", `jid="${first.actor.jid}" role="participant"`, "110"), extra);
    await second.actor.sends(`<message type="groupchat" to="${lobby}" id="g1"><body>Hello</body></message>`);
    const said = `<message type="groupchat" id="g1" from="${lobby}/mira"><body>Hello</body></message>`;
    await first.actor.receives(said, extra);
    await second.actor.receives(said, extra);
    await leaves(second.actor);
    await first.actor.sends(`<message type="groupchat" to="${lobby}" id="g2"><body>Still here</body></message>`);
    await until(first.actor, (got) => got.attrs.id === "g2");
    first.actor.cut();
  },
);

spec(XEP, "4.4", "a guest who has left altogether comes back as the same one", async () => {
  const first = await by(world, ANONYMOUS);
  const { bare } = first.actor;
  await leaves(first.actor);
  const again = await by(world, byToken(first));
  expect(again.actor.bare).toBe(bare);
  again.actor.cut();
});

spec(XEP, "4.4", "a guest's token is for its own client; whoever is refused may be somebody new at once", async () => {
  const first = await by(world, ANONYMOUS);
  for (const attempt of [
    { ...byToken(first), client: "somebody-else" },
    { ...byToken({ ...first, token: `${first.token}x` }), client: CLIENT },
    { ...byToken(first), initial: tokenProof("romeo", first.token), client: CLIENT },
    { ...byToken(first), initial: tokenProof(`nowhere-1.${"a".repeat(26)}`, first.token), client: CLIENT },
  ]) {
    const actor = await opened(world);
    await failsToAuthenticate(actor, attempt, "credentials-expired");
    await succeeds(actor, { ...ANONYMOUS, client: CLIENT });
    expect(actor.bare).not.toBe(first.actor.bare);
    actor.cut();
  }
  first.actor.cut();
});

spec(XEP, "4.6", "a guest's token that was invalidated is good no more", async () => {
  const first = await by(world, ANONYMOUS);
  await by(world, byToken(first, BIND, ` invalidate="true"`));
  await failsToAuthenticate(await opened(world), { ...byToken(first), client: CLIENT }, "credentials-expired");
});

spec(XEP, "4.4", "an account's host knows no guests, and a guest's no accounts", async () => {
  const first = await by(world, ANONYMOUS);
  const actor = await world.connect();
  await actor.opens();
  await failsToAuthenticate(actor, { ...byToken(first), client: CLIENT }, "not-authorized");
});

spec("XEP-0045", "9.1", "a guest who was banned is banned when the token brings it back", async () => {
  const lobby = roomOf(world, world.settings.defaultRoom);
  const crone = await world.login("crone");
  await world.rest("PUT", `/api/v1/rooms/lobby/affiliations/crone`, { affiliation: "owner" });
  await enters(crone, lobby, "crone");
  const troll = await by(world, ANONYMOUS);
  await enters(troll.actor, lobby, "troll");
  await until(crone, (got) => got.attrs.from === `${lobby}/troll`);
  const ban = `<iq type="set" id="ban" to="${lobby}">${item(`jid="${troll.actor.bare}" affiliation="outcast"`)}</iq>`;
  await crone.sends(ban);
  granted(await until(crone, (got) => got.attrs.id === "ban"));
  await until(troll.actor, (got) => got.attrs.type === "unavailable" && String(got).includes('code="301"'));
  const again = await by(world, byToken(troll));
  await again.actor.sends(joining(lobby, "innocent"));
  await again.actor.receives(`<presence type="error">${error("auth", "forbidden")}</presence>`, extra);
  await leaves(crone);
});

spec(XEP, "4.4", "the same at another gate, where the guest is reached by its address", async () => {
  const first = await by(scattered, ANONYMOUS);
  const second = await by(scattered, byToken(first));
  expect(second.actor.bare).toBe(first.actor.bare);
  const stranger = await by(scattered, ANONYMOUS);
  for (const { actor } of [second, first]) {
    await stranger.actor.sends(`<message to="${actor.jid}" id="m1"><body>Psst</body></message>`);
    await actor.receives(`<message from="${stranger.actor.jid}" to="${actor.jid}" id="m1"/>`, extra);
  }
  await stranger.actor.sends(`<message to="${first.actor.bare}" id="m2"><body>Psst</body></message>`);
  await first.actor.receives(`<message from="${stranger.actor.jid}" to="${first.actor.bare}" id="m2"/>`, extra);
  await second.actor.receives(`<message from="${stranger.actor.jid}" to="${first.actor.bare}" id="m2"/>`, extra);
  await leaves(second.actor);
  await stranger.actor.sends(`<message to="${second.actor.jid}" id="m3"><body>Psst</body></message>`);
  await stranger.actor.receives(`<message type="error" from="${second.actor.jid}" id="m3"/>`, extra);
  first.actor.cut();
  stranger.actor.cut();
});

spec(
  "XEP-0198",
  "5",
  "a guest's stream goes from gate to gate, by token and without, and its address with it",
  async () => {
    const first = await by(scattered, { ...ANONYMOUS, inline: REQUEST + RESUMABLE });
    const stranger = await by(scattered, ANONYMOUS);
    const { jid } = first.actor;
    first.actor.cut();
    const resume = `<resume xmlns="${SM}" previd="${first.id}" h="0"/>`;
    const second = await by(scattered, byToken(first, resume + RESUMABLE));
    expect(second.actor.jid).toBe(jid);
    second.actor.cut();
    const third = await by(scattered, { mechanism: "ANONYMOUS", initial: "", inline: resume });
    expect(third.actor.jid).toBe(jid);
    // Who knows no more than the id of the stream, which is part of its address, gets nothing; nor does another guest.
    const sid = jid.slice(jid.indexOf(".") + 1, jid.indexOf("@"));
    const forged = first.id.replace(/[^.]+$/, (seal) => "A".repeat(seal.length));
    const thief = { mechanism: "ANONYMOUS", initial: "", client: CLIENT };
    for (const previd of [forged, `${first.id.split("/")[0]}/${sid}`]) {
      const inline = `<resume xmlns="${SM}" previd="${previd}" h="0"/>`;
      const answer = await succeeds(await opened(scattered), { ...thief, inline });
      expect(answer.getChild("failed", SM)).toBeDefined();
    }
    const other = await by(scattered, byToken(stranger, resume));
    expect(other.actor.bare).toBe(stranger.actor.bare);
    await stranger.actor.sends(`<message to="${jid}" id="m4"><body>Psst</body></message>`);
    await until(third.actor, (got) => got.attrs.id === "m4");
    third.actor.cut();
  },
);

spec(
  "XEP-0198",
  "5",
  "of two clients that want one stream at once, one has it in the end, and is reached by its address",
  async () => {
    for (const where of [world, scattered]) {
      await where.user("juliet");
      const juliet = await where.connect("juliet");
      await juliet.opens();
      const bound = await succeeds(juliet, { client: CLIENT, inline: RESUMABLE });
      const previd = bound.getChild("bound", BIND2)?.getChild("enabled", SM)?.attrs.id;
      const { jid } = juliet;
      juliet.cut();
      const claimants: Actor[] = [];
      for (let i = 0; i < 3; i++) {
        const claimant = await where.connect("juliet");
        await claimant.opens();
        claimants.push(claimant);
      }
      const inline = `<resume xmlns="${SM}" previd="${previd}" h="0"/>`;
      const outcomes = await Promise.all(
        claimants.map((each) =>
          succeeds(each, { client: CLIENT, inline }).then((success) => success.getChild("resumed", SM)),
        ),
      );
      expect(outcomes.some(Boolean)).toBe(true);
      const romeo = await where.login("romeo");
      await romeo.sends(`<message to="${jid}" type="chat" id="m5"><body>Wherefore?</body></message>`);
      const heard = claimants.map((each) =>
        until(each, (got) => got.attrs.id === "m5").then(
          () => true,
          () => false,
        ),
      );
      expect(await Promise.any(heard.map((each) => each.then((yes) => yes || Promise.reject())))).toBe(true);
      for (const each of [...claimants, romeo]) each.cut();
    }
  },
);

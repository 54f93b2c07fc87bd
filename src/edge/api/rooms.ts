/** REST: rooms, who is who in them and who is there. `{room}` is a local part or a room's JID. */
import * as v from "valibot";
import type { Config } from "../../muc/config.ts";
import type { RoomFacts } from "../../muc/rooms.ts";
import { anybody, withRoom } from "./address.ts";
import { answer, done, type Operation, operation } from "./operation.ts";
import { problem } from "./problem.ts";
import { AFFILIATION, NAME, NICK, PAGE, REASON, TIME } from "./schemas.ts";

const text = (most: number) => v.optional(v.pipe(v.string(), v.maxLength(most)));
const flag = v.optional(v.boolean());
const SIZES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
const roles = v.optional(v.pipe(v.array(v.picklist(["moderator", "participant", "visitor"])), v.maxLength(3)));

/** Settings as owners see them in the room's form; what is left out stays as it is. */
const SETTINGS = {
  name: text(256),
  description: text(1024),
  lang: text(35),
  persistent: flag,
  public: flag,
  membersOnly: flag,
  moderated: flag,
  passwordProtected: flag,
  password: text(256),
  maxUsers: v.optional(v.picklist(SIZES)),
  whois: v.optional(v.picklist(["moderators", "anyone"])),
  changeSubject: flag,
  allowInvites: flag,
  allowPm: v.optional(v.picklist(["anyone", "participants", "moderators", "none"])),
  presenceBroadcast: roles,
  memberList: roles,
  logging: flag,
  maxHistory: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100))),
  slowMode: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400))),
  register: flag,
  listOccupants: flag,
  guests: v.optional(v.picklist(["none", "read", "speak"])),
};

const ROOM = v.object({
  jid: v.string(),
  created: TIME,
  occupants: v.pipe(v.number(), v.integer()),
  subject: v.string(),
  settings: v.object(SETTINGS),
});
const LISTED = v.object({
  jid: v.string(),
  name: v.string(),
  description: v.string(),
  public: v.boolean(),
  occupants: v.pipe(v.number(), v.integer(), v.description("A moment ago.")),
});
const OCCUPANT = v.object({
  nick: v.string(),
  jid: v.string(),
  role: v.picklist(["moderator", "participant", "visitor", "none"]),
  affiliation: AFFILIATION,
  clients: v.pipe(v.number(), v.integer()),
});
const STANDING = v.object({
  jid: v.string(),
  affiliation: AFFILIATION,
  nick: v.optional(v.string()),
  reason: v.optional(v.string()),
});

function shown({ jid, created, occupants, subject, config }: RoomFacts): object {
  const { password: _, pubsub: __, maxUsers, ...settings } = config;
  const at = new Date(created).toISOString();
  return { jid, created: at, occupants, subject, settings: { ...settings, maxUsers: Number(maxUsers) } };
}

type Wanted = v.InferOutput<v.ObjectSchema<typeof SETTINGS, undefined>>;

function configOf({ maxUsers, ...settings }: Wanted): Partial<Config> {
  const given = Object.entries({ ...settings, maxUsers: maxUsers?.toString() }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given);
}

export const rooms: readonly Operation[] = [
  operation({
    method: "get",
    path: "/rooms",
    summary: "Lists rooms, hidden ones too, in the order of their addresses.",
    query: PAGE,
    answers: {
      200: { about: "A page.", schema: v.object({ rooms: v.array(LISTED), next: v.optional(v.string()) }) },
    },
    async run({ env, settings, query: { after, limit } }) {
      const found = await env.DIRECTORY.getByName(settings.domain).allRooms(after, limit);
      const rooms = found.map(({ jid, name, description, public: listed, occupants }) => ({
        jid,
        name,
        description,
        public: listed,
        occupants,
      }));
      return Response.json({ rooms, ...(rooms.length === limit && { next: rooms.at(-1)?.jid }) });
    },
  }),
  operation({
    method: "get",
    path: "/rooms/:room",
    summary: "Shows a room and its settings, without its password.",
    answers: { 200: { about: "The room.", schema: ROOM } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) => {
        const facts = await object.room(jid);
        return facts ? Response.json(shown(facts)) : problem("not-found", "There is no such room.");
      }),
  }),
  operation({
    method: "put",
    path: "/rooms/:room",
    summary: "Makes a room, or changes the given settings of one. `owner` and `preset` count when it is made.",
    body: v.strictObject({ ...SETTINGS, owner: v.optional(NAME), preset: v.optional(v.picklist(["embed"])) }),
    answers: {
      200: { about: "It was there.", schema: v.object({ jid: v.string() }) },
      201: { about: "It was made.", schema: v.object({ jid: v.string() }) },
    },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) => {
        const { owner: name, preset, ...settings } = call.body;
        const owner = name === undefined ? undefined : anybody(name, call.settings);
        if (owner instanceof Response) return owner;
        const config = configOf(settings);
        const outcome = await object.putRoom(jid, { config, ...(owner && { owner }), ...(preset && { preset }) });
        return answer(outcome, () => ({ jid }), outcome.ok && outcome.value.created ? 201 : 200);
      }),
  }),
  operation({
    method: "patch",
    path: "/rooms/:room",
    summary: "Changes the given settings of a room that there is.",
    body: v.strictObject(SETTINGS),
    answers: { 200: { about: "They are changed.", schema: v.object({ jid: v.string() }) } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) =>
        answer(await object.putRoom(jid, { config: configOf(call.body), existing: true }), () => ({ jid })),
      ),
  }),
  operation({
    method: "delete",
    path: "/rooms/:room",
    summary: "Ends a room; everybody in it is told the reason.",
    query: REASON,
    answers: { 204: { about: "It is gone." } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) => done(await object.removeRoom(jid, call.query.reason))),
  }),
  operation({
    method: "get",
    path: "/rooms/:room/affiliations",
    summary: "Lists owners, administrators, members and those who are banned.",
    answers: { 200: { about: "All of them.", schema: v.object({ affiliations: v.array(STANDING) }) } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) =>
        answer(await object.affiliations(jid), (affiliations) => ({ affiliations })),
      ),
  }),
  operation({
    method: "put",
    path: "/rooms/:room/affiliations/:jid",
    summary:
      "Gives somebody an affiliation, or none. `{jid}` may be an account's local part, or @domain for all of a domain.",
    body: v.strictObject({ affiliation: AFFILIATION, ...REASON.entries }),
    answers: { 204: { about: "So it is." } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) => {
        const whom = anybody(call.param("jid"), call.settings);
        if (whom instanceof Response) return whom;
        return done(await object.affiliate(jid, whom, call.body.affiliation, call.body.reason));
      }),
  }),
  operation({
    method: "get",
    path: "/rooms/:room/occupants",
    summary: "Lists who is in a room now, with their real addresses.",
    answers: { 200: { about: "All of them.", schema: v.object({ occupants: v.array(OCCUPANT) }) } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) =>
        answer(await object.occupants(jid), (occupants) => ({ occupants })),
      ),
  }),
  operation({
    method: "post",
    path: "/rooms/:room/kick",
    summary: "Sends an occupant out. A guest stays out for ten minutes, an account may come in again.",
    body: v.strictObject({ nick: NICK, ...REASON.entries }),
    answers: { 204: { about: "They are out." } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) =>
        done(await object.kick(jid, call.body.nick, call.body.reason)),
      ),
  }),
  operation({
    method: "post",
    path: "/rooms/:room/ban",
    summary: "Bans by nick, which is how guests are banned while they are there, or by address.",
    body: v.pipe(
      v.strictObject({ nick: v.optional(NICK), jid: v.optional(NAME), ...REASON.entries }),
      v.check(({ nick, jid }) => (nick === undefined) !== (jid === undefined), "Either nick or jid."),
    ),
    answers: { 200: { about: "Who is banned.", schema: STANDING } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (room, object) => {
        const { nick, jid: name, reason } = call.body;
        const jid = name === undefined ? undefined : anybody(name, call.settings);
        if (jid instanceof Response) return jid;
        return answer(await object.ban(room, { ...(nick && { nick }), ...(jid && { jid }) }, reason), (facts) => facts);
      }),
  }),
];

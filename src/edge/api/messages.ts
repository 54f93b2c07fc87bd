/** REST: messages, as the server or in somebody's name; and what was said in a room. */
import * as v from "valibot";
import { anybody, withAccount, withRoom } from "./address.ts";
import { answer, done, type Operation, operation } from "./operation.ts";
import { NAME, NICK, RANGE, REASON, TEXT, TIME } from "./schemas.ts";

/** Characters; a stanza around 30,000 of them is well within any limit, whatever they are. */
const BODY = TEXT(30_000);

const MESSAGE = v.object({
  id: v.pipe(v.string(), v.description("The stanza-id that clients see (XEP-0359).")),
  at: TIME,
  nick: v.optional(v.pipe(v.string(), v.description("Absent: the room itself has said it."))),
  jid: v.optional(v.pipe(v.string(), v.description("Its author's real address."))),
  body: v.optional(v.string()),
  subject: v.optional(v.string()),
  retracted: v.optional(v.literal(true)),
});

export const messages: readonly Operation[] = [
  operation({
    method: "post",
    path: "/messages",
    summary: "Sends a message to a user: from the server, or from an account here to anybody.",
    repeatable: true,
    body: v.strictObject({ to: NAME, from: v.optional(NAME), body: BODY }),
    answers: { 202: { about: "It is on its way.", schema: v.object({ id: v.string() }) } },
    async run(call) {
      const { to, from, body } = call.body;
      const note = { body, ...(call.key !== undefined && { key: call.key }) };
      if (from === undefined)
        return withAccount(call, to, async (jid, object) => answer(await object.tell(jid, note), (sent) => sent, 202));
      const reader = anybody(to, call.settings);
      if (reader instanceof Response) return reader;
      return withAccount(call, from, async (jid, object) =>
        answer(await object.speak(jid, reader, note), (sent) => sent, 202),
      );
    },
  }),
  operation({
    method: "post",
    path: "/rooms/:room/messages",
    summary: "Says something in a room: as the room, under a nick, or as an account, which need not be there.",
    repeatable: true,
    body: v.strictObject({ body: BODY, from: v.optional(NAME), nick: v.optional(NICK) }),
    answers: {
      201: {
        about: "It was said; without an id where the room keeps no archive.",
        schema: v.object({ id: v.optional(v.string()) }),
      },
    },
    run: async (call) =>
      withRoom(call, call.param("room"), async (room, object) => {
        const { body, from, nick } = call.body;
        const jid = from === undefined ? undefined : anybody(from, call.settings);
        if (jid instanceof Response) return jid;
        const { key } = call;
        const utterance = { body, ...(jid && { jid }), ...(nick && { nick }), ...(key !== undefined && { key }) };
        return answer(await object.say(room, utterance), (said) => said, 201);
      }),
  }),
  operation({
    method: "get",
    path: "/rooms/:room/messages",
    summary: "What was said in a room, oldest first: the newest page, or the one before or after a message.",
    query: RANGE,
    answers: { 200: { about: "A page.", schema: v.object({ messages: v.array(MESSAGE) }) } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) => {
        const { before, after, limit } = call.query;
        const range = { limit, ...(before && { before }), ...(after && { after }) };
        return answer(await object.messages(jid, range), (messages) => ({ messages }));
      }),
  }),
  operation({
    method: "delete",
    path: "/rooms/:room/messages/:id",
    summary: "Takes a message back for everybody (XEP-0425); a tombstone stays.",
    query: REASON,
    answers: { 204: { about: "It is gone." } },
    run: async (call) =>
      withRoom(call, call.param("room"), async (jid, object) =>
        done(await object.retract(jid, call.param("id"), call.query.reason)),
      ),
  }),
];

/** Names in paths and bodies of the REST API: a local part, or the whole bare JID. */
import type { RoomRpc, UserRpc } from "../../../durable-objects/rpc.ts";
import { placement } from "../../kernel/placement.ts";
import { isUsername, Jid } from "../../protocol/jid.ts";
import type { Settings } from "../../settings.ts";
import type { Env } from "../env.ts";
import { problem } from "./problem.ts";

interface Place {
  readonly env: Env;
  readonly settings: Settings;
}

/** Does something with an account's object; a name that can be no account's is refused. */
export function withAccount(
  { env, settings }: Place,
  name: string,
  run: (jid: string, account: Omit<UserRpc, "receive">) => Promise<Response>,
): Promise<Response> | Response {
  const jid = addressOf(name, settings.domain, "accounts");
  return jid instanceof Response ? jid : run(jid, env.USER.getByName(placement(settings, jid)));
}

/** The same with a room's. */
export function withRoom(
  { env, settings }: Place,
  name: string,
  run: (jid: string, room: Omit<RoomRpc, "receive">) => Promise<Response>,
): Promise<Response> | Response {
  const jid = addressOf(name, settings.mucDomain, "rooms");
  return jid instanceof Response ? jid : run(jid, env.ROOM.getByName(placement(settings, jid)));
}

function addressOf(name: string, domain: string, what: string): string | Response {
  const jid = Jid.tryParse(name.includes("@") ? name : `${name}@${domain}`);
  if (!jid || jid.full || !isUsername(jid.local)) return problem("bad-request", `${name} cannot be a name of ${what}.`);
  if (jid.domain !== domain) return problem("not-found", `There are no ${what} at ${jid.domain} here.`);
  return jid.toString();
}

/** Any bare JID, the local part of an account here, or `@` and a whole domain. */
export function anybody(name: string, { domain }: Settings): string | Response {
  const jid = Jid.tryParse(name.startsWith("@") ? name.slice(1) : name.includes("@") ? name : `${name}@${domain}`);
  return jid && !jid.full ? jid.toString() : problem("bad-request", `${name} is no address.`);
}

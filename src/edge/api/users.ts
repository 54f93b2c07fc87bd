/** REST: accounts. `/api/v1/users/{name}`, where name is a local part or a bare JID of this host. */
import { type Context, Hono } from "hono";
import * as v from "valibot";
import { placement } from "../../kernel/placement.ts";
import { isUsername, Jid } from "../../protocol/jid.ts";
import { settingsOf } from "../../settings.ts";
import type { AccountCalls, Env } from "../env.ts";
import { authorise } from "./authorise.ts";
import { problem } from "./problem.ts";

type Cx = Context<{ Bindings: Env }>;

/** Room for a password of 1,023 bytes in any escaping. */
const MOST_BYTES = 16_384;
const PAGE = 100;

const body = v.object({ password: v.pipe(v.string(), v.minLength(1), v.maxBytes(1023)) });

export const users = new Hono<{ Bindings: Env }>()
  .use(authorise)
  .get("/", list)
  .get("/:name", async (c) =>
    withAccount(c, async (jid, calls) => {
      const account = await calls.account(jid);
      return account ? c.json(account) : problem(404, `There is no account ${jid}.`);
    }),
  )
  .put("/:name", async (c) => {
    const given = await readPassword(c);
    if (given instanceof Response) return given;
    return withAccount(c, async (jid, calls) => {
      const outcome = await calls.setPassword(jid, given.password);
      if ("error" in outcome) return problem(400, outcome.error);
      return c.json({ jid }, outcome.created ? 201 : 200);
    });
  })
  .delete("/:name", async (c) =>
    withAccount(c, async (jid, calls) => {
      const outcome = await calls.removeAccount(jid);
      return "error" in outcome ? problem(404, outcome.error) : c.body(null, 204);
    }),
  );

/** `?after=<jid>&limit=<1…1000>`: in the order of the directory; `next` is what to give as `after`. */
async function list(c: Cx): Promise<Response> {
  const settings = settingsOf(c.env);
  const limit = Number(c.req.query("limit") ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) return problem(400, "limit is a number from 1 to 1000.");
  const directory = c.env.DIRECTORY.getByName(settings.domain);
  const accounts = await directory.accounts(c.req.query("after"), limit);
  return c.json({ users: accounts, ...(accounts.length === limit ? { next: accounts.at(-1) } : {}) });
}

async function readPassword(c: Cx): Promise<{ password: string } | Response> {
  // A form of another site cannot send this type without asking first.
  if (!/^application\/json\b/i.test(c.req.header("content-type") ?? "")) {
    return problem(415, "Send JSON, with the header Content-Type: application/json.");
  }
  if (Number(c.req.header("content-length") ?? 0) > MOST_BYTES) return problem(413, `At most ${MOST_BYTES} bytes.`);
  const text = await c.req.text();
  if (text.length > MOST_BYTES) return problem(413, `At most ${MOST_BYTES} bytes.`);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), body), text);
  return parsed.success && parsed.output.password.isWellFormed()
    ? parsed.output
    : problem(400, 'Send {"password": "…"}, of 1 to 1023 bytes.');
}

async function withAccount(c: Cx, run: (jid: string, calls: AccountCalls) => Promise<Response>): Promise<Response> {
  const settings = settingsOf(c.env);
  const name = c.req.param("name") ?? "";
  const jid = Jid.tryParse(name.includes("@") ? name : `${name}@${settings.domain}`);
  if (jid === undefined || jid.full || !isUsername(jid.local))
    return problem(400, `${name} cannot be an account's name.`);
  if (jid.domain !== settings.domain) return problem(404, `This server has no accounts at ${jid.domain}.`);
  const address = jid.toString();
  return run(address, c.env.USER.getByName(placement(settings, address)));
}

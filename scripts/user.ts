/**
 * npm run user -- add alice@localhost [password] | passwd alice@localhost [password] | delete alice@localhost | list
 *
 * Speaks to the server on DATA_DIR, or to the one at ENJAMB_URL. The token is ADMIN_TOKEN, or what that server's folder
 * (DATA_DIR/admin-token) or the last deployment (.secrets) holds. Without a password one is made; "-" reads it from standard input.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const ROOT = dirname(import.meta.dirname);

class Refusal extends Error {}

const USAGE = `npm run user -- add <name@domain> [password]
npm run user -- passwd <name@domain> [password]
npm run user -- delete <name@domain>
npm run user -- list`;

const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

function server(): { url: string; token: string } {
  const dataDir = resolve(process.env.DATA_DIR || join(ROOT, ".enjamb/data"));
  const remote = process.env.ENJAMB_URL;
  const running = read(join(dataDir, "server.json"));
  const url = remote ?? (running === undefined ? undefined : (JSON.parse(running) as { http: string }).http);
  if (url === undefined) {
    throw new Refusal(`No server runs on ${dataDir}. Start it with npm start, or set ENJAMB_URL=https://your.server.`);
  }
  const stored =
    remote === undefined
      ? read(join(dataDir, "admin-token"))?.trim()
      : (JSON.parse(read(join(ROOT, ".secrets")) ?? "{}") as { ADMIN_TOKEN?: string }).ADMIN_TOKEN;
  const token = process.env.ADMIN_TOKEN || stored;
  if (!token) throw new Refusal("Set ADMIN_TOKEN to the server's admin token.");
  return { url: url.replace(/\/$/, ""), token };
}

async function call(method: string, path: string, body?: object): Promise<Response> {
  const { url, token } = server();
  let response: Response;
  try {
    response = await fetch(`${url}/api/v1/users${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refusal(`No server answers on ${url}.`);
  }
  if (response.ok || response.status === 404) return response;
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Refusal(detail ?? `${url} answered ${response.status}.`);
}

const detailOf = async (response: Response) => ((await response.json()) as { detail: string }).detail;

/** @returns the password, and whether it was made here and so must be shown */
function password(given: string | undefined): { password: string; made: boolean } {
  if (given === "-") return { password: readFileSync(0, "utf8").replace(/\r?\n$/, ""), made: false };
  return given === undefined
    ? { password: randomBytes(18).toString("base64url"), made: true }
    : { password: given, made: false };
}

async function set(name: string, given: string | undefined, mustExist: boolean): Promise<void> {
  const path = `/${encodeURIComponent(name)}`;
  const exists = (await call("GET", path)).ok;
  if (exists && !mustExist) throw new Refusal(`${name} exists already; passwd sets a new password.`);
  if (!exists && mustExist) throw new Refusal(`There is no account ${name}; add makes one.`);
  const chosen = password(given);
  const response = await call("PUT", path, { password: chosen.password });
  if (!response.ok) throw new Refusal(await detailOf(response));
  const { jid } = (await response.json()) as { jid: string };
  console.log(`${jid}${chosen.made ? `  password: ${chosen.password}` : ""}`);
}

async function list(): Promise<void> {
  for (let after: string | undefined, more = true; more; ) {
    const response = await call(
      "GET",
      `?limit=1000${after === undefined ? "" : `&after=${encodeURIComponent(after)}`}`,
    );
    const page = (await response.json()) as { users: string[]; next?: string };
    for (const jid of page.users) console.log(jid);
    after = page.next;
    more = after !== undefined;
  }
}

async function main([command, name, given]: string[]): Promise<void> {
  if (command === "list") return list();
  if (name === undefined) throw new Refusal(USAGE);
  if (command === "add") return set(name, given, false);
  if (command === "passwd") return set(name, given, true);
  if (command !== "delete") throw new Refusal(USAGE);
  const response = await call("DELETE", `/${encodeURIComponent(name)}`);
  if (!response.ok) throw new Refusal(await detailOf(response));
  console.log(`${name} is gone.`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

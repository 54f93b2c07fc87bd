/** XEP-0363: HTTP File Upload, v1.2.0, §7–9: the way to the files, from pages of any site — https://xmpp.org/extensions/xep-0363.html */
import { settingsOf } from "../settings.ts";
import { fileOf, isFileId, readSlot } from "../upload/slot.ts";
import type { Env } from "./env.ts";

const ANYBODY = ["access-control-allow-origin", "*"] as const;
const PREFLIGHT = {
  [ANYBODY[0]]: ANYBODY[1],
  "access-control-allow-methods": "GET, HEAD, PUT, OPTIONS",
  "access-control-allow-headers": "Authorization, Content-Type, Range",
  "access-control-max-age": "86400",
};

/** Every file is an object of its own, named by its id. */
export async function upload(request: Request, env: Env): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: PREFLIGHT });
  const url = new URL(request.url);
  const id = fileOf(url)?.id ?? "";
  const answer = refuse(await secretOf(env), id, url, request) ?? (await env.FILE.getByName(id).fetch(request));
  const response = new Response(answer.body, answer);
  response.headers.set(...ANYBODY);
  return response;
}

/** An object that was only asked takes its place on a disk for ever: so what can be refused without one is refused here. */
function refuse(secret: string, id: string, url: URL, { method, headers }: Request): Response | undefined {
  if (!isFileId(secret, id)) return refusal(404, "There is no such file.");
  if (method !== "PUT") return undefined;
  const slot = readSlot(secret, url);
  if (!slot) return refusal(403, "This server has given no such slot.");
  if (slot.until < Date.now()) return refusal(403, "This slot is no longer good; ask for another.");
  const length = headers.get("content-length");
  if (length !== null && Number(length) !== slot.size) return refusal(413, `The slot is for ${slot.size} bytes.`);
  const type = headers.get("content-type") ?? "";
  if (slot.type !== "" && type !== "" && essence(type) !== essence(slot.type))
    return refusal(415, `The slot is for ${slot.type}.`);
  return undefined;
}

const refusal = (status: number, text: string) => new Response(`${text}\n`, { status });
const essence = (type: string) => type.split(";", 1)[0]?.trim().toLowerCase();

/** It never changes. */
const secrets = new WeakMap<Env, string>();

async function secretOf(env: Env): Promise<string> {
  const known = secrets.get(env) ?? (await env.DIRECTORY.getByName(settingsOf(env).domain).secrets()).upload;
  secrets.set(env, known);
  return known;
}

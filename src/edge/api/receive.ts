/** What comes with a request of the REST API, judged before anything is done: its body's type, size and form. */
import * as v from "valibot";
import type { Operation } from "./operation.ts";
import { problem } from "./problem.ts";

/** Bytes of a body. */
const MOST = 1_048_576;

/** The body as the operation's schema makes it; a Response says why not. */
export async function readBody(request: Request, { body }: Operation): Promise<{ value: unknown } | Response> {
  if (!body) return { value: undefined };
  // A form of another site cannot send this type without asking first.
  if (!/^application\/json *(?:;|$)/i.test(request.headers.get("content-type") ?? ""))
    return problem("unsupported-media-type", "Send JSON, with the header Content-Type: application/json.");
  const text = await readText(request);
  if (text === undefined) return problem("too-large", `A body has at most ${MOST} bytes.`);
  let json: unknown;
  try {
    json = JSON.parse(text || "{}");
  } catch {
    return problem("bad-request", "The body is not JSON.");
  }
  return judge(body, json);
}

export function readQuery(url: URL, { query }: Operation): { value: unknown } | Response {
  return query ? judge(query, Object.fromEntries(url.searchParams)) : { value: {} };
}

function judge(schema: v.GenericSchema, input: unknown): { value: unknown } | Response {
  const { success, output, issues } = v.safeParse(schema, input);
  if (success) return { value: output };
  const errors = issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message }));
  const [first] = errors;
  return problem("bad-request", `${first?.path ? `${first.path}: ` : ""}${first?.message}`, { errors });
}

/** Stops reading where it becomes too much, whatever Content-Length says. */
async function readText(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > MOST) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MOST) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

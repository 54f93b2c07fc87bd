/** Requests that are done once, however often their sender repeats them: the first one's answer is kept for a day. */
import { createHash } from "node:crypto";
import { stanzaError } from "../protocol/errors.ts";
import type { Table } from "./feature.ts";
import type { Sql } from "./sql.ts";

/** `key` is the sender's own (the header Idempotency-Key); `request` a digest of what it was first used for. */
export const ONCE: Table = {
  name: "once",
  steps: [
    `CREATE TABLE once (
       owner INTEGER NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL, expires INTEGER NOT NULL,
       PRIMARY KEY (owner, key)) WITHOUT ROWID`,
  ],
};

const KEPT_MS = 86_400_000;

/** Runs `run` unless that was done under this key; `owner` is the entity's row key. @throws {StanzaError} for another request */
export function once<T>(sql: Sql, owner: number, key: string | undefined, request: unknown, run: () => T): T {
  if (key === undefined) return run();
  const now = Date.now();
  const digest = createHash("sha256").update(JSON.stringify(request)).digest("base64url");
  sql`DELETE FROM once WHERE owner = ${owner} AND expires < ${now}`;
  const [known] = sql<{ request: string; answer: string }>`SELECT request, answer FROM once
    WHERE owner = ${owner} AND key = ${key}`;
  if (known && known.request !== digest) throw stanzaError("conflict", "This key was used for another request.");
  if (known) return JSON.parse(known.answer);
  const answer = run();
  sql`INSERT INTO once VALUES (${owner}, ${key}, ${digest}, ${JSON.stringify(answer)}, ${now + KEPT_MS})`;
  return answer;
}

/** The entity is no more. */
export function forgetOnce(sql: Sql, owner: number): void {
  sql`DELETE FROM once WHERE owner = ${owner}`;
}

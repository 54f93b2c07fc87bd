/** XEP-0484: the tokens that an account's clients log in with — https://xmpp.org/extensions/xep-0484.html */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Judgement } from "../protocol/authentication.ts";
import { type FastRequest, isDue, newToken, type Token, type TokenSlots, useToken } from "../protocol/fast.ts";
import type { TokenProof } from "../protocol/sasl-messages.ts";

/** A client has at most two: the one it uses, and the one it was given to use next. */
export const TOKEN: Table = {
  name: "token",
  steps: [
    "CREATE TABLE token (owner INTEGER NOT NULL, client TEXT NOT NULL, slots TEXT NOT NULL, PRIMARY KEY (owner, client)) WITHOUT ROWID",
  ],
};

/** Ids of web apps' tokens that were used, until they would have expired (RFC 7519 §4.1.7). */
export const USED_TOKEN: Table = {
  name: "used_token",
  steps: [
    "CREATE TABLE used_token (owner INTEGER NOT NULL, jti TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (owner, jti)) WITHOUT ROWID",
  ],
};

const LIFETIME_MS = 21 * 86_400_000;
/** Clients of one account that hold tokens; the one that came first loses its own. */
const CLIENTS = 20;

export class Tokens {
  readonly #sql: Sql;
  readonly #owner: number;

  constructor(sql: Sql, owner: number) {
    this.#sql = sql;
    this.#owner = owner;
  }

  judge(client: string, proof: TokenProof, fast: FastRequest): Judgement {
    const verdict = useToken(this.#slots(client), proof, Date.now(), fast.count);
    if (!verdict.ok) return verdict;
    if (fast.invalidate) this.#remove(client);
    else if (verdict.changed) this.#put(client, verdict.slots);
    return { ok: true, data: verdict.data, due: !fast.invalidate && isDue(verdict.token, Date.now(), LIFETIME_MS) };
  }

  /** A new token beside the one in use, which stays good until the new one is used (§4.5). */
  issue(client: string, mechanism: string): Token {
    const token = newToken(mechanism, Date.now(), LIFETIME_MS);
    this.#put(client, { ...this.#slots(client), fresh: token });
    const clients = this.#sql<{ client: string }>`SELECT client FROM token WHERE owner = ${this.#owner}`;
    for (const { client: other } of clients
      .filter(({ client: c }) => c !== client)
      .slice(0, Math.max(0, clients.length - CLIENTS)))
      this.#remove(other);
    return token;
  }

  /** After a change of password no token is good (security.md C13). */
  clear(): void {
    this.#sql`DELETE FROM token WHERE owner = ${this.#owner}`;
  }

  /** The account is no more. */
  forget(): void {
    this.clear();
    this.#sql`DELETE FROM used_token WHERE owner = ${this.#owner}`;
  }

  #slots(client: string): TokenSlots {
    const [row] = this.#sql<{
      slots: string;
    }>`SELECT slots FROM token WHERE owner = ${this.#owner} AND client = ${client}`;
    return row ? JSON.parse(row.slots) : {};
  }

  #put(client: string, slots: TokenSlots): void {
    this.#sql`INSERT OR REPLACE INTO token VALUES (${this.#owner}, ${client}, ${JSON.stringify(slots)})`;
  }

  #remove(client: string): void {
    this.#sql`DELETE FROM token WHERE owner = ${this.#owner} AND client = ${client}`;
  }
}

/** When an account was last available, and what its client said on leaving (XEP-0012, RFC 6121 §4.3.2). */
import type { Account } from "./account.ts";

/** The row's copy: asked for once per contact and login, so not read each time. */
export class LastSeen {
  /** ms; 0 if it never was. */
  at: number;
  status: string;

  constructor({ sql, id }: Account) {
    const row = sql<{ seen: number; status: string }>`SELECT seen, status FROM account WHERE id = ${id}`[0];
    this.at = row?.seen ?? 0;
    this.status = row?.status ?? "";
  }
}

export const lastSeen = (account: Account): LastSeen => account.memo(LastSeen, () => new LastSeen(account));

/** Notes that the account's last resource has just left. */
export function noteLeave(account: Account, status: string): void {
  const last = lastSeen(account);
  last.at = account.now;
  last.status = status;
  account.sql`UPDATE account SET seen = ${last.at}, status = ${status} WHERE id = ${account.id}`;
}

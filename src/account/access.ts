/** What decides whether somebody gets in to an account. */
import type { Credentials } from "../protocol/scram.ts";
import type { Account } from "./account.ts";

/** The row's copy: every login asks for it twice. Whoever writes it forgets this. */
export class Access {
  /** Absent where only tokens open the account, and where there is none. */
  readonly keys: Credentials | undefined;
  readonly disabled: boolean;
  /** When it was said (ms) that no token of before is good any more. */
  readonly revoked: number;

  constructor({ sql, id }: Account) {
    const [row] = sql<{ keys: string; disabled: number; revoked: number }>`SELECT keys, disabled, revoked FROM account
      WHERE id = ${id}`;
    this.keys = row?.keys ? JSON.parse(row.keys) : undefined;
    this.disabled = row?.disabled === 1;
    this.revoked = row?.revoked ?? 0;
  }
}

export const access = (account: Account): Access => account.memo(Access, () => new Access(account));

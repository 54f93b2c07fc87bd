/**
 * RFC 6120 §8, §10: custody — https://www.rfc-editor.org/rfc/rfc6120#section-10
 *
 * A message that its sender's account has taken is passed on to its reader's until that one has taken it too. The archive row is the queue entry; one watermark per account, written when a burst is over, says what was passed on.
 * (RFC 6120 §8.1.2: a server delivers or answers; XEP-0198 §4: what is acknowledged was handled.)
 */
import { type Account, account, type Passage } from "../account/account.ts";
import { stanzaOf } from "../archive/row.ts";
import type { Feature } from "../kernel/feature.ts";
import type { Stanza } from "../protocol/stanza.ts";

/** How long a burst may last before its watermark is written. */
const BURST_MS = 10_000;
/** Rows read at a time after the object was lost in the middle of a burst. */
const PAGE = 500;

/** Marks on their way. Rebuilt from the rows above the watermark when the object was forgotten meanwhile. */
class Outstanding {
  readonly marks = new Set<number>();
  armed = false;

  constructor(account: Account, midway = account.pending("custody")) {
    if (!midway) return;
    this.armed = true;
    let after = watermark(account);
    for (let rows = account.archive.sent(after, PAGE); rows.length > 0; rows = account.archive.sent(after, PAGE)) {
      for (const row of rows) pass(account, this, stanzaOf(row), row.id, true);
      after = rows.at(-1)?.id ?? after;
    }
  }
}

const outstanding = (account: Account) => account.memo(Outstanding, () => new Outstanding(account));

function watermark({ sql, id }: Account): number {
  return sql<{ passed: number }>`SELECT passed FROM account WHERE id = ${id}`[0]?.passed ?? 0;
}

function pass(account: Account, outstanding: Outstanding, stanza: Stanza, mark: number, again: boolean): void {
  outstanding.marks.add(mark);
  if (!outstanding.armed) {
    outstanding.armed = true;
    account.wake("custody", Date.now() + BURST_MS);
  }
  account.object.post.pass(stanza, mark, again, (error) => {
    // What failed stays outstanding: the alarm tries again.
    if (!error) outstanding.marks.delete(mark);
  });
}

export const custody: Feature = {
  name: "custody",
  implements: [{ id: "RFC 6120", note: "§10.1 order, §8.1 delivery" }],
  handles: [
    account.hook("message:pass", (account, { stanza, mark, again }: Passage) => {
      const { post } = account.object;
      // In the same object both archives are one transaction, and there is nothing to pass on.
      if (mark === undefined || post.isLocal(stanza)) post.send(stanza);
      else {
        const state = outstanding(account);
        // What was rebuilt just now has found this row, too, and has passed it on.
        if (!state.marks.has(mark)) pass(account, state, stanza, mark, again);
      }
    }),
    account.alarm<null>("custody", (account) => {
      // This alarm is what told of a burst; where nothing else is left of it, all above the watermark is passed on again.
      let rebuilt = false;
      const state = account.memo(Outstanding, () => {
        rebuilt = true;
        return new Outstanding(account, true);
      });
      const late = [...state.marks];
      if (late.length === 0) {
        state.armed = false;
        account.sql`UPDATE account SET passed = ${account.archive.last} WHERE id = ${account.id}`;
        account.archive.forgetSent(account.archive.last);
        return;
      }
      account.wake("custody", Date.now() + BURST_MS);
      if (rebuilt) return;
      const oldest = Math.min(...late);
      account.sql`UPDATE account SET passed = ${oldest - 1} WHERE id = ${account.id}`;
      for (const row of account.archive.sent(oldest - 1, PAGE))
        if (state.marks.has(row.id)) pass(account, state, stanzaOf(row), row.id, true);
    }),
  ],
};

/** XEP-0363: whose the files are, so that they go with their account — https://xmpp.org/extensions/xep-0363.html */
import type { HostObject } from "../kernel/entity.ts";
import type { Table } from "../kernel/feature.ts";
import { SLOT_MS } from "./slot.ts";

/** A slot that was given (`at`, in ms), used or not, by the file's id. `bytes`: of the day's quota. */
export const GIVEN: Table = {
  name: "uploaded",
  steps: [
    "CREATE TABLE uploaded (owner INTEGER PRIMARY KEY, day INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "DROP TABLE uploaded",
    `CREATE TABLE given (
       owner INTEGER NOT NULL, at INTEGER NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL, expires INTEGER NOT NULL,
       PRIMARY KEY (owner, at, file)) WITHOUT ROWID`,
  ],
};

const REMOVAL = "upload removal";
/** Files that are told at a time. */
const MOST = 50;
/** Until a file that cannot be told is told again: doubled each time, up to an hour. */
const AGAIN_MS = 2_000;
const LONGEST_MS = 3_600_000;

/** The files of an account that is no more are to go. The rows stay, under an id that nobody has again, until each is gone. */
export function abandon({ alarms }: HostObject, owner: number): void {
  alarms.wake(REMOVAL, String(owner), Date.now(), AGAIN_MS);
}

/** What becomes of the files of the accounts that one object has had. */
export class Abandoned {
  readonly #object: HostObject;
  readonly #forget: (file: string, until: number) => Promise<void>;

  /** `forget` tells a file to go, and its slot to be good for nothing until a time in ms; it may come twice. */
  constructor(object: HostObject, forget: (file: string, until: number) => Promise<void>) {
    this.#object = object;
    this.#forget = forget;
  }

  /** The object's alarm. */
  alarm(): void {
    const now = Date.now();
    for (const { entity, data } of this.#object.alarms.take(now, REMOVAL))
      this.#remove(Number(entity), now, data as number);
  }

  #remove(owner: number, now: number, wait: number): void {
    const { sql, alarms, log } = this.#object;
    sql`DELETE FROM given WHERE owner = ${owner} AND expires <= ${now}`;
    const rows = sql<{ at: number; file: string }>`SELECT at, file FROM given WHERE owner = ${owner} LIMIT ${MOST}`;
    if (rows.length === 0) return;
    alarms.wake(REMOVAL, String(owner), now + wait, Math.min(2 * wait, LONGEST_MS));
    const told = rows.map(async ({ at, file }) => {
      // Twice its time: the edge may have let somebody in at the last moment.
      await this.#forget(file, at + 2 * SLOT_MS);
      sql`DELETE FROM given WHERE owner = ${owner} AND at = ${at} AND file = ${file}`;
    });
    Promise.all(told).then(
      () => abandon(this.#object, owner),
      (error) => log.error("a file of a removed account could not be told", error),
    );
  }
}

/**
 * What the rooms of an object have in their rows and others may not have heard yet. An alarm says since when, from the first
 * message of a burst until nothing is on its way: where that still stands when the object starts, it was lost, and says it again.
 */
import { idAt } from "../archive/row.ts";
import type { HostObject } from "../kernel/entity.ts";
import type { Table } from "../kernel/feature.ts";
import { type Envelope, Stanza } from "../protocol/stanza.ts";

/** Messages to one or a few that a room passes on, for as long as no other object has them. */
export const FORWARDED: Table = {
  name: "forwarded",
  steps: [
    `CREATE TABLE forwarded (
       owner INTEGER NOT NULL, n INTEGER NOT NULL, e TEXT NOT NULL, origin INTEGER NOT NULL,
       PRIMARY KEY (owner, n)) WITHOUT ROWID`,
  ],
};

interface Forwarded {
  owner: number;
  n: number;
  e: string;
  origin: number;
}

export const ALARM = "outstanding";
/** An object that was lost is woken after so long at the latest: sooner than a gate forgets what it has heard. */
const LATE_MS = 2_000;
/** A burst that is over is noted after so long. The timer keeps the object from being forgotten until then. */
const REST_MS = 250;

export class Outstanding {
  readonly #object: HostObject;
  readonly #repeat: (after: number) => void;
  /** Calls that nobody has answered. */
  #open = 0;
  /** The newest id of all; and up to which all was heard when last nothing was on its way. */
  #newest = 0;
  #heard = 0;
  /** As the alarm says: what lies beyond it in an archive may not have been heard. */
  #since: number | undefined;
  /** Something could not be passed on: the alarm tries again. */
  #failed = false;
  /** Forwarded, and heard. */
  #done: Forwarded[] = [];
  #last = 0;

  /** `repeat` says again what lies in archives after an id. */
  constructor(object: HostObject, repeat: (after: number) => void) {
    this.#object = object;
    this.#repeat = repeat;
  }

  /** The object starts. */
  recover(): void {
    const since = this.#object.alarms.data<number>(ALARM, "");
    if (since === undefined) return;
    this.#since = since;
    this.#again(since);
    this.#restLater();
  }

  /** What lies at `id` of some room's archive is about to be said. */
  begin(id: number): void {
    this.#newest = Math.max(this.#newest, id);
    if (this.#since !== undefined && this.#since < id) return;
    const first = this.#since === undefined;
    this.#note(id - 1);
    if (first) this.#restLater();
  }

  #note(since: number): void {
    this.#since = since;
    this.#object.alarms.wake(ALARM, "", Date.now() + LATE_MS, since);
  }

  /** Delivers what lies at `place` of its room's archive. */
  deliver(gate: string, sids: string[], stanza: Stanza, place: number, again = false): void {
    this.#open++;
    this.#object.post.deliver(gate, sids, stanza, { place, again });
  }

  /** Passes on what lies in an archive, or in a row; `origin`: by which a repeat is known. */
  pass(stanza: Stanza, origin: number, again: boolean, done?: () => void): void {
    this.#open++;
    this.#object.post.pass(stanza, origin, again, (error) => {
      if (error) this.#failed = true;
      else done?.();
      this.answered();
    });
  }

  /** Passes on what lies nowhere else. */
  forward(owner: number, stanza: Stanza, origin: number | undefined, again: boolean): void {
    const n = Math.max(this.#last + 1, idAt(Date.now()));
    this.#last = n;
    const row = { owner, n, e: JSON.stringify(stanza.pack()), origin: origin ?? -n };
    this.#object.sql`INSERT INTO forwarded VALUES (${owner}, ${n}, ${row.e}, ${row.origin})`;
    this.begin(n);
    this.pass(stanza, row.origin, again, () => this.#done.push(row));
  }

  /** A call has been answered: of deliveries, those that had their place with them. */
  answered(): void {
    if (--this.#open === 0) this.#heard = this.#newest;
  }

  #again(since: number): void {
    this.#failed = false;
    this.#repeat(since);
    for (const row of this.#object.sql<Forwarded>`SELECT * FROM forwarded ORDER BY n`) {
      this.#last = Math.max(this.#last, row.n);
      this.pass(Stanza.open(JSON.parse(row.e) as Envelope), row.origin, true, () => this.#done.push(row));
    }
  }

  #restLater(): void {
    setTimeout(() => this.#rest(), REST_MS);
  }

  #rest(): void {
    for (const { owner, n } of this.#done.splice(0))
      this.#object.sql`DELETE FROM forwarded WHERE owner = ${owner} AND n = ${n}`;
    if (this.#open > 0) return this.#restLater();
    if (this.#failed) return;
    this.#since = undefined;
    this.#object.alarms.cancel(ALARM, "");
    this.#object.stored();
  }

  /** The alarm: a burst goes on, or something has failed. */
  alarm(): void {
    const since = this.#since;
    if (since === undefined) return;
    const failed = this.#failed;
    this.#note(failed ? since : Math.max(since, this.#heard));
    if (!failed) return;
    this.#again(since);
    this.#restLater();
  }
}

/** XEP-0313 §3.2: what goes from an archive, always from its old end — https://xmpp.org/extensions/xep-0313.html#archives_deletion */
import type { Entity } from "../kernel/entity.ts";
import type { Settings } from "../settings.ts";
import type { Archive } from "./archive.ts";
import { idAt, MAX_ID, timeOf } from "./row.ts";

/** What a row weighs besides its text. */
const ROW = 200;
/** Rows deleted by one alarm. */
const CHUNK = 5_000;
/** Messages after which the quotas are looked at before the day is over: a hundredth of what they allow. */
const HURRY = 100;
const DAY_MS = 86_400_000;

export interface Limits {
  /** Age in ms at which messages go; Infinity keeps them. */
  age: number;
  items: number;
  bytes: number;
}

export function limitsOf({ historyDays, historyItems, historyBytes, limits }: Settings): Limits {
  return {
    age: historyDays > 0 ? historyDays * DAY_MS : Number.POSITIVE_INFINITY,
    items: limits && historyItems > 0 ? historyItems : Number.POSITIVE_INFINITY,
    bytes: limits && historyBytes > 0 ? historyBytes : Number.POSITIVE_INFINITY,
  };
}

/** Deletes what is too old or too much, a chunk at a time. @returns when to go on, in ms; undefined when nothing would ever go */
export function prune(archive: Archive, { age, items, bytes }: Limits, now: number): number | undefined {
  const { sql, owner } = archive;
  // Ids up to this one go.
  const expired = age === Number.POSITIVE_INFINITY ? 0 : Math.max(0, idAt(now - age));
  const goal = Math.max(expired, beyond(archive, items, bytes));
  const [edge] = sql<{ id: number }>`SELECT id FROM archive WHERE owner = ${owner} AND id <= ${goal} ORDER BY id
    LIMIT 1 OFFSET ${CHUNK - 1}`;
  sql`DELETE FROM archive WHERE owner = ${owner} AND id <= ${edge?.id ?? goal}`;
  if (edge) return now;
  const [oldest] = sql<{ id: number | null }>`SELECT min(id) AS id FROM archive WHERE owner = ${owner}`;
  if (!oldest?.id || age === Number.POSITIVE_INFINITY) return undefined;
  return timeOf(oldest.id) + age + 1;
}

/** The newest id that is beyond the quotas, counted from the newest message; 0 when there is none. */
function beyond({ sql, owner }: Archive, items: number, bytes: number): number {
  if (items === Number.POSITIVE_INFINITY && bytes === Number.POSITIVE_INFINITY) return 0;
  const [row] = sql<{ id: number }>`SELECT id FROM (
      SELECT id, row_number() OVER newest AS n, sum(length(inner) + ${ROW}) OVER newest AS size FROM archive
        WHERE owner = ${owner} WINDOW newest AS (ORDER BY id DESC ROWS UNBOUNDED PRECEDING))
    WHERE n > ${Math.min(items, MAX_ID)} OR size > ${Math.min(bytes, MAX_ID)} LIMIT 1`;
  return row?.id ?? 0;
}

/** An account or a room: whatever has an archive. */
interface Keeper extends Pick<Entity, "settings" | "now" | "wake" | "pending"> {
  readonly archive: Archive;
  memo<T>(key: { name: string }, load: () => T): T;
}

/** Which alarms are set, and how many messages came since. Rebuilt from the alarms when the object was forgotten. */
class Upkeep {
  expiry: boolean;
  daily: boolean;
  added = 0;

  constructor(keeper: Keeper) {
    this.expiry = keeper.pending(ALARM, "expiry");
    this.daily = keeper.pending(ALARM);
  }
}

/** The alarm of accounts and rooms that `keep` answers. */
export const ALARM = "archive";

/** A message was added: sees to it that the archive is looked at when something has to go. Two rows a day at most. */
export function noteAdded(keeper: Keeper): void {
  const { age, items, bytes } = limitsOf(keeper.settings);
  const upkeep = keeper.memo(Upkeep, () => new Upkeep(keeper));
  if (!upkeep.expiry && age !== Number.POSITIVE_INFINITY) {
    upkeep.expiry = true;
    keeper.wake(ALARM, keeper.now + age, null, "expiry");
  }
  if (Math.min(items, bytes) === Number.POSITIVE_INFINITY) return;
  upkeep.added++;
  if (!upkeep.daily || upkeep.added === HURRY) {
    keeper.wake(ALARM, keeper.now + (upkeep.daily ? 0 : DAY_MS));
    upkeep.daily = true;
  }
}

/** The alarm: deletes what has to go, and says when more will. */
export function keep(keeper: Keeper): void {
  const upkeep = keeper.memo(Upkeep, () => new Upkeep(keeper));
  upkeep.daily = keeper.pending(ALARM);
  upkeep.added = 0;
  const next = prune(keeper.archive, limitsOf(keeper.settings), keeper.now);
  upkeep.expiry = next !== undefined;
  if (next !== undefined) keeper.wake(ALARM, next, null, "expiry");
}

/** Failed logins and new accounts per address: a bucket that empties over an hour (security.md C7, D11). */

const HOUR = 3_600_000;
/** Addresses remembered at most; the oldest go first. */
const MOST = 10_000;

/** A cache: an object that was forgotten has been idle, and idleness is what the bucket measures. */
export class Attempts {
  readonly #most: number;
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  failed(address: string, now = Date.now()): void {
    const level = this.#level(address, now) + 1;
    this.#buckets.delete(address);
    this.#buckets.set(address, { level, at: now });
    if (this.#buckets.size > MOST) for (const oldest of this.#buckets.keys()) return void this.#buckets.delete(oldest);
  }

  /** Seconds to wait before the next try; 0 for none. */
  wait(address: string, now = Date.now()): number {
    const over = this.#level(address, now) + 1 - this.#most;
    return over <= 0 ? 0 : Math.ceil((over / this.#most) * (HOUR / 1000));
  }

  #level(address: string, now: number): number {
    const bucket = this.#buckets.get(address);
    return bucket ? Math.max(0, bucket.level - ((now - bucket.at) / HOUR) * this.#most) : 0;
  }
}

/**
 * Token buckets, in this isolate's memory only: dampers on floods, before any object is touched. What they forget costs
 * nothing, since the truth about abuse is kept elsewhere.
 */
const MOST = 10_000;

export interface Share {
  /** 0, or the seconds until there is a token again. */
  wait: number;
  remaining: number;
  /** Seconds until all are there again. */
  full: number;
}

export class Buckets {
  readonly burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(burst: number, perSecond: number) {
    this.burst = burst;
    this.#perSecond = perSecond;
  }

  /** Takes a token, if there is one. `cost` 0 only looks. */
  take(who: string, now: number, cost = 1): Share {
    const { burst } = this;
    let bucket = this.#buckets.get(who);
    if (bucket === undefined) {
      if (this.#buckets.size >= MOST) this.#buckets.clear();
      bucket = { tokens: burst, at: now };
      this.#buckets.set(who, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    const wait = bucket.tokens < 1 ? Math.ceil((1 - bucket.tokens) / this.#perSecond) : 0;
    if (wait === 0) bucket.tokens -= cost;
    const full = Math.ceil((burst - bucket.tokens) / this.#perSecond);
    return { wait, remaining: Math.floor(bucket.tokens), full };
  }
}

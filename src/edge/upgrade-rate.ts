/**
 * A damper on connection floods, before any object is touched: a token bucket per address, in this isolate's memory only.
 * The truth about abuse is kept by the gates; what this forgets costs nothing.
 */
const BURST = 100;
const PER_SECOND = 2;
const MOST_ADDRESSES = 10_000;

const buckets = new Map<string, { tokens: number; at: number }>();

/** Takes a token. @returns 0, or the seconds until there is one again */
export function secondsToWait(address: string, now: number): number {
  let bucket = buckets.get(address);
  if (bucket === undefined) {
    if (buckets.size >= MOST_ADDRESSES) buckets.clear();
    bucket = { tokens: BURST, at: now };
    buckets.set(address, bucket);
  }
  bucket.tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) / 1000) * PER_SECOND);
  bucket.at = now;
  if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / PER_SECOND);
  bucket.tokens -= 1;
  return 0;
}

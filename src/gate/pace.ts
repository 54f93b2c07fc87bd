/** How much one stream may send: a token bucket over bytes and one over stanzas (security.md §4; XEP-0205 §4.6). */

const BYTES = { second: 32 * 1024, burst: 1024 * 1024 };
const STANZAS = { second: 50, burst: 1000 };

export interface Pace {
  at: number;
  bytes: number;
  stanzas: number;
}

/** Takes a stanza of `bytes` off the stream's allowance; false when it has used it up. */
export function paced(stream: { pace: Pace | undefined }, bytes: number, now = Date.now()): boolean {
  stream.pace ??= { at: now, bytes: BYTES.burst, stanzas: STANZAS.burst };
  const { pace } = stream;
  const seconds = (now - pace.at) / 1000;
  pace.at = now;
  pace.bytes = Math.min(BYTES.burst, pace.bytes + seconds * BYTES.second) - bytes;
  pace.stanzas = Math.min(STANZAS.burst, pace.stanzas + seconds * STANZAS.second) - 1;
  return pace.bytes >= 0 && pace.stanzas >= 0;
}

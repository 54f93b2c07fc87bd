/** What a link has brought: each stanza handed on once and in order, and acknowledged when another object answers for it. */
import { createHash } from "node:crypto";
import { Watermark } from "../protocol/watermark.ts";
import type { Entering } from "./frames.ts";

export class Intake {
  /** The last that was handed on. Forgotten with the object; then what comes next shows a gap, and the link begins again. */
  #received: number;
  readonly taken: Watermark;
  readonly originOf: (n: number) => number;

  /** `taken`: up to which number all of that link is in custody. */
  constructor(link: string, taken: number) {
    this.originOf = originsOf(link);
    this.#received = taken;
    this.taken = new Watermark(taken);
  }

  /** What to do with a frame: one that came before is no news, and before one that comes too early others are missing. */
  judge({ n }: Entering): "next" | "known" | "early" {
    if (n <= this.#received) return "known";
    if (n > this.#received + 1) return "early";
    this.#received = n;
    return "next";
  }
}

/**
 * Numbers for the stanzas of a link that their receivers know them by when they come again: the same whenever they come, and
 * each another. Links begin somewhere in 2^48.
 */
export function originsOf(link: string): (n: number) => number {
  const first = createHash("sha256").update(link).digest().readUIntBE(0, 6);
  return (n) => first + n;
}

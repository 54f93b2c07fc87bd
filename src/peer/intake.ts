/** What a link has brought: each stanza handed on once and in order, and acknowledged when another object answers for it. */
import { createHash } from "node:crypto";
import { Watermark } from "../protocol/watermark.ts";
import type { Entering } from "./frames.ts";

export class Intake {
  /** The last that was handed on. Forgotten with the object; then what comes next shows a gap, and the link begins again. */
  #received: number;
  readonly taken: Watermark;

  /** `taken`: up to which number all is in custody. */
  constructor(taken: number) {
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

/** A number for a stanza that its receiver knows it by when it comes again; the same whenever it comes. */
export function originOf(link: string, n: number): number {
  return createHash("sha256").update(`${link} ${n}`).digest().readUIntBE(0, 6);
}

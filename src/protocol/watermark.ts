/** Numbers from one upwards that are done with in any order, and up to which all of them are. */
export class Watermark {
  #upTo: number;
  /** Done, before some below them. */
  readonly #early = new Set<number>();

  constructor(upTo = 0) {
    this.#upTo = upTo;
  }

  get upTo(): number {
    return this.#upTo;
  }

  /** @returns whether it has risen */
  done(n: number): boolean {
    const before = this.#upTo;
    if (n > before) this.#early.add(n);
    while (this.#early.delete(this.#upTo + 1)) this.#upTo++;
    return this.#upTo > before;
  }
}

/** What comes at a time is taken at once, so that its rows are one commit and what it says to another object is one call. */
export class Turns {
  #next: Promise<void> | undefined;

  /** Resolves in the next turn of the event loop, for all who wait by then, in their order. */
  next(): Promise<void> {
    this.#next ??= this.#come();
    return this.#next;
  }

  async #come(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#next = undefined;
  }
}

/** A log that stays at its end while one is there, and stays put when older messages are put in front. */

const NEAR = 60;
/** From this far below the top the next older page is asked for. */
const SOON = 300;

export class Scrolling {
  /** At the end, so what comes is seen. */
  atEnd = true;
  #box: () => HTMLElement | null;
  #below = 0;
  #first: string | undefined;

  constructor(box: () => HTMLElement | null) {
    this.#box = box;
  }

  /** True when the state of `atEnd` changed. */
  moved(older: () => void): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.#box()!;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    const changed = atEnd !== this.atEnd;
    this.atEnd = atEnd;
    if (scrollTop < SOON) older();
    return changed;
  }

  toEnd(): void {
    this.atEnd = true;
    const box = this.#box();
    if (box) box.scrollTop = box.scrollHeight;
  }

  willRender(): void {
    const box = this.#box();
    this.#below = box ? box.scrollHeight - box.scrollTop : 0;
  }

  /** `first` is the key of the first message now. */
  rendered(first: string | undefined): void {
    const box = this.#box();
    if (this.atEnd) this.toEnd();
    else if (box && first !== this.#first) box.scrollTop = box.scrollHeight - this.#below;
    this.#first = first;
  }
}

/** A WebSocket whose server is the test. */
import { vi } from "vitest";
import type { Element } from "../../../src/web/client/element.ts";
import { read } from "../../../src/web/client/reader.ts";

export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (event: { data: string }) => void;
  #sent: Element[] = [];
  #arrived = () => {};

  static install(): void {
    FakeSocket.all = [];
    vi.stubGlobal("WebSocket", FakeSocket);
  }

  constructor() {
    FakeSocket.all.push(this);
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    this.#sent.push(read(text));
    this.#arrived();
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  /** The server says these frames. */
  say(...frames: string[]): void {
    for (const data of frames) this.onmessage?.({ data });
  }

  /** The next element the client sent with this name, skipping others. */
  async sent(name: string): Promise<Element> {
    for (;;) {
      const element = this.#sent.shift();
      if (element?.name === name) return element;
      if (!element) {
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
        });
      }
    }
  }

  /** Everything sent so far, and not asked for yet. */
  rest(): string[] {
    return this.#sent.splice(0).map(String);
  }
}

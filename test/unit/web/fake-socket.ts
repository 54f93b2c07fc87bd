/** A WebSocket whose server is the test. */
import { vi } from "vitest";
import type { Element } from "../../../src/web/client/element.ts";
import { read } from "../../../src/web/client/reader.ts";

export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  #listeners: Record<string, (event: { data: string }) => void> = {};
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
      this.#tell("open");
    });
  }

  addEventListener(type: string, listener: (event: { data: string }) => void): void {
    this.#listeners[type] = listener;
  }

  #tell(type: string, data = ""): void {
    this.#listeners[type]?.({ data });
  }

  send(text: string): void {
    this.#sent.push(read(text));
    this.#arrived();
  }

  close(): void {
    this.readyState = 3;
    this.#tell("close");
  }

  /** The server says these frames. */
  say(...frames: string[]): void {
    for (const data of frames) this.#tell("message", data);
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

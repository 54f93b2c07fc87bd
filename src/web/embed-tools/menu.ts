/** A list of things to do, walked with the arrows. */
import type { TemplateResult } from "lit/html.js";
import type { XmppChat } from "../embed/chat.ts";
import type { Lit } from "../embed/lazily.ts";

/** Its label, what it does, and whether it needs a second thought. */
export type Action = readonly [label: string, run: () => unknown, bad?: boolean];

export const menu =
  ({ html }: Lit) =>
  (chat: XmppChat, list: readonly Action[], kind: string): TemplateResult => {
    const run = (act: () => unknown) => () => {
      chat.menu = undefined;
      void chat.update();
      void chat.attempt(act());
    };
    return html`<div class="menu ${kind}" role="menu" @keydown=${walk}>${list.map(
      ([label, act, bad]) =>
        html`<button role="menuitem" class=${bad ? "bad" : ""} @click=${run(act)}>${label}</button>`,
    )}</div>`;
  };

function walk(event: KeyboardEvent): void {
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
  const at = items.indexOf(event.target as HTMLButtonElement);
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  items[(at + step + items.length) % items.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

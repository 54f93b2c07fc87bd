/** The conversation, and how one walks through it. */
import { html, nothing, render, type TemplateResult } from "lit/html.js";
import type { Entry } from "../client/timeline.ts";
import type { XmppChat } from "./chat.ts";
import { message } from "./message.ts";
import { fill } from "./strings.ts";

export function log(chat: XmppChat): TemplateResult {
  const { strings, live, loaded, scrolling } = chat;
  const { unread } = chat.attention;
  const entries = live?.room.timeline.entries ?? [];
  const scroll = () => {
    if (scrolling.moved(() => void chat.attempt(live?.room.history.older()))) void chat.update();
    chat.look();
  };
  const toEnd = () => {
    scrolling.toEnd();
    chat.look();
  };
  const beginning = entries.length ? strings.beginning : html`<slot name="empty">${strings.empty}</slot>`;
  return html`<div class="log" part="log" role="log" aria-live="off" aria-label=${strings.messages} tabindex="-1" @scroll=${scroll} @keydown=${walk}><div>
      ${loaded || chat.ending ? nothing : html`<div class="wait"><i></i><i></i><i></i></div>`}
      ${loaded && !live?.room.history.more ? html`<p class="begin">${beginning}</p>` : nothing}
      <ol></ol></div></div>
    ${scrolling.atEnd || !loaded ? nothing : html`<button class="latest" @click=${toEnd}>${unread ? fill(strings.unread, unread) : strings.latest}</button>`}`;
}

const rows = new WeakMap<Entry, HTMLElement>();

/** Puts the messages into the list: each keeps its own row, whatever comes before it, and with it focus and selection. */
export function arrange(chat: XmppChat): void {
  const list = chat.root.querySelector("ol");
  const entries = chat.live?.room.timeline.entries ?? [];
  const wanted = new Set(entries.map((entry) => rows.get(entry)));
  for (const row of [...(list?.children ?? [])]) if (!wanted.has(row as HTMLElement)) row.remove();
  entries.forEach((entry, i) => {
    const row = rows.get(entry) ?? document.createElement("li");
    rows.set(entry, row);
    if (list && list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
    render(message(chat, entry, entries[i - 1], entries.length - i), row);
  });
}

/** Arrows walk through the messages; Enter opens the actions of one. */
function walk(event: KeyboardEvent): void {
  const here = event.target as HTMLElement;
  if (!here.matches(".m")) return;
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".m")];
  const at = all.indexOf(here);
  const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (next !== undefined) all[next]?.focus();
  else if (event.key === "Enter") here.querySelector<HTMLElement>(".tools > .icon:last-of-type")?.click();
  else return;
  event.preventDefault();
}

/** What is around the conversation: the header, a panel beside it, and in a bubble the button that opens it. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { XmppChat } from "./chat.ts";
import { iconButton, icons } from "./icons.ts";
import { fill, RIGHT_TO_LEFT } from "./strings.ts";

type Part = TemplateResult | typeof nothing;

export function frame(chat: XmppChat, log: Part, composer: Part, dialog: Part): TemplateResult {
  const { strings, live, mode, open, panel } = chat;
  const { unread, announcement } = chat.attention;
  const room = live?.room;
  const bubble = mode === "bubble";
  const direction = RIGHT_TO_LEFT.test(chat.language) ? "rtl" : nothing;
  const name = room?.name || chat.room;
  const about = room?.subject || room?.description;
  const people = room ? Math.max(room.occupants.size, room.count) : 0;

  const turn = () => {
    chat.open = !open;
    chat.scrolling.atEnd = true;
    if (chat.open) chat.begin({});
    void chat.update().then(chat.look);
  };
  const show = (next: typeof panel) => async () => {
    await chat.need("tools");
    chat.panel = panel === next ? "" : next;
    void chat.update();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (chat.menu) chat.menu = undefined;
    else if (panel || chat.reply || chat.editing || chat.to) chat.begin({});
    else if (bubble) turn();
    void chat.update();
  };

  const body = html`<section class="panel" dir=${direction} lang=${chat.lang || nothing} aria-label=${name} @keydown=${pressed}>
    <header part="header">
      <div class="title"><h2 dir="auto">${name}</h2>${about ? html`<p class="sub" dir="auto" title=${about}>${about}</p>` : nothing}</div>
      <slot name="header"></slot>
      ${room?.self?.affiliation === "owner" ? iconButton(strings.settings, icons.settings, show("settings"), panel === "settings") : nothing}
      ${iconButton(`${strings.people}: ${fill(strings.here, people)}`, icons.people, show("people"), panel === "people", nothing, people || nothing)}
      ${bubble ? iconButton(strings.close, icons.close, turn) : nothing}
    </header>
    <div class="middle">${log}${
      panel && chat.tools
        ? html`<aside class="side" part=${panel} aria-label=${strings[panel]}>
      <div>${strings[panel]}${iconButton(strings.close, icons.close, show(panel))}</div>${chat.tools[panel](chat)}</aside>`
        : nothing
    }</div>
    <footer part="composer">${composer}<slot name="footer"></slot></footer>
    <p class="vh" role="status">${announcement}</p>${dialog}
  </section>`;
  if (!bubble) return body;
  const label = unread ? fill(strings.unread, unread) : strings.open;
  return html`<div class="float" dir=${direction}>${open ? body : nothing}
    <button class="launch" aria-expanded=${open} aria-label=${open ? strings.close : label} @click=${turn}>${
      open ? icons.close : icons.chat
    }${unread ? html`<span class="badge">${unread}</span>` : nothing}</button></div>`;
}

/** Where one writes: the line, what it answers or changes, who is typing, and why it may not be used. */
import { html, nothing, type TemplateResult } from "lit";
import type { XmppChat } from "./chat.ts";
import { icons } from "./icons.ts";
import { edit } from "./log.ts";
import { fill } from "./strings.ts";

const LIMIT = 8_000;

/** The names that could complete what is being written after an @, and which is chosen. */
interface Completion {
  names: string[];
  at: number;
  chosen: number;
}
const completions = new WeakMap<XmppChat, Completion>();

export function composer(chat: XmppChat): TemplateResult {
  const { strings, ending, live } = chat;
  const room = live?.room;
  const status = html`<p class="status" role="status">${chat.notice || (chat.offline && !ending ? strings.offline : typing(chat))}</p>`;
  if (ending) {
    return html`${status}<div class="bar" role="alert"><span>${ending.text}</span><button @click=${ending.act}>${ending.button}</button></div>`;
  }
  if (chat.readonly) return status;
  const muted = room?.joined && room.self?.role === "visitor";
  if (muted) return html`${status}<div class="bar"><span>${strings.muted}</span></div>`;
  const wait = Math.ceil((chat.pause - Date.now()) / 1_000);
  const label = chat.to ? fill(strings.writeTo, chat.to) : strings.write;
  const names = completions.get(chat);
  return html`${status}${about(chat)}
    <form class="write" @submit=${(event: Event) => submit(chat, event)}>
      ${names ? suggestions(chat, names) : nothing}
      <textarea rows="1" dir="auto" maxlength=${LIMIT} placeholder=${label} aria-label=${label} enterkeyhint="send"
        role=${names ? "combobox" : nothing} aria-expanded=${names ? "true" : nothing} aria-controls=${names ? "names" : nothing}
        aria-activedescendant=${names ? `n${names.chosen}` : nothing}
        @input=${(event: Event) => typed(chat, event)} @keydown=${(event: KeyboardEvent) => pressed(chat, event)}></textarea>
      <button class="go" part="send" aria-label=${wait > 0 ? fill(strings.slow, wait) : strings.send} ?disabled=${!live || wait > 0}>
        ${wait > 0 ? wait : html`<span class="flip">${icons.send}</span>`}</button>
    </form>
    ${
      live?.guest && room?.nick
        ? html`<p class="as"><b><bdi>${room.nick}</bdi></b>
      <button @click=${() => rename(chat)}>${strings.change}</button></p>`
        : nothing
    }`;
}

function typing(chat: XmppChat): string {
  const { strings } = chat;
  const [one, two, ...more] = chat.live?.room.typing.who.keys() ?? [];
  if (!one) return "";
  return more.length ? strings.typingMany : two ? fill(strings.typingTwo, one, two) : fill(strings.typing, one);
}

/** What the message being written is about: an answer, a change, or somebody's eyes only. */
function about(chat: XmppChat): TemplateResult | typeof nothing {
  const { strings, reply, editing, to } = chat;
  if (!reply && !editing && !to) return nothing;
  const title = editing ? strings.editing : reply ? fill(strings.replying, reply.nick) : fill(strings.writeTo, to);
  const cancel = () => {
    if (editing) setText(chat, "");
    reset(chat);
    chat.focusComposer();
  };
  const quoted = (editing ?? reply)?.body;
  return html`<div class="bar"><div><b>${title}</b>${quoted ? html`<p class="clip" dir="auto">${quoted}</p>` : nothing}</div>
    <button class="icon" aria-label=${strings.cancel} @click=${cancel}>${icons.close}</button></div>`;
}

function reset(chat: XmppChat): void {
  chat.reply = chat.editing = undefined;
  chat.to = "";
  completions.delete(chat);
  chat.requestUpdate();
}

const area = (chat: XmppChat) => chat.renderRoot.querySelector("textarea");

export function setText(chat: XmppChat, text: string): void {
  const field = area(chat);
  if (field) field.value = text;
}

function submit(chat: XmppChat, event: Event): void {
  event.preventDefault();
  const room = chat.live?.room;
  const body = area(chat)?.value.trim();
  if (!room || !body || Date.now() < chat.pause) return;
  const { editing, reply, to } = chat;
  if (editing) {
    if (body !== editing.body) room.correct(editing, body);
  } else room.say(body, { ...(reply ? { reply } : {}), ...(to ? { to } : {}) });
  setText(chat, "");
  reset(chat);
  chat.toLatest();
}

function typed(chat: XmppChat, event: Event): void {
  const { value, selectionStart } = event.target as HTMLTextAreaElement;
  const room = chat.live?.room;
  if (value && room?.joined && !chat.to) room.typing.press();
  const start = /(?:^|\s)@(\S{0,30})$/.exec(value.slice(0, selectionStart));
  const names = start
    ? [...(room?.occupants.keys() ?? [])]
        .filter((nick) => nick !== room?.nick && nick.toLowerCase().startsWith(start[1]!.toLowerCase()))
        .slice(0, 8)
    : [];
  if (names.length) completions.set(chat, { names, at: selectionStart - start![1]!.length, chosen: 0 });
  else completions.delete(chat);
  chat.requestUpdate();
}

function pressed(chat: XmppChat, event: KeyboardEvent): void {
  const names = completions.get(chat);
  const field = event.target as HTMLTextAreaElement;
  if (event.isComposing) return;
  if (names && /^(Arrow(Up|Down)|Enter|Tab|Escape)$/.test(event.key)) {
    if (event.key === "Escape") completions.delete(chat);
    else if (event.key.startsWith("Arrow")) {
      const step = event.key === "ArrowUp" ? -1 : 1;
      names.chosen = (names.chosen + step + names.names.length) % names.names.length;
    } else complete(chat, names, names.chosen);
    chat.requestUpdate();
  } else if (event.key === "Enter" && !event.shiftKey) field.form?.requestSubmit();
  else if (event.key === "ArrowUp" && !field.value) {
    const last = chat.live?.room.timeline.entries.findLast((entry) => entry.own && entry.ref && !entry.removed);
    if (!last) return;
    edit(chat, last);
    field.value = last.body;
  } else return;
  event.preventDefault();
}

function complete(chat: XmppChat, { names, at }: Completion, chosen: number): void {
  const field = area(chat)!;
  field.setRangeText(`${names[chosen]} `, at, field.selectionStart, "end");
  completions.delete(chat);
  field.focus();
  chat.requestUpdate();
}

function suggestions(chat: XmppChat, completion: Completion): TemplateResult {
  return html`<ul class="list" id="names" role="listbox" aria-label=${chat.strings.people}>${completion.names.map(
    (name, i) =>
      html`<li id="n${i}" role="option" aria-selected=${i === completion.chosen} @pointerdown=${(event: Event) => {
        event.preventDefault();
        complete(chat, completion, i);
      }}><bdi>${name}</bdi></li>`,
  )}</ul>`;
}

function rename(chat: XmppChat): void {
  const { strings } = chat;
  const room = chat.live!.room;
  chat.question = {
    text: strings.name,
    action: strings.save,
    label: strings.name,
    value: room.nick,
    run: async (nick) => {
      if (!nick || nick === room.nick) return;
      await room.rename(nick).catch((error) => {
        throw error.condition === "conflict" ? new Error(strings.taken) : error;
      });
    },
  };
  chat.requestUpdate();
}

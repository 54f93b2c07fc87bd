/** Where one writes: the line, what it answers or changes, who is typing, and why it may not be used. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { XmppChat } from "./chat.ts";
import { iconButton, icons } from "./icons.ts";
import { fill } from "./strings.ts";

export function composer(chat: XmppChat): TemplateResult {
  const { strings, ending, live, notice, offline } = chat;
  const room = live?.room;
  const status = html`<p class="status" role="status">${notice || (offline && !ending ? strings.offline : typing(chat))}</p>`;
  if (ending) {
    return html`${status}<div class="bar" role="alert"><span>${ending.text}</span><button @click=${chat.again}>${ending.button}</button></div>`;
  }
  if (chat.readonly) return status;
  if (room?.joined && room.self?.role === "visitor")
    return html`${status}<div class="bar"><span>${strings.muted}</span></div>`;
  const wait = Math.ceil((chat.pause - Date.now()) / 1_000);
  const label = chat.to ? fill(strings.writeTo, chat.to) : strings.write;
  const names = chat.tools?.completionOf(chat);
  const files = chat.upload && live ? chat.wantFiles() : undefined;
  return html`${status}${about(chat)}${files?.progress(chat)}
    <form class="write" @submit=${(event: Event) => submit(chat, event)}>
      ${names ? chat.tools?.suggestions(chat, names) : nothing}${files?.button(chat, wait > 0)}
      <textarea rows="1" dir="auto" maxlength="8000" ?disabled=${!live} placeholder=${label} aria-label=${label} enterkeyhint="send" aria-controls=${names ? "names" : nothing}
        aria-activedescendant=${names ? `n${names.chosen}` : nothing} @input=${() => typed(chat)} @keydown=${(event: KeyboardEvent) => pressed(chat, event)}></textarea>
      <button class="go" part="send" aria-label=${wait > 0 ? fill(strings.slow, wait) : strings.send} ?disabled=${!live || wait > 0}>${
        wait > 0 ? wait : icons.send
      }</button>
    </form>
    ${live?.guest && room?.nick ? html`<p class="as"><bdi>${room.nick}</bdi> <button @click=${() => chat.need("tools").then((tools) => tools.rename(chat))}>${strings.change}</button></p>` : nothing}`;
}

function typing({ strings, live }: XmppChat): string {
  const [one, two, ...more] = live?.room.typing.who.keys() ?? [];
  if (!one) return "";
  return more.length ? strings.typingMany : two ? fill(strings.typingTwo, one, two) : fill(strings.typing, one);
}

/** What the message being written is about: an answer, a change, or somebody's eyes only. */
function about(chat: XmppChat): TemplateResult | typeof nothing {
  const { strings, reply, editing, to } = chat;
  if (!reply && !editing && !to) return nothing;
  const title = editing ? strings.editing : reply ? fill(strings.replying, reply.nick) : fill(strings.writeTo, to);
  const cancel = () => {
    if (editing) chat.text = "";
    chat.begin({});
  };
  return html`<div class="bar"><div><b>${title}</b><p class="clip" dir="auto">${(editing ?? reply)?.body}</p></div>
    ${iconButton(strings.cancel, icons.close, cancel)}</div>`;
}

function submit(chat: XmppChat, event: Event): void {
  event.preventDefault();
  const { editing, reply, to, live } = chat;
  const body = chat.text.trim();
  if (!live || !body || Date.now() < chat.pause) return;
  if (!editing) live.room.say(body, { ...(reply ? { reply } : {}), ...(to ? { to } : {}) });
  else if (body !== editing.body) live.room.correct(editing, body);
  chat.text = "";
  chat.scrolling.atEnd = true;
  chat.begin({});
}

async function typed(chat: XmppChat): Promise<void> {
  const room = chat.live?.room;
  if (chat.text && room?.joined && !chat.to) room.typing.press();
  if (chat.text.includes("@")) await chat.need("tools");
  chat.tools?.complete(chat);
  void chat.update();
}

function pressed(chat: XmppChat, event: KeyboardEvent): void {
  const { key, shiftKey, isComposing } = event;
  if (isComposing) return;
  if (chat.tools?.steer(chat, key)) {
    // It was for the list of names.
  } else if (key === "Enter" && !shiftKey) (event.target as HTMLTextAreaElement).form?.requestSubmit();
  else {
    const last =
      key === "ArrowUp" &&
      !chat.text &&
      chat.live?.room.timeline.entries.findLast(({ own, ref, removed }) => own && ref && !removed);
    if (!last) return;
    chat.edit(last);
  }
  event.preventDefault();
}

/** The conversation: days, the line above what is new, messages with what can be done to them. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { moderate } from "../client/moderation.ts";
import type { Entry } from "../client/timeline.ts";
import type { XmppChat } from "./chat.ts";
import { icons } from "./icons.ts";
import { occupantActions } from "./panels.ts";
import { fill } from "./strings.ts";
import { hueOf, isBig, mentionOf, type Rich, rich } from "./text.ts";

const TOGETHER = 5 * 60_000;
const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🎉", "🙏", "👀"];

/** One thing that can be done: its label, and whether it needs a second thought. */
export type Action = [label: string, run: () => unknown, bad?: boolean];

export function log(chat: XmppChat): TemplateResult {
  const { strings, live } = chat;
  const entries = live?.room.timeline.entries ?? [];
  const waiting = !chat.loaded && !chat.ending;
  return html`<div class="log" part="log" role="log" aria-live="off" aria-label=${live?.room.name || chat.room} tabindex="-1"
      @scroll=${chat.scrolled} @keydown=${move}>
      ${waiting ? html`<div class="wait" aria-label=${strings.connecting}><i></i><i></i><i></i></div>` : nothing}
      <ol>
        ${chat.loaded && !entries.length ? html`<li class="empty"><slot name="empty">${strings.empty}</slot></li>` : nothing}
        ${chat.loaded && entries.length && !live?.room.history.more ? html`<li class="begin">${strings.beginning}</li>` : nothing}
        ${repeat(
          entries,
          (entry) => entry.key,
          (entry, i) => message(chat, entry, entries[i - 1], i === entries.length - 1),
        )}
      </ol>
    </div>
    ${chat.stuck || !chat.loaded ? nothing : html`<button class="latest" @click=${chat.toLatest}>${chat.unread ? fill(strings.unread, chat.unread) : strings.latest}</button>`}`;
}

/** Arrows walk through the messages; Enter opens the actions of one. */
function move(event: KeyboardEvent): void {
  const here = (event.target as HTMLElement).closest<HTMLElement>(".m");
  if (!here || event.target !== here) return;
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".m")];
  const at = all.indexOf(here);
  const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (next !== undefined) all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
  else if (event.key === "Enter") here.querySelector<HTMLElement>(".tools .icon:last-of-type")?.click();
  else return;
  event.preventDefault();
}

function message(chat: XmppChat, entry: Entry, before: Entry | undefined, last: boolean): TemplateResult {
  const { strings } = chat;
  const day = new Date(entry.time).toDateString();
  const newDay = day !== (before && new Date(before.time).toDateString());
  const fresh = chat.lastSeen !== undefined && !entry.own && (before?.key ?? "") === chat.lastSeen;
  const head =
    newDay || fresh || before?.sender !== entry.sender || before.to !== entry.to || entry.time - before.time > TOGETHER;
  const open = chat.menu?.key === entry.key ? chat.menu.kind : undefined;
  const hit = !entry.own && mentioned(chat, entry);
  const classes = `m ${entry.own ? "own" : ""} ${head ? "head" : ""} ${open ? "on" : ""} ${entry.state} ${hit ? "hit" : ""} h${hueOf(entry.nick)}`;
  return html`${newDay ? html`<li class="rule">${dayName(chat, entry.time)}</li>` : nothing}
    ${fresh ? html`<li class="rule fresh">${strings.fresh}</li>` : nothing}
    <li class=${classes} part=${entry.own ? "message own" : "message"} tabindex=${last ? 0 : -1}>
      ${head && !entry.own ? html`<span class="face" aria-hidden="true">${[...entry.nick][0]}</span>` : nothing}
      <div class=${head ? "who" : "vh"}>
        <bdi class="nick" part="nick">${entry.nick}</bdi>
        <time datetime=${new Date(entry.time).toISOString()}>${clock(chat, entry.time)}</time>
        ${entry.to === undefined ? nothing : html`<span class="meta">${entry.own ? fill(strings.only, entry.to) : strings.onlyYou}</span>`}
      </div>
      <div class="cell">
        ${entry.reply ? quote(chat, entry.reply.ref) : nothing}
        ${bubble(chat, entry)}
        ${
          entry.state === "failed"
            ? html`<p class="fail">${strings.notSent}${entry.error ? `: ${entry.error}` : ""}
          <button @click=${() => chat.live?.room.retry(entry)}>${strings.again}</button></p>`
            : nothing
        }
        ${reactions(chat, entry)}
      </div>
      ${entry.removed || entry.state !== "sent" || chat.readonly ? nothing : tools(chat, entry, open, last)}
    </li>`;
}

function bubble(chat: XmppChat, entry: Entry): TemplateResult {
  const { removed, body, edited, to } = entry;
  if (removed) {
    const why = removed.by ? chat.strings.removedBy : chat.strings.removed;
    return html`<p class="b gone">${why}${removed.reason ? `: ${removed.reason}` : ""}</p>`;
  }
  const action = body.startsWith("/me ");
  return html`<div class="b ${isBig(body) ? "big" : ""} ${to === undefined ? "" : "just"}" part="body" dir="auto">${
    action ? html`<em>${entry.nick} ${body.slice(4)}</em>` : text(chat, entry)
  }${edited ? html` <span class="meta">(${chat.strings.edited})</span>` : nothing}</div>`;
}

const parsed = new WeakMap<Entry, { key: string; result: Rich }>();

/** Parsed once for each text and nick. */
function text(chat: XmppChat, entry: Entry): Rich {
  const nick = chat.live?.room.nick ?? "";
  const key = `${nick}\n${entry.body}`;
  let known = parsed.get(entry);
  if (known?.key !== key) parsed.set(entry, (known = { key, result: rich(entry.body, mentionOf(nick)) }));
  return known.result;
}

const mentioned = (chat: XmppChat, { body }: Entry): boolean => !!mentionOf(chat.live?.room.nick ?? "")?.test(body);

function quote(chat: XmppChat, ref: string): TemplateResult {
  const original = chat.live?.room.timeline.find(ref);
  const show = (event: Event) => {
    const log = (event.currentTarget as HTMLElement).closest("ol")!;
    const index = chat.live!.room.timeline.entries.indexOf(original!);
    const target = log.querySelectorAll<HTMLElement>(".m")[index];
    target?.scrollIntoView({ block: "center" });
    target?.focus();
  };
  const preview = original?.removed ? chat.strings.removed : original?.body;
  return html`<button class="quote" dir="auto" ?disabled=${!original} @click=${show}>${
    original ? html`<b><bdi>${original.nick}</bdi></b> ${preview}` : "…"
  }</button>`;
}

function reactions(chat: XmppChat, entry: Entry): TemplateResult | typeof nothing {
  const { room } = chat.live!;
  if (!entry.reactions.size || entry.removed) return nothing;
  const own = room.senderOf(room.nick);
  return html`<div class="reacts">${[...entry.reactions].map(
    ([emoji, who]) =>
      html`<button aria-pressed=${who.has(own)} ?disabled=${chat.readonly} @click=${() => room.react(entry, emoji)}>${emoji} ${who.size}</button>`,
  )}</div>`;
}

function tools(chat: XmppChat, entry: Entry, open: string | undefined, last: boolean): TemplateResult {
  const { strings } = chat;
  const toggle = (kind: "react" | "actions") => () => {
    chat.menu = open === kind ? undefined : { key: entry.key, kind };
    chat.requestUpdate();
    if (chat.menu)
      void chat.updateComplete.then(() => chat.renderRoot.querySelector<HTMLElement>(".m .menu button")?.focus());
  };
  const button = (label: string, icon: TemplateResult, act: () => void, expanded?: boolean) =>
    html`<button class="icon" tabindex="-1" aria-label=${label} aria-expanded=${expanded ?? nothing} @click=${act}>${icon}</button>`;
  const publicly = entry.ref && entry.to === undefined;
  return html`<div class="tools">
    ${publicly ? button(strings.react, icons.react, toggle("react"), open === "react") : nothing}
    ${publicly ? button(strings.reply, icons.reply, () => answer(chat, entry)) : nothing}
    ${button(strings.actions, icons.more, toggle("actions"), open === "actions")}
    ${
      open === "react"
        ? menu(
            chat,
            EMOJI.map((emoji): Action => [emoji, () => chat.live?.room.react(entry, emoji)]),
            `row ${last ? "up" : ""}`,
          )
        : nothing
    }
    ${open === "actions" ? menu(chat, actions(chat, entry), last ? "up" : "") : nothing}
  </div>`;
}

export function menu(chat: XmppChat, list: readonly Action[], kind: string): TemplateResult {
  const run = (act: () => unknown) => () => {
    chat.menu = undefined;
    chat.requestUpdate();
    void chat.attempt(act());
  };
  return html`<div class="menu ${kind}" role="menu" @keydown=${walk}>${list.map(
    ([label, act, bad]) =>
      html`<button role="menuitem" class=${bad ? "bad" : nothing} @click=${run(act)}>${label}</button>`,
  )}</div>`;
}

function walk(event: KeyboardEvent): void {
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
  const at = items.indexOf(event.target as HTMLButtonElement);
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  items[(at + step + items.length) % items.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

function answer(chat: XmppChat, entry: Entry): void {
  chat.reply = entry;
  chat.editing = undefined;
  chat.requestUpdate();
  chat.focusComposer();
}

function actions(chat: XmppChat, entry: Entry): Action[] {
  const { strings } = chat;
  const { client, room } = chat.live!;
  const list: Action[] = [[strings.copy, () => navigator.clipboard.writeText(entry.body)]];
  if (entry.own && entry.ref) {
    list.unshift([strings.edit, () => edit(chat, entry)]);
    list.push([strings.remove, () => room.retract(entry), true]);
  }
  if (entry.own || entry.to !== undefined) return list;
  if (room.self?.role === "moderator" && entry.ref) {
    const run = (reason: string) => moderate(client, room, entry.ref!, reason);
    list.push([strings.moderate, () => chat.ask(strings.moderate, run), true]);
  }
  const occupant = room.occupants.get(entry.nick);
  return occupant && room.senderOf(entry.nick) === entry.sender ? [...list, ...occupantActions(chat, occupant)] : list;
}

export function edit(chat: XmppChat, entry: Entry): void {
  chat.editing = entry;
  chat.reply = undefined;
  chat.to = "";
  chat.requestUpdate();
  chat.focusComposer();
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(chat: XmppChat, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = chat.lang + Object.keys(options);
  let known = formats.get(key);
  if (!known) formats.set(key, (known = new Intl.DateTimeFormat(chat.lang || undefined, options)));
  return known;
}

const clock = (chat: XmppChat, time: number) => format(chat, { hour: "numeric", minute: "2-digit" }).format(time);

function dayName(chat: XmppChat, time: number): string {
  const day = new Date(time).toDateString();
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toDateString();
  if (day === ago(0)) return chat.strings.today;
  if (day === ago(1)) return chat.strings.yesterday;
  return format(chat, { day: "numeric", month: "long", weekday: "long" }).format(time);
}

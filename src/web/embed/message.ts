/** One message: who, when, what, what others made of it, and what can be done to it. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Entry } from "../client/timeline.ts";
import type { Files } from "../embed-files/embed-files.ts";
import type { XmppChat } from "./chat.ts";
import { clock, dayName } from "./dates.ts";
import { hueStyle } from "./hue.ts";
import { iconButton, icons } from "./icons.ts";
import { fill } from "./strings.ts";
import { isBig, mentionOf, type Rich, rich } from "./text.ts";

type Part = TemplateResult | typeof nothing;

/** Messages of one sender within this time stand together under one name. */
const TOGETHER = 5 * 60_000;

/** `place` counts from the end: the last message has 1. */
export function message(chat: XmppChat, entry: Entry, before: Entry | undefined, place: number): TemplateResult {
  const { strings, language } = chat;
  const { own, nick, time, to, state, sender } = entry;
  const newDay = new Date(time).toDateString() !== (before && new Date(before.time).toDateString());
  const fresh = !own && chat.attention.lastSeen === (before?.key ?? "");
  const head = newDay || fresh || before?.sender !== sender || before.to !== to || time - before.time > TOGETHER;
  const open = chat.menu?.key === entry.key ? chat.menu.kind : undefined;
  const mention = mentionOf(chat.live!.room.nick);
  const classes = [own && "own", head && "head", open && "on", !own && mention?.test(entry.body) && "hit", state];
  return html`${newDay ? html`<p class="rule"><span>${dayName(language, time)}</span></p>` : nothing}${
    fresh ? html`<p class="rule fresh">${strings.fresh}</p>` : nothing
  }<div .style=${hueStyle(nick)} class="m ${classes.filter(Boolean).join(" ")}" part="message ${own ? "own" : ""}" tabindex=${place > 1 ? -1 : 0}>
      ${head && !own ? html`<span class="face" aria-hidden="true">${[...nick][0]}</span>` : nothing}
      <div class=${head ? "who" : "vh"}><bdi class="nick" part="nick">${nick}</bdi>
        <time datetime=${new Date(time).toISOString()}>${clock(language, time)}</time>${
          to === undefined ? nothing : html`<span class="meta">${own ? fill(strings.only, to) : strings.onlyYou}</span>`
        }</div>
      <div class="cell">${quote(chat, entry)}${bubble(chat, entry, mention)}${
        state === "failed"
          ? html`<p class="fail">${strings.notSent}: ${entry.error} <button @click=${() => chat.live?.room.retry(entry)}>${strings.again}</button></p>`
          : nothing
      }${reactions(chat, entry)}</div>
      ${entry.removed || state !== "sent" || chat.readonly ? nothing : tools(chat, entry, open, place < 4)}
    </div>`;
}

function bubble(chat: XmppChat, entry: Entry, mention: RegExp | undefined): TemplateResult {
  const { strings } = chat;
  const { removed, body, edited, to } = entry;
  if (removed) {
    return html`<p class="b gone">${removed.by ? strings.removedBy : strings.removed}${removed.reason ? `: ${removed.reason}` : ""}</p>`;
  }
  const content = body.startsWith("/me ")
    ? html`<em>${entry.nick} ${body.slice(4)}</em>`
    : styled(chat, entry, mention);
  return html`<div class="b ${isBig(body) ? "big" : ""} ${to === undefined ? "" : "just"}" part="body" dir="auto">${content}${
    edited ? html` <span class="meta">(${strings.edited})</span>` : nothing
  }</div>`;
}

interface Parsed {
  body: string;
  mention: RegExp | undefined;
  files: Files | undefined;
  result: Rich | Node;
}
const parsed = new WeakMap<Entry, Parsed>();

/** Parsed once for each text and nick; that of a file again once there is what shows it. */
function styled(chat: XmppChat, entry: Entry, mention: RegExp | undefined): Rich | Node {
  const { body, nick, own, ref: id } = entry;
  const files = entry.file ? chat.wantFiles() : undefined;
  let known = parsed.get(entry);
  if (known?.body !== body || known.mention !== mention || known.files !== files) {
    const shown = chat.messageRenderer?.({ id, nick, body, own, time: new Date(entry.time) });
    known = { body, mention, files, result: shown ?? files?.show(chat, body) ?? rich(body, mention) };
    parsed.set(entry, known);
  }
  return known.result;
}

function quote(chat: XmppChat, { reply }: Entry): Part {
  if (!reply) return nothing;
  const { timeline } = chat.live!.room;
  const original = timeline.find(reply.ref);
  const show = () => {
    const target = chat.root.querySelectorAll<HTMLElement>(".m")[timeline.entries.indexOf(original!)];
    target?.scrollIntoView({ block: "center" });
    target?.focus();
  };
  return html`<button class="quote" dir="auto" ?disabled=${!original} @click=${show}>${
    original ? html`<b><bdi>${original.nick}</bdi></b> ${original.removed ? chat.strings.removed : original.body}` : "…"
  }</button>`;
}

function reactions(chat: XmppChat, entry: Entry): Part {
  const { room } = chat.live!;
  const own = room.senderOf(room.nick);
  const one = ([emoji, who]: [string, Set<string>]) =>
    html`<button aria-pressed=${who.has(own)} ?disabled=${chat.readonly} @click=${() => room.react(entry, emoji)}>${emoji} ${who.size}</button>`;
  return entry.reactions.size && !entry.removed
    ? html`<div class="reacts">${[...entry.reactions].map(one)}</div>`
    : nothing;
}

function tools(chat: XmppChat, entry: Entry, open: string | undefined, low: boolean): TemplateResult {
  const { strings } = chat;
  const toggle = (kind: "react" | "actions") => async () => {
    await chat.need("tools");
    chat.menu = open === kind ? undefined : { key: entry.key, kind };
    await chat.update();
    chat.root.querySelector<HTMLElement>(".m .menu button")?.focus();
  };
  const later = chat.tools;
  const list = open === "react" ? later?.reactions(chat, entry) : open && later?.actions(chat, entry);
  return html`<div class="tools">${
    entry.ref && entry.to === undefined
      ? [
          iconButton(strings.react, icons.react, toggle("react"), open === "react", -1),
          iconButton(strings.reply, icons.reply, () => chat.begin({ reply: entry }), nothing, -1),
        ]
      : nothing
  }${iconButton(strings.actions, icons.more, toggle("actions"), open === "actions", -1)}${
    list ? later?.menu(chat, list, `${open === "react" ? "row" : ""} ${low ? "up" : ""}`) : nothing
  }</div>`;
}

/** Beside the conversation: who is there and what can be done to them, the room's settings, and questions before what cannot be undone. */
import { html, nothing, type TemplateResult } from "lit";
import type { Field } from "../client/form.ts";
import { setAffiliation, setRole } from "../client/moderation.ts";
import type { Occupant } from "../client/muc.ts";
import { configure, settings } from "../client/room-config.ts";
import type { XmppChat } from "./chat.ts";
import { setText } from "./composer.ts";
import { icons } from "./icons.ts";
import { type Action, menu } from "./log.ts";
import type { Strings } from "./strings.ts";
import { hueOf } from "./text.ts";

const RANKS = ["owner", "admin", "member", "none", "outcast"];

export function side(chat: XmppChat): TemplateResult {
  const { strings, panel } = chat;
  const close = () => {
    chat.panel = "";
    chat.requestUpdate();
  };
  const title = panel === "people" ? strings.people : strings.settings;
  return html`<aside class="side" part=${panel === "people" ? "people" : nothing} aria-label=${title}>
    <div>${title}<button class="icon" aria-label=${strings.close} @click=${close}>${icons.close}</button></div>
    ${panel === "people" ? people(chat) : form(chat)}</aside>`;
}

function people(chat: XmppChat): TemplateResult {
  const { strings, live } = chat;
  const room = live?.room;
  const rank = ({ affiliation, role }: Occupant) => RANKS.indexOf(affiliation) * 2 - Number(role === "moderator");
  const list = [...(room?.occupants.values() ?? [])].sort((a, b) => rank(a) - rank(b) || a.nick.localeCompare(b.nick));
  return html`<ul>${list.map((occupant) => {
    const { nick, affiliation, role } = occupant;
    const title =
      role === "visitor"
        ? "visitor"
        : affiliation === "owner" || affiliation === "admin"
          ? affiliation
          : role === "moderator"
            ? role
            : undefined;
    const key = `person ${nick}`;
    const open = chat.menu?.key === key;
    const toggle = () => {
      chat.menu = open ? undefined : { key, kind: "actions" };
      chat.requestUpdate();
    };
    const self = nick === room?.nick;
    return html`<li class="h${hueOf(nick)}">
      <button class="person" aria-expanded=${self ? nothing : open} ?disabled=${self || chat.readonly} @click=${toggle}>
        <span class="face" aria-hidden="true">${[...nick][0]}</span><bdi class="nick">${nick}</bdi>
        ${title ? html`<span class="meta">${strings[title as keyof Strings]}</span>` : nothing}</button>
      ${open ? menu(chat, occupantActions(chat, occupant), "") : nothing}</li>`;
  })}</ul>`;
}

/** What may be done to somebody, by our role and affiliation (XEP-0045 §5). */
export function occupantActions(chat: XmppChat, occupant: Occupant): Action[] {
  const { strings } = chat;
  const { client, room } = chat.live!;
  const { nick, role, affiliation, jid } = occupant;
  const self = room.self;
  const close = () => {
    chat.panel = "";
    chat.focusComposer();
  };
  const list: Action[] = [
    [
      strings.mention,
      () => {
        close();
        return mention(chat, nick);
      },
    ],
    [
      strings.private,
      () => {
        close();
        chat.to = nick;
        chat.reply = chat.editing = undefined;
        chat.requestUpdate();
      },
    ],
  ];
  const above = RANKS.indexOf(self?.affiliation ?? "none") < RANKS.indexOf(affiliation);
  if (self?.role === "moderator" && (role !== "moderator" || above)) {
    const silent = role === "visitor";
    const voice = () => setRole(client, room, nick, silent ? "participant" : "visitor");
    list.push([silent ? strings.unmute : strings.mute, voice, !silent]);
    list.push([
      strings.kick,
      () => chat.ask(`${strings.kick}: ${nick}`, (reason) => setRole(client, room, nick, "none", reason)),
      true,
    ]);
  }
  if (above && jid && RANKS.indexOf(self?.affiliation ?? "none") < 2) {
    list.push([
      strings.ban,
      () => chat.ask(`${strings.ban}: ${nick}`, (reason) => setAffiliation(client, room, { jid }, "outcast", reason)),
      true,
    ]);
  }
  return list;
}

function mention(chat: XmppChat, nick: string): void {
  const text = chat.renderRoot.querySelector("textarea")?.value ?? "";
  setText(chat, `${text}${text && !text.endsWith(" ") ? " " : ""}@${nick} `);
}

function form(chat: XmppChat): TemplateResult {
  const { strings } = chat;
  const { client, room } = chat.live!;
  if (!chat.fields) {
    chat.fields = [];
    void chat.attempt(
      settings(client, room).then((fields) => {
        chat.fields = fields;
        chat.requestUpdate();
      }),
    );
  }
  const save = (event: Event) => {
    event.preventDefault();
    const done = configure(client, room, chat.fields!).then(() => {
      chat.panel = "";
      chat.requestUpdate();
    });
    void chat.attempt(done);
  };
  return html`<form class="fields" @submit=${save}>${chat.fields.map((field) => input(field))}
    <button class="main">${strings.save}</button></form>`;
}

function input(field: Field): TemplateResult | typeof nothing {
  const { type, label, values, options } = field;
  const set = (values: string[]) => {
    field.values = values;
  };
  const read = (event: Event) => (event.target as HTMLInputElement).value;
  if (type === "hidden" || type === "fixed") return nothing;
  if (type === "boolean") {
    const checked = /^(1|true)$/.test(values[0] ?? "");
    const change = (event: Event) => set([(event.target as HTMLInputElement).checked ? "1" : "0"]);
    return html`<label class="check"><input type="checkbox" ?checked=${checked} @change=${change} />${label}</label>`;
  }
  if (type.startsWith("list")) {
    const change = (event: Event) =>
      set([...(event.target as HTMLSelectElement).selectedOptions].map(({ value }) => value));
    return html`<label>${label}<select ?multiple=${type === "list-multi"} @change=${change}>${options.map(
      ({ label: name, value }) =>
        html`<option value=${value} ?selected=${values.includes(value)}>${name || value}</option>`,
    )}</select></label>`;
  }
  if (type.endsWith("multi")) {
    const change = (event: Event) => set(read(event).split("\n").filter(Boolean));
    return html`<label>${label}<textarea rows="3" @input=${change}>${values.join("\n")}</textarea></label>`;
  }
  const kind = type === "text-private" ? "password" : "text";
  return html`<label>${label}<input type=${kind} autocomplete="off" .value=${values[0] ?? ""} @input=${(event: Event) => set([read(event)])} /></label>`;
}

/** A question over everything, with a line to answer on. */
export function confirmation(chat: XmppChat): TemplateResult | typeof nothing {
  const { question, strings } = chat;
  if (!question) return nothing;
  const done = (event: Event) => {
    event.preventDefault();
    const dialog = (event.currentTarget as HTMLElement).closest("dialog")!;
    const answer = dialog.querySelector("input")!.value.trim();
    const { submitter } = event as SubmitEvent;
    chat.question = undefined;
    dialog.close();
    chat.requestUpdate();
    if (event.type === "submit" && submitter?.className !== "plain") void chat.attempt(question.run(answer));
  };
  return html`<dialog aria-label=${question.text} @cancel=${done}><form @submit=${done}>
    <p dir="auto">${question.text}</p>
    <label><span class=${question.label ? "vh" : ""}>${question.label ?? strings.reason}</span><input maxlength="200" autocomplete="off" dir="auto" .value=${question.value ?? ""} /></label>
    <div><button class="plain" formnovalidate>${strings.cancel}</button><button class="main ${question.label ? "" : "bad"}">${question.action}</button></div>
  </form></dialog>`;
}

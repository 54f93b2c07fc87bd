/** Who is in the room, the ranking ones first. */
import type { TemplateResult } from "lit/html.js";
import type { Occupant } from "../client/occupants.ts";
import type { XmppChat } from "../embed/chat.ts";
import { hueStyle } from "../embed/hue.ts";
import type { Lit } from "../embed/lazily.ts";
import { occupantActions, RANKS } from "./actions.ts";
import { menu } from "./menu.ts";

const rank = ({ affiliation, role }: Occupant) => RANKS.indexOf(affiliation) * 2 - Number(role === "moderator");

function titleOf({ affiliation, role }: Occupant): "owner" | "admin" | "moderator" | "visitor" | undefined {
  if (role === "visitor") return role;
  if (affiliation === "owner" || affiliation === "admin") return affiliation;
  return role === "moderator" ? role : undefined;
}

export const people = ({ html, nothing }: Lit) => {
  const show = menu({ html, nothing });
  return (chat: XmppChat): TemplateResult => {
    const { strings, live } = chat;
    const occupants = [...(live?.room.occupants.values() ?? [])];
    occupants.sort((a, b) => rank(a) - rank(b) || a.nick.localeCompare(b.nick));
    return html`<ul>${occupants.map((occupant) => {
      const { nick } = occupant;
      const title = titleOf(occupant);
      const key = `person ${nick}`;
      const open = chat.menu?.key === key;
      const self = nick === live?.room.nick;
      const toggle = () => {
        chat.menu = open ? undefined : { key, kind: "actions" };
        void chat.update();
      };
      return html`<li .style=${hueStyle(nick)}>
        <button class="person" aria-expanded=${self ? nothing : open} ?disabled=${self || chat.readonly} @click=${toggle}>
          <span class="face" aria-hidden="true">${[...nick][0]}</span><bdi class="nick">${nick}</bdi>
          ${title ? html`<span class="meta">${strings[title]}</span>` : nothing}</button>
        ${open ? show(chat, occupantActions(chat, occupant), "") : nothing}</li>`;
    })}</ul>`;
  };
};

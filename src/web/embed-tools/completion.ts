/** Names that complete what is written after an @. */
import type { TemplateResult } from "lit/html.js";
import type { XmppChat } from "../embed/chat.ts";
import type { Lit } from "../embed/lazily.ts";

export interface Completion {
  names: string[];
  /** Where the name begins in the text, and where the caret is. */
  from: number;
  until: number;
  chosen: number;
}

const MOST = 8;

export function completionOf(chat: XmppChat): Completion | undefined {
  const until = chat.root.querySelector("textarea")!.selectionStart;
  const start = /(?:^|\s)@(\S{0,30})$/.exec(chat.text.slice(0, until))?.[1];
  const room = chat.live?.room;
  if (start === undefined || !room) return undefined;
  const fits = (nick: string) => nick !== room.nick && nick.toLowerCase().startsWith(start.toLowerCase());
  const names = [...room.occupants.keys()].filter(fits).slice(0, MOST);
  return names.length ? { names, from: until - start.length, until, chosen: 0 } : undefined;
}

export function complete(chat: XmppChat, { names, from, until, chosen }: Completion): void {
  const field = chat.root.querySelector("textarea")!;
  field.setRangeText(`${names[chosen]} `, from, until, "end");
  field.focus();
}

export const suggestions =
  ({ html }: Lit) =>
  (chat: XmppChat, completion: Completion, done: () => void): TemplateResult =>
    html`<ul class="list" id="names" role="listbox" aria-label=${chat.strings.people}>${completion.names.map(
      (name, i) => {
        const choose = (event: Event) => {
          event.preventDefault();
          completion.chosen = i;
          done();
        };
        return html`<li id="n${i}" role="option" aria-selected=${i === completion.chosen} @pointerdown=${choose}><bdi>${name}</bdi></li>`;
      },
    )}</ul>`;

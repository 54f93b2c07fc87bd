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

const completions = new WeakMap<XmppChat, Completion>();

export const completionOf = (chat: XmppChat): Completion | undefined => completions.get(chat);

/** The text has changed: is the beginning of a name before the caret? */
export function complete(chat: XmppChat): void {
  const until = chat.root.querySelector("textarea")!.selectionStart;
  const start = /(?:^|\s)@(\S{0,30})$/.exec(chat.text.slice(0, until))?.[1];
  const room = chat.live?.room;
  completions.delete(chat);
  if (start === undefined || !room) return;
  const fits = (nick: string) => nick !== room.nick && nick.toLowerCase().startsWith(start.toLowerCase());
  const names = [...room.occupants.keys()].filter(fits).slice(0, MOST);
  if (names.length) completions.set(chat, { names, from: until - start.length, until, chosen: 0 });
}

/** Whether a key was for the list of names. */
export function steer(chat: XmppChat, key: string): boolean {
  const completion = completions.get(chat);
  if (!completion || !/^(Arrow(Up|Down)|Enter|Tab|Escape)$/.test(key)) return false;
  const { names, chosen } = completion;
  if (key.startsWith("Arrow"))
    completion.chosen = (chosen + (key === "ArrowUp" ? -1 : 1) + names.length) % names.length;
  else if (key === "Escape") completions.delete(chat);
  else take(chat, completion);
  void chat.update();
  return true;
}

function take(chat: XmppChat, { names, from, until, chosen }: Completion): void {
  const field = chat.root.querySelector("textarea")!;
  field.setRangeText(`${names[chosen]} `, from, until, "end");
  field.focus();
  completions.delete(chat);
}

export const suggestions =
  ({ html }: Lit) =>
  (chat: XmppChat, completion: Completion): TemplateResult =>
    html`<ul class="list" id="names" role="listbox" aria-label=${chat.strings.people}>${completion.names.map(
      (name, i) => {
        const choose = (event: Event) => {
          event.preventDefault();
          take(chat, { ...completion, chosen: i });
          void chat.update();
        };
        return html`<li id="n${i}" role="option" aria-selected=${i === completion.chosen} @pointerdown=${choose}><bdi>${name}</bdi></li>`;
      },
    )}</ul>`;

/** A question over everything, with a line to answer on. */
import type { TemplateResult } from "lit/html.js";
import type { XmppChat } from "../embed/chat.ts";
import type { Lit } from "../embed/lazily.ts";

/** Without a label it is about something grave, and asks for a reason. */
export interface Question {
  text: string;
  action: string;
  label?: string;
  value?: string;
  run: (answer: string) => unknown;
}

export const question =
  ({ html }: Lit) =>
  (chat: XmppChat, { text, action, label, value = "", run }: Question): TemplateResult => {
    const { strings } = chat;
    const done = (event: Event) => {
      event.preventDefault();
      const dialog = (event.currentTarget as HTMLElement).closest("dialog")!;
      const answer = dialog.querySelector("input")!.value.trim();
      chat.question = undefined;
      dialog.close();
      void chat.update();
      if ((event as SubmitEvent).submitter?.matches(".main")) void chat.attempt(run(answer));
    };
    return html`<dialog aria-label=${text} @cancel=${done}><form @submit=${done}>
      <p dir="auto">${text}</p>
      <label><span class=${label ? "vh" : ""}>${label ?? strings.reason}</span>
        <input maxlength="200" autocomplete="off" dir="auto" .value=${value} /></label>
      <div><button class="plain">${strings.cancel}</button><button class="main ${label ? "" : "bad"}">${action}</button></div>
    </form></dialog>`;
  };

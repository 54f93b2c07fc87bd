/** The room's settings, as whatever form its service sends (XEP-0045 §10.2, XEP-0004). */
import type { TemplateResult } from "lit/html.js";
import type { Field } from "../client/form.ts";
import { configure, settings as fetchSettings } from "../client/room-config.ts";
import type { XmppChat } from "../embed/chat.ts";
import type { Lit } from "../embed/lazily.ts";

const value = (event: Event) => (event.target as HTMLInputElement).value;

export const settings = ({ html, nothing }: Lit) => {
  const forms = new WeakMap<XmppChat, Field[]>();

  function input(field: Field): TemplateResult | typeof nothing {
    const { type, label, values, options } = field;
    const set = (chosen: string[]) => {
      field.values = chosen;
    };
    if (type === "hidden" || type === "fixed") return nothing;
    if (type === "boolean") {
      const change = (event: Event) => set([(event.target as HTMLInputElement).checked ? "1" : "0"]);
      const checked = /^(1|true)$/.test(values[0] ?? "");
      return html`<label class="check"><input type="checkbox" ?checked=${checked} @change=${change} />${label}</label>`;
    }
    if (type.startsWith("list")) {
      const change = (event: Event) =>
        set([...(event.target as HTMLSelectElement).selectedOptions].map((option) => option.value));
      return html`<label>${label}<select ?multiple=${type === "list-multi"} @change=${change}>${options.map(
        (option) =>
          html`<option value=${option.value} ?selected=${values.includes(option.value)}>${option.label || option.value}</option>`,
      )}</select></label>`;
    }
    if (type.endsWith("multi")) {
      const change = (event: Event) => set(value(event).split("\n").filter(Boolean));
      return html`<label>${label}<textarea rows="3" .value=${values.join("\n")} @change=${change}></textarea></label>`;
    }
    const kind = type === "text-private" ? "password" : "text";
    const change = (event: Event) => set([value(event)]);
    return html`<label>${label}<input type=${kind} autocomplete="off" .value=${values[0] ?? ""} @change=${change} /></label>`;
  }

  return (chat: XmppChat): TemplateResult => {
    const { client, room } = chat.live!;
    const fields = forms.get(chat);
    const close = () => {
      forms.delete(chat);
      chat.panel = "";
      void chat.update();
    };
    if (!fields) {
      forms.set(chat, []);
      const load = async () => {
        forms.set(chat, await fetchSettings(client, room));
        void chat.update();
      };
      void chat.attempt(
        load().catch((error) => {
          close();
          throw error;
        }),
      );
    }
    const save = (event: Event) => {
      event.preventDefault();
      void chat.attempt(configure(client, room, fields ?? []).then(close));
    };
    return html`<form class="fields" @submit=${save}>${fields?.map(input)}<button class="main">${chat.strings.save}</button></form>`;
  };
};

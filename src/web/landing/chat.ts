/** One account's conversations: whom it talks to, what was said, and a line to write on. */
import { MAM, page } from "../client/archive.ts";
import type { Client } from "../client/client.ts";
import { Contacts, type Said } from "../client/contacts.ts";
import { writeForm } from "../client/form.ts";
import { h } from "./dom.ts";

interface Line {
  id: string;
  own: boolean;
  body: string;
  time: number;
  sent: boolean;
}
interface Conversation {
  lines: Line[];
  unread: number;
  typing: boolean;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

export class Chat {
  readonly element: HTMLElement;
  /** Called when something was said by us. */
  onsaid = () => {};
  #client: Client;
  #contacts: Contacts;
  #conversations = new Map<string, Conversation>();
  #with = "";
  #expected = new Set<string>();
  #composing = false;
  #people = h("div", { class: "people", role: "group", "aria-label": "Conversations" });
  #list = h("ol");
  #log = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": "Messages" }, this.#list);
  #hint = h("p", { class: "hint" });
  #input = h("input", {
    class: "line",
    autocomplete: "off",
    enterkeyhint: "send",
    maxlength: "4000",
    input: () => this.#typing(!!this.#input.value),
  });
  #send = h("button", { class: "send", "aria-label": "Send" }, "Send");

  constructor(client: Client) {
    this.#client = client;
    this.#contacts = new Contacts(
      client,
      () => this.#render(),
      (said) => this.#heard(said),
      (jid) => this.#expected.has(jid),
    );
    client.on("acked", ({ attrs }) => {
      const line = [...this.#conversations.values()].flatMap(({ lines }) => lines).find(({ id }) => id === attrs.id);
      if (line) line.sent = true;
      this.#render();
    });
    client.on("online", () => this.#render());
    client.on("offline", () => this.#render());
    const form = h("form", { class: "composer", submit: (event) => this.#submit(event) }, this.#input, this.#send);
    this.element = h("div", { class: "chat" }, this.#people, this.#log, this.#hint, form);
  }

  /** Opens a conversation with somebody who may see our presence, and whose presence we want to see. */
  async meet(jid: string): Promise<void> {
    this.#expected.add(jid);
    this.#open(jid);
    this.#contacts.add(jid);
    const { lines } = this.#at(jid);
    const filter = writeForm([
      { name: "FORM_TYPE", values: [MAM] },
      { name: "with", values: [jid] },
    ]);
    const { items } = await page(this.#client, undefined, { filter, before: "", max: 30 }).catch(() => ({
      items: [],
    }));
    const known = new Set(lines.map(({ id }) => id));
    const older = items.flatMap(({ message, time }): Line[] => {
      const { id = "", from = "" } = message.attrs;
      const body = message.text("body");
      return body && !known.has(id) ? [{ id, own: from.startsWith(this.#client.bare), body, time, sent: true }] : [];
    });
    lines.unshift(...older);
    this.#render();
  }

  focus(): void {
    this.#input.focus({ preventScroll: true });
  }

  #at(jid: string): Conversation {
    let conversation = this.#conversations.get(jid);
    if (!conversation) this.#conversations.set(jid, (conversation = { lines: [], unread: 0, typing: false }));
    return conversation;
  }

  #open(jid: string): void {
    this.#at(jid).unread = 0;
    this.#with = jid;
    this.#render();
  }

  #submit(event: Event): void {
    event.preventDefault();
    const body = this.#input.value.trim();
    if (!body || !this.#with) return;
    this.#composing = false;
    const id = this.#contacts.say(this.#with, body);
    this.#at(this.#with).lines.push({ id, own: true, body, time: Date.now(), sent: false });
    this.#input.value = "";
    this.#render();
    this.onsaid();
  }

  #typing(is: boolean): void {
    if (is === this.#composing || !this.#with) return;
    this.#composing = is;
    this.#contacts.typing(this.#with, is);
  }

  #heard({ with: other, own, id, body, time, typing }: Said): void {
    const conversation = this.#at(other);
    conversation.typing = typing && !own;
    if (body) {
      conversation.lines.push({ id, own, body, time, sent: true });
      if (other !== this.#with) conversation.unread++;
    }
    if (!this.#with && body) this.#open(other);
    else this.#render();
  }

  #render(): void {
    const { lines, typing } = this.#conversations.get(this.#with) ?? { lines: [], typing: false };
    const others = [...this.#conversations].filter(([, { lines: said }], i) => i === 0 || said.length);
    this.#people.hidden = others.length < 2;
    this.#people.replaceChildren(
      ...others.map(([jid, { unread }]) => {
        const count = unread ? [h("b", { "aria-label": `${unread} new` }, `${unread}`)] : [];
        return h(
          "button",
          { "aria-pressed": `${jid === this.#with}`, click: () => this.#open(jid) },
          nameOf(jid),
          ...count,
        );
      }),
    );
    const stuck = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    // Only what is new is added, so that a screen reader reads it once.
    const keys = lines.map(({ id, time, own }) => `${this.#with}${id}${time}${own}`);
    const old = new Map([...this.#list.children].map((child) => [(child as HTMLElement).dataset.key, child]));
    for (const [key, child] of old) if (!keys.includes(key!)) child.remove();
    lines.forEach((line, i) => {
      const item = (old.get(keys[i]!) as HTMLElement | undefined) ?? bubble(line, keys[i]!);
      item.classList.toggle("sent", line.sent);
      if (this.#list.children[i] !== item) this.#list.insertBefore(item, this.#list.children[i] ?? null);
    });
    if (stuck) this.#log.scrollTop = this.#log.scrollHeight;

    const name = nameOf(this.#with);
    const there = this.#contacts.roster.get(this.#with)?.resources.size;
    this.#hint.textContent = typing
      ? `${name} is typing…`
      : !this.#with
        ? ""
        : there
          ? `${name} is online`
          : `${name} is not online yet`;
    this.#hint.classList.toggle("typing", typing);
    this.#input.disabled = this.#send.disabled = !this.#with;
    this.#input.placeholder = this.#with ? `Write to ${name}` : "Waiting for the other side…";
    this.#input.setAttribute("aria-label", this.#input.placeholder);
    this.#input.dir = "auto";
  }
}

function bubble({ own, body, time }: Line, key: string): HTMLElement {
  const stamp = h("time", { datetime: new Date(time).toISOString() }, clock.format(time));
  return h("li", { class: own ? "own" : "other", "data-key": key }, h("p", { dir: "auto" }, body), stamp);
}

const nameOf = (jid: string): string => jid.split("@")[0]!;

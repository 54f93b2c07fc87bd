/** Files on their way up: the button, what is pasted or dropped, how far they have come, and what went wrong. */
import type { TemplateResult } from "lit/html.js";
import type { Client } from "../client/client.ts";
import type { Entry } from "../client/timeline.ts";
import type { XmppChat } from "../embed/chat.ts";
import type { Lit } from "../embed/lazily.ts";
import { fill } from "../embed/strings.ts";
import { askSlot, findService, putFile, type Service } from "./service.ts";

interface Sending {
  file: File;
  service: Service;
  client: Client;
  /** Who is to have it: all, or one nick. */
  to: string;
  reply: Entry | undefined;
  /** From 0 to 1. */
  come: number;
  error: string;
  cancel: AbortController;
}

/** In the order they were chosen, which is the order they are sent in. */
const queues = new WeakMap<XmppChat, readonly Sending[]>();
const queueOf = (chat: XmppChat) => queues.get(chat) ?? [];
const busy = new WeakSet<XmppChat>();

/** Undefined while it is not known, null when there is none. */
const services = new WeakMap<Client, Service | null>();
const asked = new WeakSet<Client>();

function serviceOf(chat: XmppChat): Service | undefined {
  const { client } = chat.live!;
  if (client.online && !asked.has(client)) {
    asked.add(client);
    void findService(client).then((service = undefined) => {
      // Answers that were lost with the connection say nothing.
      if (service || client.online) services.set(client, service ?? null);
      else asked.delete(client);
      listen(chat);
      void chat.update();
    });
  }
  return services.get(client) ?? undefined;
}

function choose(chat: XmppChat, files: Iterable<File>): void {
  const service = serviceOf(chat);
  if (!service) return;
  const { to, reply, strings, language } = chat;
  const { client } = chat.live!;
  const megabytes = new Intl.NumberFormat(language, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
  const fresh = [...files].map((file): Sending => {
    const error = file.size > service.most ? fill(strings.tooLarge, megabytes.format(service.most / 1e6)) : "";
    return { file, service, client, to, reply, come: 0, error, cancel: new AbortController() };
  });
  queues.set(chat, [...queueOf(chat), ...fresh]);
  void work(chat);
}

/** One after another. */
async function work(chat: XmppChat): Promise<void> {
  void chat.update();
  if (busy.has(chat)) return;
  busy.add(chat);
  for (let next = first(chat); next; next = first(chat)) await send(chat, next);
  busy.delete(chat);
}

const first = (chat: XmppChat) => queueOf(chat).find(({ error }) => !error);

async function send(chat: XmppChat, sending: Sending): Promise<void> {
  const { file, service, client, to, reply, cancel } = sending;
  const { strings } = chat;
  chat.tell(fill(strings.uploading, file.name));
  try {
    const slot = await askSlot(client, service, file);
    cancel.signal.throwIfAborted();
    await putFile(slot, file, cancel.signal, (come) => {
      sending.come = come;
      void chat.update();
    });
    drop(chat, sending);
    // The chat may be in another room by now, or somebody else's.
    if (chat.live?.client !== client) return;
    chat.live.room.say(slot.get, { file: true, ...(reply ? { reply } : {}), ...(to ? { to } : {}) });
    chat.tell(fill(strings.uploaded, file.name));
  } catch (error) {
    sending.error = (error as Error).message || String(error);
    chat.tell("");
  }
}

function drop(chat: XmppChat, sending: Sending): void {
  queues.set(
    chat,
    queueOf(chat).filter((each) => each !== sending),
  );
  void chat.update();
}

/** Files that are dropped on the chat, or pasted where one writes; as long as there is a button for them. */
function listen(chat: XmppChat): void {
  const { root } = chat;
  if (listening.has(chat)) return;
  listening.add(chat);
  const open = () => root.querySelector(".attach:enabled");
  root.addEventListener("paste", (event) => {
    const { clipboardData, target } = event as ClipboardEvent;
    // Text that is copied often comes with a picture of itself.
    if (!open() || !clipboardData?.files.length || clipboardData.getData("text/plain")) return;
    if (!(target as Element).closest(".write")) return;
    event.preventDefault();
    choose(chat, clipboardData.files);
  });
  root.addEventListener("dragover", (event) => {
    if (open() && (event as DragEvent).dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  root.addEventListener("drop", (event) => {
    const files = (event as DragEvent).dataTransfer?.files;
    if (!open() || !files?.length) return;
    event.preventDefault();
    choose(chat, files);
  });
}

const listening = new WeakSet<XmppChat>();

/** Beside the line; there is none where the server takes no files of this user. */
export const button =
  ({ html }: Lit) =>
  (chat: XmppChat, wait: boolean): TemplateResult | undefined => {
    if (!serviceOf(chat)) return undefined;
    const input = () => chat.root.querySelector<HTMLInputElement>(".write input")!;
    const chosen = () => {
      choose(chat, [...(input().files ?? [])]);
      input().value = "";
    };
    return html`<input type="file" multiple hidden @change=${chosen} />
      <button type="button" class="icon attach" part="attach" aria-label=${chat.strings.attach} ?disabled=${wait} @click=${() => input().click()}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 5 5l-8.5 8.4a1.7 1.7 0 0 1-2.4-2.4L15 7.5"></path></svg>
      </button>`;
  };

/** What is going up, and what did not get there. */
export const progress =
  ({ html }: Lit) =>
  (chat: XmppChat): TemplateResult | undefined => {
    const { strings } = chat;
    const bar = (sending: Sending) => {
      const { file, service, come, error, cancel } = sending;
      const remove = () => {
        cancel.abort();
        drop(chat, sending);
        chat.root.querySelector("textarea")?.focus();
      };
      const again = () => {
        Object.assign(sending, { error: "", come: 0 });
        void work(chat);
      };
      return html`<div class="bar up">${
        error
          ? html`<div role="alert"><b dir="auto">${file.name}</b><p>${strings.notSent}: ${error}</p></div>${
              file.size > service.most ? "" : html`<button @click=${again}>${strings.again}</button>`
            }`
          : html`<div><b dir="auto">${file.name}</b><progress value=${come} aria-label=${fill(strings.uploading, file.name)}></progress></div>`
      }<button class="icon" aria-label="${strings.cancel}: ${file.name}" @click=${remove}>✕</button></div>`;
    };
    const queue = queueOf(chat);
    return queue.length ? html`<div class="ups">${queue.map(bar)}</div>` : undefined;
  };

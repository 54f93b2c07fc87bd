/** `<xmpp-chat>`: a room in a page. What it is told (attributes), what it tells (events), and when it is alive. */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import type { Field } from "../client/form.ts";
import type { RoomEvent } from "../client/muc.ts";
import type { Entry } from "../client/timeline.ts";
import { composer } from "./composer.ts";
import { icons } from "./icons.ts";
import { Keeping } from "./keeping.ts";
import { goLive, type Live, type Login } from "./live.ts";
import { log } from "./log.ts";
import { confirmation, side } from "./panels.ts";
import { ENGLISH, fill, RIGHT_TO_LEFT, type Strings } from "./strings.ts";
import { styles } from "./styles.ts";

/** A question with a line to answer on: without a label it asks for a reason to do something grave. */
export interface Question {
  text: string;
  action: string;
  label?: string;
  value?: string;
  run: (answer: string) => unknown;
}

const NOTICE_TIME = 7_000;
const NEAR = 60;

/** Conditions of a refused or ended stay, in words. */
const ENDINGS: Record<string, keyof Strings> = {
  forbidden: "banned",
  301: "banned",
  307: "kicked",
  "registration-required": "members",
  321: "members",
  322: "members",
  "service-unavailable": "full",
  "item-not-found": "closed",
  gone: "closed",
};

export class XmppChat extends LitElement {
  static override styles = styles;
  static override properties = {
    src: {},
    room: {},
    nick: {},
    domain: {},
    lang: {},
    theme: { reflect: true },
    mode: { reflect: true },
    tokenUrl: { attribute: "token-url" },
    readonly: { type: Boolean },
    maxHistory: { attribute: "max-history", type: Number },
    open: { type: Boolean, reflect: true },
  };
  declare src: string;
  declare room: string;
  declare nick: string;
  declare domain: string;
  declare theme: "auto" | "light" | "dark";
  declare mode: "inline" | "bubble" | "page";
  declare tokenUrl: string;
  declare readonly: boolean;
  declare maxHistory: number;
  declare open: boolean;
  /** Gives a token, or what `token-url` would answer; asked again at every login. */
  declare getToken: (() => Promise<Login>) | undefined;

  live: Live | undefined;
  strings: Strings = ENGLISH;
  /** Why we are not in the room, when that will not change by itself. */
  ending: { text: string; button: string; act: () => void } | undefined;
  offline = false;
  /** The message whose actions are shown, and which. */
  menu: { key: string; kind: "react" | "actions" } | undefined;
  reply: Entry | undefined;
  editing: Entry | undefined;
  /** Nick of the one who alone is to read what is written. */
  to = "";
  panel: "" | "people" | "settings" = "";
  fields: Field[] | undefined;
  question: Question | undefined;
  notice = "";
  announcement = "";
  unread = 0;
  mentions = 0;
  /** The last message that had been seen, when newer ones came. */
  lastSeen: string | undefined;
  /** No message may be sent before this time (slow mode). */
  pause = 0;
  loaded = false;
  #keeping: Keeping | undefined;
  #started = false;
  #stuck = true;
  #grown = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard: string[] = [];
  #speak: ReturnType<typeof setTimeout> | undefined;
  #title = "";
  #observer: IntersectionObserver | undefined;

  constructor() {
    super();
    this.src = this.room = this.nick = this.domain = this.tokenUrl = "";
    this.theme = "auto";
    this.mode = "inline";
    this.maxHistory = 50;
    this.readonly = this.open = false;
    this.getToken = undefined;
  }

  get shown(): boolean {
    return this.mode !== "bubble" || this.open;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("pagehide", this.#leave);
    document.addEventListener("visibilitychange", this.#look);
    // A chat nobody has scrolled to costs nothing; a bubble has to know what is new.
    this.#observer = new IntersectionObserver(
      (entries) => entries.some((each) => each.isIntersecting) && this.connect(),
    );
    if (this.mode === "bubble") setTimeout(() => this.connect());
    else this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("pagehide", this.#leave);
    document.removeEventListener("visibilitychange", this.#look);
    this.#observer?.disconnect();
    // An element that is only moved is connected again at once.
    setTimeout(() => this.isConnected || this.disconnect());
  }

  /** Enters the room: happens by itself when the element is first seen. */
  async connect(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    this.#observer?.disconnect();
    this.ending = undefined;
    this.requestUpdate();
    try {
      await this.#speakTheirLanguage();
      this.#keeping = new Keeping(this.src, this.room);
      if (this.mode === "bubble") this.open ||= this.#keeping.wasOpen;
      const getLogin = this.getToken ?? (this.tokenUrl ? () => fetchLogin(this.tokenUrl) : undefined);
      const { src, room, nick, domain, maxHistory: pageSize } = this;
      this.live = await goLive(
        { src: src || location.origin, room: room || "lobby", nick, domain, pageSize, getLogin },
        this.#keeping,
        (event) => this.#happened(event),
      );
      if (!this.isConnected) this.disconnect();
      this.live?.client.on("offline", ({ error, retry }) => this.#lost(error, retry));
    } catch (error) {
      this.#end(this.strings.refused, this.strings.again, error as Error);
    }
  }

  /** Leaves the room for good. */
  disconnect(): void {
    this.live?.leave();
    this.live = undefined;
    this.#started = false;
    this.#count(0);
  }

  send(text: string): void {
    this.live?.room.say(text);
  }

  openPanel(): void {
    this.open = true;
  }

  emit(type: string, detail: object = {}): void {
    this.dispatchEvent(new CustomEvent(`chat-${type}`, { detail, bubbles: true, composed: true }));
  }

  /** Shows something for a while, where screen readers hear it too. */
  tell(notice: string): void {
    this.notice = notice;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.tell(""), NOTICE_TIME);
    this.requestUpdate();
  }

  /** Does something that a server may refuse, and says so when it does. */
  async attempt(action: unknown): Promise<void> {
    try {
      await action;
    } catch (error) {
      this.tell(fill(this.strings.failed, (error as Error).message));
    }
  }

  /** Asks before something grave is done. */
  ask(action: string, run: (reason: string) => unknown): void {
    this.question = { text: `${action}?`, action: action.split(":")[0]!, run };
    this.requestUpdate();
  }

  focusComposer(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector("textarea")?.focus());
  }

  #leave = () => {
    const { live } = this;
    if (!live) return;
    this.#keeping?.setLeft({ ...live.suspend(), open: this.open });
    // Back from the browser's cache: the session is where it was left.
    addEventListener(
      "pageshow",
      () => {
        this.disconnect();
        void this.connect();
      },
      { once: true },
    );
  };

  async #speakTheirLanguage(): Promise<void> {
    const lang = this.lang || document.documentElement.lang || navigator.language;
    if (lang.startsWith("en")) return;
    const { languages } = (await import(new URL("./embed-strings.js", import.meta.url).href)) as {
      languages: Record<string, Strings>;
    };
    this.strings = languages[lang.split("-")[0]!] ?? ENGLISH;
  }

  #happened(event: RoomEvent): void {
    const { strings } = this;
    if (event.kind === "message") this.#heardMessage(event.entry);
    else if (event.kind === "out") this.#endStay(event.status, event.reason);
    else if (event.kind === "nick") this.tell(fill(strings.renamed, event.from, event.occupant.nick));
    else if (event.kind === "kick" || event.kind === "ban")
      this.tell(fill(strings[`${event.kind === "ban" ? "banned" : "kicked"}Now`], event.occupant.nick));
    else if (event.kind === "role" && this.live?.room.joined) {
      const { role, nick } = event.occupant;
      if (role === "visitor") this.tell(fill(strings.mutedNow, nick));
      else if (role === "participant") this.tell(fill(strings.unmutedNow, nick));
    } else if (event.kind === "changed") this.#changed();
    else this.emit(event.kind, { nick: "occupant" in event ? event.occupant.nick : "" });
  }

  #changed(): void {
    const room = this.live?.room;
    if (!room) return;
    if (room.joined) {
      this.offline = false;
      this.ending = undefined;
      if (!this.loaded && !room.history.held) this.#load();
      if (room.nick && this.live?.guest) this.#keeping?.setGuest(this.live.client.options.keep!, room.nick);
    }
    this.requestUpdate();
  }

  /** The first page is there: what of it has not been seen yet? */
  #load(): void {
    this.loaded = true;
    const { entries } = this.live!.room.timeline;
    const seen = this.#keeping?.seen;
    const last = entries.findIndex(({ ref }) => ref === seen);
    const fresh = entries.slice(last + 1).filter(({ own }) => !own);
    if (seen && fresh.length) {
      this.lastSeen = entries[last]?.key ?? "";
      if (!this.shown) this.#count(fresh.length);
    }
    this.emit("ready", { nick: this.live!.room.nick });
    this.emit("state", { state: "online" });
    this.#look();
  }

  #heardMessage(entry: Entry): void {
    const { nick, body, own } = entry;
    this.emit("message", { id: entry.ref, nick, body, own, private: entry.to !== undefined });
    if (own) {
      this.lastSeen = undefined;
      const { room } = this.live!;
      if (room.slow && room.self?.role !== "moderator") this.#slowDown(room.slow);
    } else {
      if (!this.#looking) {
        if (!this.unread) this.lastSeen = this.live!.room.timeline.entries.at(-2)?.key ?? "";
        if (this.#mentioned(body)) this.mentions++;
        this.#count(this.unread + 1);
      }
      this.#announce(`${nick}: ${body}`);
    }
    this.#look();
  }

  #mentioned(body: string): boolean {
    return body.toLowerCase().includes(this.live!.room.nick.toLowerCase());
  }

  /** New messages are read out once, and counted when they come too fast to follow. */
  #announce(text: string): void {
    this.#heard.push(text);
    this.#speak ??= setTimeout(() => {
      this.#speak = undefined;
      const heard = this.#heard.splice(0);
      this.announcement = heard.length > 3 ? fill(this.strings.unread, heard.length) : heard.join("\n");
      this.requestUpdate();
    }, 1_000);
  }

  #slowDown(seconds: number): void {
    this.pause = Date.now() + seconds * 1_000;
    const tick = () => {
      this.requestUpdate();
      if (Date.now() < this.pause) setTimeout(tick, 250);
    };
    tick();
  }

  get #looking(): boolean {
    return this.shown && this.#stuck && document.visibilityState === "visible";
  }

  /** What is on the screen has been seen. */
  #look = () => {
    if (!this.#looking || !this.live) return;
    const ref = this.live.room.timeline.entries.findLast((entry) => entry.ref)?.ref;
    if (ref && this.#keeping) this.#keeping.seen = ref;
    this.mentions = 0;
    if (this.unread) this.#count(0);
  };

  #count(unread: number): void {
    if (unread === this.unread) return;
    if (!this.unread) this.#title = document.title;
    this.unread = unread;
    document.title = unread ? `(${unread}) ${this.#title}` : this.#title;
    this.emit("unread", { count: unread, mentions: this.mentions });
    this.requestUpdate();
  }

  #lost(error: Error | undefined, retry: number | undefined): void {
    this.offline = true;
    if (retry === undefined && error) {
      const taken = "condition" in error && error.condition === "conflict";
      this.#end(
        taken ? this.strings.elsewhere : this.strings.refused,
        taken ? this.strings.useHere : this.strings.again,
        error,
      );
    } else this.emit("state", { state: "offline" });
    this.requestUpdate();
  }

  #endStay(status: string, reason: string | undefined): void {
    const text = this.strings[ENDINGS[status] ?? "kicked"];
    this.#end(reason && /^3/.test(status) ? `${text} (${reason})` : text, this.strings.rejoin, new Error(status));
  }

  #end(text: string, button: string, error: Error): void {
    this.emit("error", { error });
    this.emit("state", { state: "ended" });
    const act = () => {
      this.disconnect();
      this.loaded = false;
      void this.connect();
    };
    this.ending = { text, button, act };
    this.requestUpdate();
  }

  scrolled = (event: Event) => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget as HTMLElement;
    const stuck = scrollHeight - scrollTop - clientHeight < NEAR;
    if (stuck !== this.#stuck) {
      this.#stuck = stuck;
      this.requestUpdate();
    }
    this.#look();
    if (scrollTop < 200) void this.live?.room.history.older().catch(() => {});
  };

  get stuck(): boolean {
    return this.#stuck;
  }

  toLatest = () => {
    this.#stuck = true;
    const box = this.#log;
    if (box) box.scrollTop = box.scrollHeight;
    this.#look();
  };

  get #log(): HTMLElement | null {
    return this.renderRoot.querySelector(".log");
  }

  override willUpdate(): void {
    const box = this.#log;
    // What is put in front must not move what is being read.
    this.#grown = box ? box.scrollHeight - box.scrollTop : 0;
  }

  override updated(): void {
    const box = this.#log;
    if (!box) return;
    const { entries } = this.live?.room.timeline ?? { entries: [] };
    if (this.#stuck) box.scrollTop = box.scrollHeight;
    else if (this.#first !== entries[0]?.key) box.scrollTop = box.scrollHeight - this.#grown;
    this.#first = entries[0]?.key;
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }
  #first: string | undefined;

  override render(): TemplateResult {
    if (this.mode !== "bubble") return this.#window();
    const { strings } = this;
    const label = this.unread ? fill(strings.unread, this.unread) : strings.open;
    return html`<div class="float" dir=${this.#dir}>
      ${this.open ? this.#window() : nothing}
      <button class="launch" aria-expanded=${this.open} aria-label=${this.open ? strings.close : label} @click=${this.#toggle}>
        ${this.open ? icons.close : icons.chat}${this.unread ? html`<span class="badge">${this.unread}</span>` : nothing}
      </button>
    </div>`;
  }

  #toggle = () => {
    this.open = !this.open;
    this.#stuck = true;
    if (this.open) this.focusComposer();
    void this.updateComplete.then(this.#look);
  };

  get #dir(): string | typeof nothing {
    const lang = this.lang || document.documentElement.lang;
    return RIGHT_TO_LEFT.test(lang) ? "rtl" : (nothing as never);
  }

  #window(): TemplateResult {
    const { strings, live } = this;
    const room = live?.room;
    const people = room ? Math.max(room.occupants.size, room.count) : 0;
    const owner = room?.self?.affiliation === "owner";
    const toggle = (panel: "people" | "settings") => () => {
      this.panel = this.panel === panel ? "" : panel;
      this.fields = undefined;
      this.requestUpdate();
    };
    return html`<section class="panel" dir=${this.#dir} lang=${this.lang || nothing} aria-label=${room?.name || this.room} @keydown=${this.#escape}>
      <header part="header">
        <div class="title"><h2 dir="auto">${room?.name || this.room}</h2>
          ${room?.subject ? html`<p class="sub" dir="auto" title=${room.subject}>${room.subject}</p>` : nothing}</div>
        <slot name="header"></slot>
        ${owner ? html`<button class="icon" aria-label=${strings.settings} aria-expanded=${this.panel === "settings"} @click=${toggle("settings")}>${icons.settings}</button>` : nothing}
        <button class="icon count" aria-label="${strings.people}: ${fill(strings.here, people)}" aria-expanded=${this.panel === "people"} @click=${toggle("people")}>${icons.people}${people || nothing}</button>
        ${this.mode === "bubble" ? html`<button class="icon" aria-label=${strings.close} @click=${this.#toggle}>${icons.close}</button>` : nothing}
      </header>
      <div class="middle">${log(this)}${this.panel ? side(this) : nothing}</div>
      <footer part="composer">${composer(this)}<slot name="footer"></slot></footer>
      <div class="vh" role="status">${this.announcement}</div>
      ${confirmation(this)}
    </section>`;
  }

  #escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (this.menu) this.menu = undefined;
    else if (this.panel) this.panel = "";
    else if (this.reply || this.editing || this.to) {
      this.reply = this.editing = undefined;
      this.to = "";
    } else if (this.mode === "bubble") return this.#toggle();
    else return;
    event.preventDefault();
    this.requestUpdate();
  };
}

async function fetchLogin(url: string): Promise<Login> {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/** `<xmpp-chat>`: a room in a page. What it is told (attributes), what it tells (events), and when it is alive. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { RoomEvent } from "../client/occupants.ts";
import type { Entry } from "../client/timeline.ts";
import type { Files } from "../embed-files/embed-files.ts";
import type { Tools } from "../embed-tools/embed-tools.ts";
import type { Question } from "../embed-tools/question.ts";
import { Attention } from "./attention.ts";
import { composer } from "./composer.ts";
import { Element, reflect } from "./element.ts";
import { frame } from "./frame.ts";
import { Keeping } from "./keeping.ts";
import { lazily, lit } from "./lazily.ts";
import { goLive, type Live, type Login } from "./live.ts";
import { arrange, log } from "./log.ts";
import { Scrolling } from "./scrolling.ts";
import { ENGLISH, fill, type Strings } from "./strings.ts";
import { styles } from "./styles.ts";
import { mentionOf } from "./text.ts";

const NOTICE_TIME = 7_000;

const ATTRIBUTES = {
  src: "text",
  room: "text",
  nick: "text",
  domain: "text",
  theme: "text",
  mode: "text",
  lang: "text",
  "token-url": "text",
  "max-history": "text",
  readonly: "flag",
  upload: "flag",
  open: "flag",
} as const;

interface Part {
  styles: string;
  strings: Partial<Strings>;
}

/** A message, as the page is told of it. */
export interface Shown {
  id: string | undefined;
  nick: string;
  body: string;
  own: boolean;
  time: Date;
}

export class XmppChat extends Element {
  static observedAttributes = Object.keys(ATTRIBUTES);
  declare src: string;
  declare room: string;
  declare nick: string;
  declare domain: string;
  declare theme: "" | "auto" | "light" | "dark";
  declare mode: "" | "inline" | "bubble" | "page";
  declare tokenUrl: string;
  declare maxHistory: string;
  declare readonly: boolean;
  declare upload: boolean;
  declare open: boolean;
  /** Gives a token, or what `token-url` would answer; asked again at every login. */
  declare getToken: (() => Promise<Login>) | undefined;
  /** Shows a message's text in a way of the page's own; undefined = as usual. */
  declare messageRenderer: ((message: Shown) => Node | string | undefined) | undefined;

  live: Live | undefined;
  #strings = ENGLISH;
  #own: Partial<Strings> = {};
  tools: Tools | undefined;
  files: Files | undefined;
  #filesWanted: Promise<void> | undefined;
  /** Why we are not in the room, when that will not change by itself. */
  ending: { text: string; button: string } | undefined;
  offline = false;
  /** The first page of history is there. */
  loaded = false;
  /** Whose actions are shown: a message's or a person's. */
  menu: { key: string; kind: "react" | "actions" } | undefined;
  panel: "" | "people" | "settings" = "";
  question: Question | undefined;
  notice = "";
  reply: Entry | undefined;
  editing: Entry | undefined;
  /** Nick of the one who alone is to read what is written. */
  to = "";
  /** Nothing may be sent before this time (slow mode). */
  pause = 0;
  readonly attention = new Attention(() => {
    const { unread, mentions } = this.attention;
    this.emit("unread", { count: unread, mentions });
    void this.update();
  });
  readonly scrolling = new Scrolling(() => this.root.querySelector<HTMLElement>(".log"));
  #keeping: Keeping | undefined;
  /** The attempt that is under way, or has succeeded. */
  #started: object | undefined;
  #observer: IntersectionObserver | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super(styles);
  }

  connectedCallback(): void {
    void this.update();
    addEventListener("pagehide", this.#leave);
    document.addEventListener("visibilitychange", this.look);
    // A chat nobody has scrolled to costs nothing; a bubble has to know what is new.
    this.#observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && this.connect());
    if (this.mode === "bubble") setTimeout(() => this.connect());
    else this.#observer.observe(this);
  }

  disconnectedCallback(): void {
    removeEventListener("pagehide", this.#leave);
    document.removeEventListener("visibilitychange", this.look);
    this.#observer?.disconnect();
    // An element that is only moved is connected again at once.
    setTimeout(() => this.isConnected || this.disconnect());
  }

  /** Enters the room: happens by itself when the element is first seen. */
  async connect(): Promise<void> {
    if (this.#started) return;
    const attempt = {};
    this.#started = attempt;
    this.#observer?.disconnect();
    this.ending = undefined;
    void this.update();
    try {
      const { src, room, nick, domain, tokenUrl, maxHistory } = this;
      const language = this.language.split("-")[0]!;
      const said = language === "en" ? ENGLISH : (await lazily("strings")).languages[language];
      this.#strings = { ...this.#strings, ...said, ...this.#own };
      const keeping = new Keeping(src, room);
      this.#keeping = keeping;
      if (keeping.wasOpen) this.open = true;
      const setting = {
        src: new URL(src, location.href).href,
        room: room || "lobby",
        nick,
        domain,
        pageSize: Number(maxHistory) || 50,
        getLogin: this.getToken,
        tokenUrl,
      };
      const live = await goLive(setting, keeping, (event) => this.#happened(event));
      if (this.#started !== attempt) return live.leave();
      this.live = live;
      live.client.on("offline", ({ error, retry }) => this.#lost(error, retry));
    } catch (error) {
      this.end(`${this.strings.refused} ${(error as Error).message}`, error);
    }
  }

  /** Leaves the room for good. */
  disconnect(): void {
    this.live?.leave();
    this.live = undefined;
    this.#started = undefined;
    this.loaded = false;
    this.attention.clear();
  }

  override attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    super.attributeChangedCallback(name, before, now);
    // Another room, or as somebody else: from the beginning.
    if (this.#started && before !== now && /^(src|room|domain|token-url)$/.test(name)) this.again();
  }

  /** What it says. A page may set some of it, to have it said otherwise. */
  get strings(): Strings {
    return this.#strings;
  }

  set strings(some: Partial<Strings>) {
    Object.assign(this.#own, some);
    this.#strings = { ...this.#strings, ...some };
    void this.update();
  }

  send(text: string): void {
    this.live?.room.say(text);
  }

  openPanel(): void {
    this.open = true;
  }

  get language(): string {
    return this.lang || document.documentElement.lang || navigator.language;
  }

  emit(type: string, detail: object = {}): void {
    this.dispatchEvent(new CustomEvent(`chat-${type}`, { detail, bubbles: true, composed: true }));
  }

  /** Shows something for a while, where screen readers hear it too. */
  tell(notice: string): void {
    this.notice = notice;
    clearTimeout(this.#timer);
    if (notice) this.#timer = setTimeout(() => this.tell(""), NOTICE_TIME);
    void this.update();
  }

  /** Does something that a server may refuse, and says so when it does. */
  async attempt(action: unknown): Promise<void> {
    try {
      await action;
    } catch (error) {
      this.tell(fill(this.strings.failed, (error as Error).message));
    }
  }

  /** What is behind a click is loaded at the first one. */
  async need<K extends "tools" | "files">(name: K): Promise<NonNullable<XmppChat[K]>> {
    const part: Part = this[name] ?? (await lazily(name)).part(lit);
    if (!this[name]) {
      this.adopt(part.styles);
      this.#strings = { ...part.strings, ...this.#strings };
      Object.assign(this, { [name]: part });
    }
    return this[name]!;
  }

  /** What sends files and shows them, as soon as it has come: asked for by who has one. */
  wantFiles(): Files | undefined {
    this.#filesWanted ??= this.attempt(this.need("files").then(() => this.update()));
    return this.files;
  }

  /** Asks before something grave is done. */
  async ask(question: Question): Promise<void> {
    await this.need("tools");
    this.question = question;
    void this.update();
  }

  /** Puts a message of ours back on the line. */
  edit(entry: Entry): void {
    this.begin({ editing: entry });
    this.text = entry.body;
  }

  /** What is written next is an answer, a change, or for one person only. */
  begin(what: { reply?: Entry; editing?: Entry; to?: string }): void {
    Object.assign(this, { reply: undefined, editing: undefined, to: "", panel: "" }, what);
    void this.update().then(() => this.root.querySelector("textarea")?.focus());
  }

  get text(): string {
    return this.root.querySelector("textarea")?.value ?? "";
  }

  set text(text: string) {
    const field = this.root.querySelector("textarea");
    if (field) field.value = text;
  }

  /** What is on the screen has been seen. */
  look = (): void => {
    const ref = this.#looking && this.live?.room.timeline.entries.findLast((entry) => entry.ref)?.ref;
    if (!ref || !this.#keeping) return;
    this.#keeping.seen = ref;
    this.attention.clear();
  };

  get #looking(): boolean {
    return (this.mode !== "bubble" || this.open) && this.scrolling.atEnd && document.visibilityState === "visible";
  }

  /** The page is left: what a reload, or a way back, needs is put down. */
  #leave = (): void => {
    if (!this.live) return;
    this.#keeping?.setLeft({ ...this.live.suspend(), open: this.open });
    const back = () => {
      this.disconnect();
      void this.connect();
    };
    addEventListener("pageshow", back, { once: true });
  };

  #happened(event: RoomEvent): void {
    const { kind } = event;
    if (kind === "changed") this.#changed();
    else if (kind === "message") this.#heard(event.entry);
    else if (kind === "out") this.#report(event);
    else if (this.live?.room.joined) {
      if (kind === "join" || kind === "leave") this.emit(kind, { nick: event.occupant.nick });
      else this.#report(event);
    }
  }

  #report(event: RoomEvent): void {
    void this.attempt(this.need("tools").then((tools) => tools.news(this, event)));
  }

  #changed(): void {
    const { live } = this;
    if (live?.room.joined) {
      this.offline = false;
      if (!this.loaded && !live.room.history.held) this.#load(live);
      if (live.guest && live.client.options.keep) this.#keeping?.setGuest(live.client.options.keep, live.room.nick);
    }
    void this.update();
  }

  /** The first page is there: what of it has not been seen yet? */
  #load({ room }: Live): void {
    this.loaded = true;
    const { entries } = room.timeline;
    const seen = this.#keeping?.seen;
    const last = entries.findIndex(({ ref }) => ref === seen);
    const fresh = entries.slice(last + 1).filter(({ own }) => !own).length;
    if (seen && fresh) this.attention.miss(fresh, entries[last]?.key);
    this.emit("ready", { nick: room.nick });
    this.emit("state", { state: "online" });
    void this.update().then(this.look);
  }

  #heard(entry: Entry): void {
    const { room } = this.live!;
    const { ref, nick, body, own, to } = entry;
    this.emit("message", { id: ref, nick, body, own, private: to !== undefined });
    const before = room.timeline.entries.findLast((each) => each !== entry);
    this.attention.hear(entry, !!mentionOf(room.nick)?.test(body), before, this.#looking, this.strings);
    if (own && room.slow && room.self?.role !== "moderator") this.#slowDown(room.slow);
    void this.update().then(this.look);
  }

  #slowDown(seconds: number): void {
    this.pause = Date.now() + seconds * 1_000;
    const tick = setInterval(() => {
      if (Date.now() > this.pause) clearInterval(tick);
      void this.update();
    }, 500);
  }

  #lost(error: Error | undefined, retry: number | undefined): void {
    this.offline = true;
    if (retry !== undefined) this.emit("state", { state: "offline" });
    else if (error) {
      const elsewhere = "condition" in error && error.condition === "conflict";
      this.end(elsewhere ? this.strings.elsewhere : this.strings.refused, error);
    }
    void this.update();
  }

  /** We are not in the room, and that will not change by itself. */
  end(text: string, error: unknown): void {
    this.ending = { text, button: this.strings.again };
    this.emit("error", { error });
    this.emit("state", { state: "ended" });
    void this.update();
  }

  /** After an ending: all over again. */
  again = (): void => {
    this.disconnect();
    void this.connect();
  };

  willRender(): void {
    this.scrolling.willRender();
  }

  rendered(): void {
    arrange(this);
    this.scrolling.rendered(this.live?.room.timeline.entries[0]?.key);
    const dialog = this.root.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  render(): TemplateResult {
    const { question, tools } = this;
    return frame(
      this,
      html`${log(this)}`,
      html`${composer(this)}`,
      question && tools ? tools.question(this, question) : nothing,
    );
  }
}

reflect(XmppChat, ATTRIBUTES);

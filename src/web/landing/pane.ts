/** One side of the stage: an account is made or entered, then it chats. */
import { Client, type Session } from "../client/client.ts";
import { followPage } from "../client/csi.ts";
import { type Keep, LoginError } from "../client/negotiate.ts";
import { register } from "../client/register.ts";
import { withPassword } from "../client/scram.ts";
import { StanzaError } from "../client/stanza-error.ts";
import { Chat } from "./chat.ts";
import { h } from "./dom.ts";
import { type Facts, websocketUrl } from "./facts.ts";
import { suggestName, suggestPassword } from "./suggestions.ts";

/** What a reload of the page needs; in the tab's own storage, and only while no page is using it. */
interface Stored {
  keep: Keep;
  session: Session | undefined;
}

const REFUSALS: Record<string, string> = {
  conflict: "That name is taken. Try another one.",
  "not-allowed": "This server does not let people register.",
  "service-unavailable": "This server does not let people register.",
  "feature-not-implemented": "This server does not let people register.",
  "not-acceptable": "That name or password cannot be used.",
  "jid-malformed": "That name has a character that addresses cannot have.",
  "resource-constraint": "Too many new accounts for the moment. Try again a little later.",
  "policy-violation": "Too many attempts. Try again a little later.",
  "not-authorized": "Wrong name or password.",
  "account-disabled": "This account is disabled.",
};

export class Pane {
  readonly element: HTMLElement;
  jid = "";
  /** Called once it is logged in, and whenever that changes. */
  onchange = () => {};
  onsaid = () => {};
  chat: Chat | undefined;
  #facts: Facts;
  #label: string;
  #store: string;
  #client: Client | undefined;
  #title = h("h2", {}, "");
  #state = h("p", { class: "state", role: "status" });
  #avatar = h("span", { class: "avatar", "aria-hidden": "true" });
  #menu = h("details", { class: "menu" });
  #body = h("div", { class: "body" });
  #name: HTMLInputElement;
  #password: HTMLInputElement;
  #error = h("p", { class: "error", role: "alert" });

  constructor(facts: Facts, side: "left" | "right", label: string) {
    this.#facts = facts;
    this.#store = `enjamb:${side}`;
    const field = { autocapitalize: "none", spellcheck: "false", required: true, maxlength: "200" };
    this.#name = h("input", { ...field, id: `${side}-name`, name: "username", autocomplete: "off" });
    this.#password = h("input", { ...field, id: `${side}-password`, name: "password", autocomplete: "off" });
    const head = h("header", {}, this.#avatar, h("div", {}, this.#title, this.#state), this.#menu);
    this.element = h("section", { class: `pane ${side}`, "aria-label": label }, head, this.#body);
    if (facts.registration === "open") this.#suggest();
    this.#label = label;
    this.#showForm();
    addEventListener("pagehide", () => this.#leave());
  }

  /** Takes up what a reload interrupted. */
  restore(): void {
    const stored = sessionStorage.getItem(this.#store);
    sessionStorage.removeItem(this.#store);
    if (!stored) return;
    const { keep, session } = JSON.parse(stored) as Stored;
    const username = keep.jid?.split("@")[0];
    if (!username || !keep.token) return;
    this.#name.value = username;
    this.#password.value = "";
    void this.#login({ keep, session }).catch((error) => this.#fail(error));
  }

  async enter(create: boolean): Promise<void> {
    this.#error.textContent = "";
    this.element.classList.add("busy");
    try {
      const [name, password] = [this.#name.value.trim(), this.#password.value];
      if (create) await register(websocketUrl(this.#facts), this.#facts.domain, name, password);
      await this.#login();
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.element.classList.remove("busy");
    }
  }

  #login({ keep = { agent: crypto.randomUUID() }, session }: Partial<Stored> = {}): Promise<void> {
    const client = new Client({
      address: websocketUrl(this.#facts),
      domain: this.#facts.domain,
      credentials: withPassword(this.#name.value.trim(), this.#password.value),
      software: "enjamb-landing",
      keep,
      session,
    });
    const chat = new Chat(client);
    const stop = followPage(client);
    return new Promise((resolve, reject) => {
      client.on("online", () => {
        this.#client = client;
        this.jid = client.bare;
        chat.onsaid = () => this.onsaid();
        if (this.chat !== chat) {
          this.chat = chat;
          this.#title.textContent = this.jid;
          this.#avatar.textContent = this.jid[0]!.toUpperCase();
          this.#body.replaceChildren(chat.element);
          this.#showMenu();
        }
        this.#show("online");
        this.onchange();
        resolve();
      });
      client.on("offline", ({ error, retry }) => {
        if (retry !== undefined && this.chat) this.#show("reconnecting…");
        else if (error) {
          client.disconnect();
          stop();
          reject(error);
          if (this.chat) this.#show("disconnected");
        }
      });
      client.connect();
    });
  }

  #show(state: string): void {
    this.#state.textContent = state;
    this.element.classList.toggle("online", state === "online");
  }

  #showMenu(): void {
    const entry = (label: string, act: () => void) => {
      const click = () => {
        this.#menu.open = false;
        act();
      };
      return h("li", {}, h("button", { type: "button", click }, label));
    };
    const copy = (text: string) => () => void navigator.clipboard.writeText(text);
    const password = this.#password.value;
    this.#menu.replaceChildren(
      h("summary", { "aria-label": `Account ${this.jid}` }, "•••"),
      h(
        "ul",
        {},
        entry("Copy address", copy(this.jid)),
        ...(password ? [entry("Copy password", copy(password))] : []),
        entry("Log out", () => this.#logOut()),
      ),
    );
  }

  #logOut(): void {
    this.#client?.disconnect();
    this.#client = this.chat = undefined;
    this.jid = "";
    this.#menu.replaceChildren();
    this.#showForm();
    this.onchange();
  }

  #fail(error: Error): void {
    const condition = error instanceof LoginError || error instanceof StanzaError ? error.condition : "";
    this.#error.textContent = REFUSALS[condition] ?? "The server did not answer. Is it still running?";
    this.#name.focus();
  }

  #leave(): void {
    const keep = this.#client?.options.keep;
    if (!this.#client || !keep) return;
    sessionStorage.setItem(this.#store, JSON.stringify({ keep, session: this.#client.suspend() } satisfies Stored));
  }

  #suggest(): void {
    this.#name.value = suggestName();
    this.#password.value = suggestPassword();
  }

  #showForm(): void {
    const open = this.#facts.registration === "open";
    this.#title.textContent = this.#label;
    this.#show("not logged in");
    this.#avatar.textContent = this.#label.slice(-1);
    const row = (name: string, input: HTMLInputElement, beside: Node | "", after: Node | "") =>
      h(
        "div",
        { class: "field" },
        h("div", {}, h("label", { for: input.id }, name), beside),
        h("div", { class: "with" }, input, after),
      );
    const domain = h("span", { class: "domain" }, `@${this.#facts.domain}`);
    const again = h("button", { type: "button", class: "quiet", click: () => this.#suggest() }, "Suggest another");
    const login = h("button", { type: "button", class: "secondary", click: () => void this.enter(false) }, "Log in");
    const create = h("button", { class: "primary" }, open ? "Create account" : "Log in");
    const submit = (event: Event) => {
      event.preventDefault();
      void this.enter(open);
    };
    if (!open) this.#password.type = "password";
    this.#body.replaceChildren(
      h(
        "form",
        { class: "account", submit },
        row("Name", this.#name, open ? again : "", domain),
        row("Password", this.#password, "", ""),
        this.#error,
        h("div", { class: "actions" }, create, ...(open ? [login] : [])),
      ),
    );
  }
}

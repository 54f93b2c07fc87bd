/** What a custom element needs around lit-html, in a sixth of LitElement's size: attributes as properties, one render a turn. */
import { render, type TemplateResult } from "lit/html.js";

export type Attributes = Record<string, "text" | "flag">;

/** Makes each attribute a property of the class: `token-url` is `tokenUrl`. */
export function reflect(target: typeof Element, attributes: Attributes): void {
  for (const [name, kind] of Object.entries(attributes)) {
    const property = name.replace(/-./g, (match) => match[1]!.toUpperCase());
    Object.defineProperty(target.prototype, property, {
      get(this: Element) {
        return kind === "flag" ? this.hasAttribute(name) : (this.getAttribute(name) ?? "");
      },
      set(this: Element, value: string | boolean) {
        if (kind === "flag") this.toggleAttribute(name, !!value);
        else this.setAttribute(name, value as string);
      },
    });
  }
}

/** Where there is no DOM the class can still be defined. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

export abstract class Element extends Base {
  readonly root = this.attachShadow({ mode: "open" });
  #due: Promise<void> | undefined;

  constructor(styles: string) {
    super();
    this.adopt(styles);
    // What a page has set before the class was there would hide the class's own properties.
    const { root: _, ...early } = this as Record<string, unknown>;
    for (const name in early) delete (this as Record<string, unknown>)[name];
    queueMicrotask(() => Object.assign(this, early));
  }

  adopt(styles: string): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    this.root.adoptedStyleSheets.push(sheet);
  }

  abstract render(): TemplateResult;
  /** Right before, and right after the DOM changes. */
  abstract willRender(): void;
  abstract rendered(): void;

  /** Renders soon; resolves when it has. */
  update(): Promise<void> {
    this.#due ??= Promise.resolve().then(() => {
      this.#due = undefined;
      if (!this.isConnected) return;
      this.willRender();
      render(this.render(), this.root, { host: this });
      this.rendered();
    });
    return this.#due;
  }

  attributeChangedCallback(_name: string, _before: string | null, _now: string | null): void {
    if (this.isConnected) void this.update();
  }
}

/** Line drawings on a 24 × 24 grid, and buttons that show nothing else. */
import { html, nothing, type TemplateResult } from "lit/html.js";

const icon = (path: string): TemplateResult =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${path}></path></svg>`;

export const icons = {
  people: icon(
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c1-7 12-7 13 0M16 4.6a3.5 3.5 0 0 1 0 6M18 15c2 .8 3.2 2.5 3.5 5",
  ),
  settings: icon("M4 7h9M19 7h1M4 17h1M11 17h9M16 4v6M8 14v6"),
  close: icon("M6 6l12 12M18 6L6 18"),
  send: icon("M5 12h13M12 6l6 6-6 6"),
  react: icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 14.5c2 2 6 2 8 0M9 9.5h0M15 9.5h0"),
  reply: icon("M9 6l-5 5 5 5M4 11h10c4 0 6 2 6 6"),
  more: icon("M5 12h0M12 12h0M19 12h0"),
  chat: icon("M4 12a8 7.5 0 1 1 3.6 6.3L4 19.5l1-3.4A7.2 7.2 0 0 1 4 12Z"),
};

/** `expanded` where it opens something; `tab` where Tab does not stop; `more` beside the drawing. */
export const iconButton = (
  label: string,
  drawing: TemplateResult,
  act: () => void,
  expanded: boolean | typeof nothing = nothing,
  tab: -1 | typeof nothing = nothing,
  more: number | typeof nothing = nothing,
): TemplateResult =>
  html`<button class="icon" aria-label=${label} aria-expanded=${expanded} tabindex=${tab} @click=${act}>${drawing}${more}</button>`;

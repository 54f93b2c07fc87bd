/** Line drawings on a 24 × 24 grid. */
import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";

const icon = (paths: SVGTemplateResult): TemplateResult =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true">${paths}</svg>`;
const path = (d: string) => icon(svg`<path d=${d} />`);

export const icons = {
  people: path(
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.1 1.9 6.5 5.5M16 4.6a3.5 3.5 0 0 1 0 6M18 14.9c2 .8 3.2 2.5 3.5 5.1",
  ),
  settings: path("M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5"),
  close: path("M6 6l12 12M18 6L6 18"),
  send: path("M5 12h13M12.5 6l6 6-6 6"),
  react: path("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14.5c1.9 2 5.1 2 7 0M9 9.5h.01M15 9.5h.01"),
  reply: path("M9.5 6L4 11.5 9.5 17M4.5 11.5H14c3.5 0 6 2 6 6"),
  more: path("M5.5 12h.01M12 12h.01M18.5 12h.01"),
  chat: path("M4 12a8 7.5 0 1 1 3.6 6.3L4 19.5l1-3.4A7.2 7.2 0 0 1 4 12Z"),
};

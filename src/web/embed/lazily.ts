/** What is behind a click, or in another language, lies beside embed.js and is loaded when it is wanted. */
import { html, nothing } from "lit/html.js";
import type * as EmbedFiles from "../embed-files/embed-files.ts";
import type * as EmbedStrings from "../embed-strings/embed-strings.ts";
import type * as EmbedTools from "../embed-tools/embed-tools.ts";

/** Handed to what is loaded later, so that there is one renderer in the page. */
export const lit = { html, nothing };
export type Lit = typeof lit;

interface Later {
  files: typeof EmbedFiles;
  strings: typeof EmbedStrings;
  tools: typeof EmbedTools;
}

export const lazily = <K extends keyof Later>(name: K): Promise<Later[K]> =>
  import(new URL(`./embed-${name}.js`, import.meta.url).href);

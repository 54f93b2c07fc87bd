/**
 * /embed-files.js: how the widget sends files and shows those that are sent. Loaded by embed.js where a page wants files sent, or
 * when there is one to be shown; given its lit-html, so that there is one.
 */
import type { Lit } from "../embed/lazily.ts";
import { show } from "./picture.ts";
import { button, progress } from "./sending.ts";
import { ENGLISH_FILES } from "./strings.ts";
import { styles } from "./styles.ts";

export const part = (lit: Lit) => ({
  styles,
  strings: ENGLISH_FILES,
  show: show(lit),
  button: button(lit),
  progress: progress(lit),
});

export type Files = ReturnType<typeof part>;

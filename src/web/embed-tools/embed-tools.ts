/**
 * /embed-tools.js: the parts of the widget that appear at a click: what can be done to a message or a person, who is there, the
 * room's settings, and questions. Loaded by embed.js when first needed, and given its lit-html, so that there is one.
 */
import type { Lit } from "../embed/lazily.ts";
import { actions, reactions } from "./actions.ts";
import { complete, completionOf, steer, suggestions } from "./completion.ts";
import { menu } from "./menu.ts";
import { news } from "./news.ts";
import { people } from "./people.ts";
import { question } from "./question.ts";
import { rename } from "./rename.ts";
import { settings } from "./settings.ts";
import { ENGLISH_TOOLS } from "./strings.ts";
import { styles } from "./styles.ts";

export { account, fetchLogin } from "./accounts.ts";

export const part = (lit: Lit) => ({
  styles,
  strings: ENGLISH_TOOLS,
  rename,
  news,
  actions,
  reactions,
  menu: menu(lit),
  completionOf,
  complete,
  steer,
  people: people(lit),
  question: question(lit),
  settings: settings(lit),
  suggestions: suggestions(lit),
});

export type Tools = ReturnType<typeof part>;

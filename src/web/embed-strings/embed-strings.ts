/** /embed-strings.js: what the widget says in languages other than English. */
import type { Strings } from "../embed/strings.ts";
import { arabic } from "./ar.ts";
import { german } from "./de.ts";
import { spanish } from "./es.ts";
import { french } from "./fr.ts";
import { chinese } from "./zh.ts";

export const languages: Record<string, Strings> = { ar: arabic, de: german, es: spanish, fr: french, zh: chinese };

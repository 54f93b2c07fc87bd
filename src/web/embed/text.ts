/** XEP-0393: Message Styling, v1.1.1 — https://xmpp.org/extensions/xep-0393.html — and links: text becomes nodes, never markup. */
import { html, type TemplateResult } from "lit/html.js";

export type Rich = string | TemplateResult | Rich[];

/** Longer texts are shown as they are: looking for spans in them would be too slow. */
const LIMIT = 4_000;
/** Quotations in quotations, spans in spans. */
const DEPTH = 8;
const SPAN = /https?:\/\/[^\s<>"]+|(?<=^|\s)([*_~`])(?!\s)(\S|\S[^\n]*?\S)\1/g;

const TAGS: Record<string, (inner: Rich) => TemplateResult> = {
  "*": (inner) => html`<strong>${inner}</strong>`,
  _: (inner) => html`<em>${inner}</em>`,
  "~": (inner) => html`<s>${inner}</s>`,
};

/** Blocks of a message: code between fences, quotations, and lines. */
export function rich(body: string, mention: RegExp | undefined, depth = 0): Rich {
  if (body.length > LIMIT || depth > DEPTH) return body;
  const blocks: Rich[] = [];
  const lines = body.split("\n");
  while (lines.length) {
    const line = lines.shift()!;
    if (line.startsWith("```")) {
      const end = lines.indexOf("```");
      const code = lines.splice(0, end < 0 ? lines.length : end);
      lines.shift();
      blocks.push(html`<pre>${code.join("\n")}</pre>`);
    } else if (line.startsWith(">")) {
      const quoted = [line];
      while (lines[0]?.startsWith(">")) quoted.push(lines.shift()!);
      const inner = quoted.map((each) => each.replace(/^> ?/, "")).join("\n");
      blocks.push(html`<blockquote>${rich(inner, mention, depth + 1)}</blockquote>`);
    } else blocks.push(spans(line, mention, depth), lines.length ? "\n" : "");
  }
  return blocks;
}

function spans(text: string, mention: RegExp | undefined, depth: number): Rich {
  const pieces: Rich[] = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    const [whole, mark, inner = ""] = match;
    pieces.push(marked(text.slice(at, match.index), mention));
    at = match.index + whole.length;
    if (mark === "`") pieces.push(html`<code>${inner}</code>`);
    else if (mark) pieces.push(TAGS[mark]!(depth > DEPTH ? inner : spans(inner, mention, depth + 1)));
    else {
      const address = whole.replace(/[.,;:!?'*_~`]+$|(?<!\([^)]*)\)+$/, "");
      pieces.push(link(address), whole.slice(address.length));
    }
  }
  return [...pieces, marked(text.slice(at), mention)];
}

/** Links open elsewhere and tell nobody where they were found. */
function link(address: string): Rich {
  if (!URL.canParse(address)) return address;
  return html`<a href=${new URL(address).href} target="_blank" rel="noopener noreferrer nofollow ugc">${address}</a>`;
}

function marked(text: string, mention: RegExp | undefined): Rich {
  return mention ? text.split(mention).map((piece, i) => (i % 2 ? html`<mark>${piece}</mark>` : piece)) : text;
}

let last: [nick: string, found: RegExp | undefined] = ["", undefined];

/** Finds a nick in a text as a word of its own, with or without an @. The same nick gives the same object. */
export function mentionOf(nick: string): RegExp | undefined {
  if (nick && nick !== last[0]) {
    const literal = nick.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    last = [nick, new RegExp(`(?<![\\p{L}\\p{N}_])(@?${literal})(?![\\p{L}\\p{N}_])`, "iu")];
  }
  return nick ? last[1] : undefined;
}

/** Nothing but one to three emoji: shown large. */
export const isBig = (body: string): boolean =>
  body.length < 30 && /^(?:\p{Extended_Pictographic}[\p{Emoji_Component}\p{Extended_Pictographic}]*\s*)+$/u.test(body);

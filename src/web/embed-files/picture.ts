/** A file that somebody has sent: its name, or the picture itself. Nothing is loaded from servers that are not ours (security.md E8). */
import type { TemplateResult } from "lit/html.js";
import type { XmppChat } from "../embed/chat.ts";
import type { Lit } from "../embed/lazily.ts";
import { fill } from "../embed/strings.ts";

/** What a picture's name ends in; those that may move are not shown to who does not want that. */
const STILL = /\.(png|jpe?g)$/i;
const MOVING = /\.(gif|webp|avif)$/i;

/** Undefined for a file of another server's: its address is shown like any other. */
export const show =
  ({ html }: Lit) =>
  (chat: XmppChat, address: string): TemplateResult | undefined => {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !chat.live?.files.some((ours) => url.href.startsWith(ours))) return undefined;
    const name = nameOf(url);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const picture = STILL.test(name) || (MOVING.test(name) && !calm);
    // One that is gone, or that the page does not let in, is named.
    const failed = (event: Event) => (event.target as Element).replaceWith(name);
    const label = picture
      ? html`<img src=${url.href} alt=${fill(chat.strings.picture, name)} loading="lazy" referrerpolicy="no-referrer" @error=${failed} />`
      : name;
    return html`<a class="file" href=${url.href} target="_blank" rel="noopener noreferrer nofollow ugc">${label}</a>`;
  };

/** Without what would have it read otherwise than it is. */
function nameOf({ pathname }: URL): string {
  const name = pathname.slice(pathname.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(name).replace(/\p{C}/gu, "");
  } catch {
    return name;
  }
}

/** /embed.js: defines `<xmpp-chat>`. Loaded where there is no DOM, it does nothing. */
import { XmppChat } from "./chat.ts";

if (globalThis.customElements && !customElements.get("xmpp-chat")) customElements.define("xmpp-chat", XmppChat);

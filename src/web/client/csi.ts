/** XEP-0352: Client State Indication, v1.0.1 — https://xmpp.org/extensions/xep-0352.html */
import type { Client } from "./client.ts";
import { xml } from "./element.ts";

/**
 * Tells the server whether anybody is looking, so that it may hold back what can wait, and reconnects at once when the page is
 * shown again or the network is back. Returns a function that stops it.
 */
export function followPage(client: Client): () => void {
  const tell = () => {
    const hidden = document.visibilityState === "hidden";
    if (client.online) client.nonza(xml(hidden ? "inactive" : "active", { xmlns: "urn:xmpp:csi:0" }));
    if (!hidden) client.wake();
  };
  const wake = () => client.wake();
  client.options.hidden = () => document.visibilityState === "hidden";
  // A new session begins active, so only an inactive page has something to say.
  const off = client.on("online", () => document.visibilityState === "hidden" && tell());
  document.addEventListener("visibilitychange", tell);
  addEventListener("online", wake);
  return () => {
    off();
    document.removeEventListener("visibilitychange", tell);
    removeEventListener("online", wake);
  };
}

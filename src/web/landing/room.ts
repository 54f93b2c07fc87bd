/** The public room on the landing page: the widget as any site would have it, and the lines that put it there. */
import { byId, h } from "./dom.ts";
import type { Facts } from "./facts.ts";

export function showRoom({ anonymous, defaultRoom = "lobby" }: Facts): void {
  if (!anonymous) return;
  const chat = document.createElement("xmpp-chat");
  chat.setAttribute("src", location.origin);
  chat.setAttribute("room", defaultRoom);
  byId("embed").textContent = `<script type="module" src="${location.origin}/embed.js"></script>
<xmpp-chat src="${location.origin}" room="${defaultRoom}"></xmpp-chat>`;
  byId("room").hidden = false;
  byId("widget").replaceChildren(h("div", {}, chat));

  const flip = (id: string, act: (on: boolean) => void) => {
    const button = byId(id);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", `${on}`);
      act(on);
    });
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  flip("theme", (on) => {
    if (on) chat.setAttribute("theme", dark.matches ? "light" : "dark");
    else chat.removeAttribute("theme");
  });
  flip("direction", (on) => {
    chat.dir = on ? "rtl" : "";
  });
}

/** `/embed/<room>`: a room that fills its page, for `<iframe>` and for links. `?theme=`, `lang`, `nick`, `readonly` are the element's. */

const PASSED = ["theme", "lang", "nick", "readonly", "max-history"];

const room = decodeURIComponent(location.pathname.split("/").filter(Boolean)[1] ?? "lobby");
const query = new URLSearchParams(location.search);
const chat = document.createElement("xmpp-chat");
chat.setAttribute("src", location.origin);
chat.setAttribute("room", room);
chat.setAttribute("mode", "page");
for (const name of PASSED) {
  const value = query.get(name);
  if (value !== null && !(name === "readonly" && value === "0")) chat.setAttribute(name, value);
}
document.title = room;
document.getElementById("name")!.textContent = room;
document.documentElement.lang = query.get("lang") ?? navigator.language;
document.querySelector("main")!.append(chat);

export {};

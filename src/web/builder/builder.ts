/** `/embed`: choose how a room looks in a page, see it, copy the lines. */

const DEFAULT_ACCENT = "#3d47d9";
const form = document.getElementById("choices") as HTMLFormElement;
const code = (id: string, text: string) => {
  document.getElementById(id)!.textContent = text;
};

interface Choices {
  attributes: Record<string, string>;
  accent: string;
}

function choices(): Choices {
  const { accent = DEFAULT_ACCENT, ...given } = Object.fromEntries(new FormData(form)) as Record<string, string>;
  const attributes: Record<string, string> = { src: location.origin };
  for (const [name, value] of Object.entries(given)) if (value) attributes[name] = value === "on" ? "" : value;
  return { attributes, accent };
}

function snippet({ attributes, accent }: Choices): string {
  const quoted = (value: string) => value.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
  const list = Object.entries(attributes).map(([name, value]) => (value ? `${name}="${quoted(value)}"` : name));
  const style = accent === DEFAULT_ACCENT ? "" : `\n<style>xmpp-chat { --chat-accent: ${accent} }</style>`;
  return `<script type="module" src="${location.origin}/embed.js"></script>\n<xmpp-chat ${list.join(" ")}></xmpp-chat>${style}`;
}

function show({ attributes, accent }: Choices): void {
  const chat = document.createElement("xmpp-chat");
  // The preview has no application behind it, and stays in its place.
  for (const [name, value] of Object.entries(attributes)) if (name !== "token-url") chat.setAttribute(name, value);
  if (attributes.mode === "page") chat.removeAttribute("mode");
  if (accent !== DEFAULT_ACCENT) chat.style.setProperty("--chat-accent", accent);
  chat.dir = attributes.lang === "ar" ? "rtl" : "ltr";
  document.getElementById("preview")!.replaceChildren(chat);
}

let pending: ReturnType<typeof setTimeout> | undefined;
function changed(): void {
  const chosen = choices();
  code("snippet", snippet(chosen));
  (document.getElementById("frame") as HTMLAnchorElement).href =
    `/embed/${encodeURIComponent(chosen.attributes.room ?? "lobby")}`;
  clearTimeout(pending);
  pending = setTimeout(() => show(chosen), 300);
}

async function begin(): Promise<void> {
  const facts = (await (await fetch("/info.json")).json()) as { defaultRoom?: string };
  const room = form.elements.namedItem("room") as HTMLInputElement;
  room.value ||= facts.defaultRoom || "lobby";
  const { host, protocol } = location;
  const socket = `${protocol.replace("http", "ws")}//${host}`;
  code(
    "policy",
    `script-src ${location.origin}\nconnect-src ${location.origin} ${socket}\nimg-src ${location.origin}   (to show pictures that are sent)\ntrusted-types lit-html   (only where you require trusted types)`,
  );
  changed();
}

form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("copy")!.addEventListener("click", async (event) => {
  const button = event.currentTarget as HTMLButtonElement;
  await navigator.clipboard.writeText(snippet(choices()));
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1_500);
});
void begin();

export {};

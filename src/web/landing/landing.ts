/** The page at `/`: the server is up, this is how to reach it, and here are two people to try it with. */
import { byId, h } from "./dom.ts";
import { type Facts, load, websocketUrl } from "./facts.ts";
import { Pane } from "./pane.ts";
import { showRoom } from "./room.ts";

const CHECK_EVERY = 30_000;

const REGISTRATION = {
  open: "Names and passwords below are suggestions; take them or write your own.",
  invite: "Accounts here are made by invitation, so log in with two that you have.",
  closed: "Registration is closed here, so log in with accounts the operator made.",
};

function showStatus(took: number | undefined): void {
  const status = byId("status");
  status.className = took === undefined ? "down" : "up";
  status.textContent = took === undefined ? "Not reachable" : `Up, answers in ${Math.max(1, Math.round(took))} ms`;
}

function addressRow(name: string, value: string): Node[] {
  const button = h(
    "button",
    { class: "copy", "aria-label": `Copy ${name}`, click: () => void copy(button, value) },
    "Copy",
  );
  return [h("dt", {}, name), h("dd", {}, h("code", {}, value), button)];
}

async function copy(button: HTMLButtonElement, value: string): Promise<void> {
  await navigator.clipboard.writeText(value);
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1500);
}

function describe(facts: Facts): void {
  const { domain, guestDomain, roomsDomain, anonymous, siteName } = facts;
  document.title = siteName && siteName !== domain ? `${siteName} · ${domain}` : `${domain} speaks XMPP`;
  byId("domain").textContent = domain;
  byId("registration").textContent = REGISTRATION[facts.registration];
  byId("addresses").replaceChildren(
    ...addressRow("An address here", `you@${domain}`),
    ...addressRow("WebSocket", websocketUrl(facts)),
    ...addressRow("Domain", domain),
    ...addressRow("Rooms", `lobby@${roomsDomain}`),
    ...(anonymous ? addressRow("Guests", guestDomain) : []),
  );
  byId("code").textContent = `import { client } from "@xmpp/client";

const xmpp = client({
  service: "${websocketUrl(facts)}",
  domain: "${domain}",
  username: "you",
  password: "…",
});
xmpp.on("stanza", (stanza) => console.log(stanza.toString()));
await xmpp.start();`;
}

function stage(facts: Facts): void {
  const panes = [new Pane(facts, "left", "Person A"), new Pane(facts, "right", "Person B")] as const;
  const [left, right] = panes;
  const edge = h("div", { class: "edge", "aria-hidden": "true" }, h("i", {}));
  byId("stage").replaceChildren(left.element, edge, right.element);

  const both = byId<HTMLButtonElement>("both");
  both.hidden = facts.registration !== "open";
  both.addEventListener("click", async () => {
    both.disabled = true;
    await Promise.all(panes.filter((pane) => !pane.jid).map((pane) => pane.enter(true)));
    both.disabled = false;
    byId("stage").scrollIntoView({ block: "nearest" });
    left.chat?.focus();
  });

  let met = "";
  const meet = () => {
    both.hidden = facts.registration !== "open" || panes.some((pane) => pane.jid);
    const pair = `${left.jid} ${right.jid}`;
    if (!left.jid || !right.jid || met === pair) return;
    met = pair;
    void left.chat?.meet(right.jid);
    void right.chat?.meet(left.jid);
  };
  // A message crosses the line between the two.
  const cross = (way: string) => () => {
    edge.className = "edge";
    void edge.offsetWidth;
    edge.classList.add(way);
  };
  left.onsaid = cross("rightwards");
  right.onsaid = cross("leftwards");
  for (const pane of panes) {
    pane.onchange = meet;
    pane.restore();
  }
}

async function check(): Promise<Facts | undefined> {
  try {
    const { facts, took } = await load();
    showStatus(took);
    return facts;
  } catch {
    showStatus(undefined);
    return undefined;
  }
}

async function begin(): Promise<void> {
  const facts = await check();
  if (!facts) {
    setTimeout(begin, 3_000);
    return;
  }
  describe(facts);
  stage(facts);
  showRoom(facts);
  document.documentElement.classList.add("ready");
  setInterval(() => document.visibilityState === "visible" && void check(), CHECK_EVERY);
}

// A page that comes back from the browser's cache has left its connections behind.
addEventListener("pageshow", (event) => event.persisted && location.reload());
void begin();

/** RFC 7395 §3.1, as the client: WebSockets that objects open — https://www.rfc-editor.org/rfc/rfc7395 */
import type { Wire, WireEvents } from "../src/peer/websocket/stream.ts";

const CONNECT_MS = 10_000;

/** Such a socket keeps its object from being forgotten: whoever opens one closes it when it is idle. */
export async function dial(url: string, events: WireEvents): Promise<Wire> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`${url} does not answer`)), CONNECT_MS);
  const headers = { upgrade: "websocket", "sec-websocket-protocol": "xmpp" };
  const init: RequestInit = { headers, redirect: "manual", signal: late.signal };
  const response = await fetch(url.replace(/^ws/, "http"), init).finally(() => clearTimeout(timer));
  const { webSocket: socket, status } = response;
  if (!socket) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${status} and no WebSocket`);
  }
  socket.accept();
  if (response.headers.get("sec-websocket-protocol") !== "xmpp") {
    socket.close(1002, "no XMPP");
    throw new Error(`${url} does not speak XMPP`);
  }
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") events.text(data);
    else socket.close(1003, "XMPP is text"); // §3.2
  });
  socket.addEventListener("close", () => events.gone());
  socket.addEventListener("error", () => events.gone());
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      if (socket.readyState === WebSocket.OPEN) socket.close(1000, "");
    },
  };
}

/** What this deployment says of itself: GET /info.json. */

export interface Facts {
  domain: string;
  guestDomain: string;
  roomsDomain: string;
  /** Path of the WebSocket endpoint. */
  websocket: string;
  registration: "open" | "invite" | "closed";
  anonymous: boolean;
  siteName: string;
  /** A public room that guests may enter. */
  defaultRoom?: string;
}

/** @returns the facts and how many milliseconds the answer took */
export async function load(): Promise<{ facts: Facts; took: number }> {
  const start = performance.now();
  const response = await fetch("/info.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`/info.json: ${response.status}`);
  return { facts: await response.json(), took: performance.now() - start };
}

export function websocketUrl({ websocket }: Facts): string {
  const url = new URL(websocket, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/** An HTTP hop before a BOSH service that loses a request or a response when it is told to, by breaking the connection. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Hop {
  url: string;
  /** The next response with these words does not arrive. Resolves when that has happened. */
  losesResponse(words: string): Promise<void>;
  /** The next request with these words does not. */
  losesRequest(words: string): void;
  close(): Promise<void>;
}

export async function hops(target: string): Promise<Hop> {
  const lost = { request: "", response: "", done: () => {} };
  const has = (part: "request" | "response", words: string): boolean => {
    if (lost[part] === "" || !words.includes(lost[part])) return false;
    lost[part] = "";
    return true;
  };

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (has("request", body)) return void response.destroy();
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const answer = await fetch(target, { method: "POST", body, signal: gone.signal });
    const said = await answer.text();
    if (has("response", said)) {
      response.destroy();
      return lost.done();
    }
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(said);
  }

  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/http-bind`,
    losesResponse: (words) =>
      new Promise((done) => {
        lost.response = words;
        lost.done = done;
      }),
    losesRequest(words) {
      lost.request = words;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

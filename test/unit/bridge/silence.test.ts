/** Who connects and then says nothing is not waited for (security.md D3). */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ClientPorts, serveClient } from "../../../src/bridge/c2s.ts";
import { type ComponentPorts, serveComponent } from "../../../src/bridge/component.ts";
import { type IncomingPorts, serveServer } from "../../../src/bridge/incoming.ts";
import { type OutgoingPorts, openStream } from "../../../src/bridge/outgoing.ts";

/** What is needed later is not there: nobody gets so far. */
const none = <T>(ports: Partial<T> = {}) => ports as T;
const HOSTS = new Set(["enjamb.test"]);
const header = (namespace: string) =>
  `<stream:stream xmlns="${namespace}" xmlns:stream="http://etherx.jabber.org/streams" to="enjamb.test" version="1.0">`;

let server: Server;
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  vi.useRealTimers();
  server.close();
});

/** Both ends of a connection; the far one is what `serve` was given. */
async function door(serve: (socket: Socket) => void): Promise<{ near: Socket; heard: Promise<string>; port: number }> {
  server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const near = connect(port, "127.0.0.1");
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  let text = "";
  near.on("data", (data) => {
    text += data;
  });
  near.on("end", () => resolve(text));
  await once(server, "connection");
  return { near, heard, port };
}

test.each<[who: string, serve: (socket: Socket) => void, greeting: string]>([
  ["a client", (socket) => serveClient(socket, none<ClientPorts>()), ""],
  ["a client that has said hello", (socket) => serveClient(socket, none<ClientPorts>()), header("jabber:client")],
  ["a server", (socket) => serveServer(socket, none<IncomingPorts>({ hosts: HOSTS, withdraw() {} })), ""],
  [
    "a server that has said hello",
    (socket) => serveServer(socket, none<IncomingPorts>({ hosts: HOSTS, withdraw() {} })),
    header("jabber:server"),
  ],
  ["a component", (socket) => serveComponent(socket, none<ComponentPorts>()), ""],
  [
    "a component that has said hello",
    (socket) => serveComponent(socket, none<ComponentPorts>({ components: { "enjamb.test": "secret" } })),
    header("jabber:component:accept"),
  ],
])("%s is told after half a minute", async (_, serve, greeting) => {
  const { near, heard } = await door(serve);
  if (greeting) {
    near.write(greeting);
    await once(near, "data");
  }
  vi.advanceTimersByTime(30_000);
  expect(await heard).toMatch(/<stream:error[^>]*><connection-timeout .*<\/stream:stream>$/);
});

test("a server that we reach, and that says nothing, is given up", async () => {
  const { near, port } = await door(() => {});
  near.destroy();
  const resolve = { overrides: { "silent.test": `127.0.0.1:${port}` }, allowPrivate: true, nameServers: [] };
  const reached = once(server, "connection");
  const stream = openStream("enjamb.test", "silent.test", { kind: "stanzas" }, none<OutgoingPorts>({ resolve }));
  const refused = expect(stream).rejects.toThrow("silent.test: negotiation took too long");
  const [socket] = (await reached) as [Socket];
  await once(socket, "data");
  vi.advanceTimersByTime(30_000);
  await refused;
});

/** What every interop test begins with: one server a file, accounts of its own for each test, bounded waiting. */
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Server, type StartOptions, startServer } from "./server.ts";
import { type Wire, wire } from "./wire.ts";

export interface Account {
  name: string;
  /** Bare JID. */
  jid: string;
  password: string;
}

export interface Stage {
  readonly server: Server;
  /** A new account whose name begins with `name`. */
  account(name: string): Promise<Account>;
  /** A connection to the server that the test can cut. */
  wire(): Promise<Wire>;
  /** Has `end` run when the test is over, last one first, whether it passed or not. */
  later(end: () => unknown): void;
}

const PASSWORD = "wherefore art thou, Romeo?";

export function stage(options?: StartOptions): Stage {
  let server: Server;
  let accounts = 0;
  let ends: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startServer(options);
  });
  afterAll(() => server?.stop());
  afterEach(async () => {
    const all = ends.reverse();
    ends = [];
    for (const end of all) await end();
  });

  const later = (end: () => unknown) => void ends.push(end);
  return {
    get server() {
      return server;
    },
    later,
    async account(prefix) {
      const name = `${prefix}${++accounts}`;
      await server.addUser(name, PASSWORD);
      return { name, jid: `${name}@${server.domain}`, password: PASSWORD };
    },
    async wire() {
      const made = await wire(server.websocket);
      later(() => made.close());
      return made;
    },
  };
}

/** What may take this long is lost. */
const PATIENCE_MS = 5_000;

/** A promise, its resolver, and the patience that ends it. */
export function awaited<T>(what: string | (() => string)): { promise: Promise<T>; resolve(value: T): void } {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const late = setTimeout(
    () => reject(new Error(`waited in vain for ${typeof what === "string" ? what : what()}`)),
    PATIENCE_MS,
  );
  const done = () => clearTimeout(late);
  promise.then(done, done);
  return { promise, resolve };
}

interface Emitter {
  // biome-ignore lint/suspicious/noExplicitAny: the listener's arguments are whatever that emitter gives
  on(name: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  removeListener(name: string, listener: (...args: any[]) => void): unknown;
}

/** The argument of the next such event that `match` likes. Ask before doing what causes it. */
export async function event<T>(emitter: Emitter, name: string, match: (value: T) => boolean = () => true): Promise<T> {
  const { promise, resolve } = awaited<T>(`${name} with ${match}`);
  const listen = (value: T) => {
    if (match(value)) resolve(value);
  };
  emitter.on(name, listen);
  try {
    return await promise;
  } finally {
    emitter.removeListener(name, listen);
  }
}

/** Logging in, and what a connection that does nothing keeps in memory. */
import { Client } from "../../interop/client.ts";
import { parallel } from "../../interop/parallel.ts";
import { enlist, login, names, recruit } from "../crew.ts";
import { residentBytes } from "../measure.ts";
import type { Row } from "../row.ts";

/** From the TCP connection to the bound resource and away again. */
const logins = (mechanism: "SCRAM-SHA-1" | "PLAIN", count: number): Row["prepare"] => {
  return async (server) => {
    const users = names("user", count);
    await enlist(server, users);
    return {
      async run() {
        await parallel(users, 8, async (name) => {
          const client = await Client.login(login(server, name, mechanism));
          await client.close();
        });
        return count;
      },
    };
  };
};

const CONNECTIONS = 500;

const idle: Row["prepare"] = async (server) => {
  const [first] = await recruit(server, ["first"]);
  await first?.close();
  const before = residentBytes(server.pids());
  return {
    async run() {
      await recruit(server, names("user", CONNECTIONS));
      return CONNECTIONS;
    },
    figure: (connections) => (residentBytes(server.pids()) - before) / connections / 1024,
  };
};

const base: Row["prepare"] = async (server) => {
  const [first] = await recruit(server, ["first"]);
  await first?.close();
  return { run: async () => 1, figure: () => residentBytes(server.pids()) / 1024 / 1024 };
};

export const rows: Row[] = [
  { name: "login-scram", title: "login, SCRAM-SHA-1", unit: "µs", prepare: logins("SCRAM-SHA-1", 300) },
  { name: "login-plain", title: "login, PLAIN", unit: "µs", prepare: logins("PLAIN", 100) },
  { name: "memory", title: "memory per idle connection of 500", unit: "KB", rounds: 1, prepare: idle },
  { name: "base-memory", title: "  before the first", unit: "MB", rounds: 1, prepare: base },
];

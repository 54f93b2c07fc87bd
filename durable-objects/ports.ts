/** The runtime's object state as the ports that src/ knows. */

import { Alarms, DUE } from "../src/kernel/due.ts";
import type { HostObject, Log } from "../src/kernel/entity.ts";
import type { Table } from "../src/kernel/feature.ts";
import type { Kernel } from "../src/kernel/kernel.ts";
import { gateHome, type Kind, placement, type Target } from "../src/kernel/placement.ts";
import { Post, type PostPorts } from "../src/kernel/post.ts";
import { migrate, type Sql, type SqlStorage, sqlOver } from "../src/kernel/sql.ts";
import { type LogLevel, type Settings, settingsOf } from "../src/settings.ts";
import type { DirectoryRpc, DoorRpc, FileRpc, GateRpc, PeerRpc, RoomRpc, UserRpc } from "./rpc.ts";

/** The namespaces of the object classes, by the names of their bindings in wrangler.toml. */
export interface Env {
  GATE: DurableObjectNamespace;
  USER: DurableObjectNamespace;
  ROOM: DurableObjectNamespace;
  NODE: DurableObjectNamespace;
  PEER: DurableObjectNamespace;
  DOOR: DurableObjectNamespace;
  FILE: DurableObjectNamespace;
  DIRECTORY: DurableObjectNamespace;
}

export interface Storage {
  sql: Sql;
  alarms: Alarms;
}

export function storageOf(ctx: DurableObjectState, tables: readonly Table[]): Storage {
  const storage = ctx.storage.sql as unknown as SqlStorage;
  migrate(storage, [DUE, ...tables]);
  const sql = sqlOver(storage);
  return { sql, alarms: new Alarms(sql, (at) => void ctx.storage.setAlarm(at)) };
}

/** What an object that hosts entities is made of. `local` and `delivered` are its hosting's, which is made of this. */
export async function hostObject(
  ctx: DurableObjectState,
  env: Env,
  {
    kind,
    kernel,
    tables,
    near,
    ...hosting
  }: { kind: Kind; kernel: Kernel; tables: readonly Table[]; near?: Near } & Pick<PostPorts, "local" | "delivered">,
): Promise<HostObject> {
  const settings = settingsOf(env);
  const log = logOf(settings);
  const name = ctx.id.name as string;
  const { at, directory } = stubs(env, settings, near);
  const post = new Post({ settings, self: { kind, name }, calls: at, log, ...hosting });
  const atomically = <T>(run: () => T) => ctx.storage.transactionSync(run);
  const stored = () => ctx.waitUntil(ctx.storage.sync());
  const secrets = await directory().secrets();
  const storage = storageOf(ctx, [...tables, ...kernel.tables]);
  return { name, settings, secrets, kernel, post, log, atomically, stored, ...storage };
}

/** The log of an object: a JSON object a line. What an operator does not want to hear is not said. */
export function logOf({ logLevel }: Settings): Log {
  const says = (level: LogLevel) => LEVELS.indexOf(level) >= LEVELS.indexOf(logLevel);
  return {
    warn: (message, facts) => {
      if (says("warn")) console.warn(JSON.stringify({ level: "warn", message, ...facts }));
    },
    error: (message, error, facts) =>
      console.error(
        JSON.stringify({ level: "error", message, error: String((error as Error)?.stack ?? error), ...facts }),
      ),
  };
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Who lives in the same object, and is called without a call between objects. */
export interface Near {
  gate?: { name: string; calls: GateRpc };
  accounts?: UserRpc;
}

/** Fresh stubs: one that has seen an error is broken for good. */
export function stubs(env: Env, settings: Settings, near: Near = {}) {
  const get = (target: Target) => (env[target.kind as keyof Env] as DurableObjectNamespace).getByName(target.name);
  const gate = (name: string): GateRpc =>
    near.gate?.name === name ? near.gate.calls : (get(gateHome(settings, name)) as unknown as { gate: GateRpc }).gate;
  const accounts = (target: Target): UserRpc => near.accounts ?? (get(target) as unknown as UserRpc);
  return {
    at: ({ kind, name }: Target) =>
      (kind === "GATE"
        ? gate(name)
        : kind === "USER"
          ? accounts({ kind, name })
          : get({ kind, name })) as unknown as GateRpc,
    gate,
    user: (jid: string) => accounts({ kind: "USER", name: placement(settings, jid) }),
    room: (jid: string) => get({ kind: "ROOM", name: placement(settings, jid) }) as unknown as RoomRpc,
    peer: (domain: string) => get({ kind: "PEER", name: domain }) as unknown as PeerRpc,
    door: (name: string) => get({ kind: "DOOR", name }) as unknown as DoorRpc,
    file: (id: string) => env.FILE.getByName(id) as unknown as FileRpc,
    directory: () => get({ kind: "DIRECTORY", name: settings.domain }) as unknown as DirectoryRpc,
  };
}

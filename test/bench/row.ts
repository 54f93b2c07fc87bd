/** What a row of the table is made of. */
import type { Server, ServerName } from "../interop/server.ts";

export interface Row<S extends Server = Server> {
  /** Short, for `--rows`. */
  name: string;
  title: string;
  unit: "µs" | "ms" | "KB" | "MB";
  /** Settings of the server other than the common ones. */
  settings?: Record<string, string>;
  /** How often it is measured, where once is enough. */
  rounds?: number;
  /** Starts what is measured, where that is not one server with `settings`. */
  start?(name: ServerName): Promise<S>;
  /** Logs in whom it needs, against a server started for this row alone. */
  prepare(server: S): Promise<Round>;
}

/** One round: `run` is what is measured, and says how many units of work it was, having seen every one of them done. */
export interface Round {
  /** Before each round, not measured. */
  before?(): Promise<void>;
  run(): Promise<number>;
  /** Another figure than the CPU time of `run`: it is reported as it is. */
  figure?(units: number): number;
}

/** The server does not have what the row needs: its cell reads n/a. */
export class Unsupported extends Error {}

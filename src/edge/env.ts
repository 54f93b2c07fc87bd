/** What the worker is given by the platform: the object classes by name, and settings. */
import type { DirectoryRpc, UserRpc } from "../../durable-objects/rpc.ts";

/** A class of objects; an object is found by its name and made at its first call. */
interface Objects<Calls> {
  getByName(name: string, options?: { locationHint?: LocationHint }): Calls;
}

export type LocationHint = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";

export interface Env {
  readonly GATE: Objects<{ fetch(request: Request): Promise<Response> }>;
  readonly USER: Objects<AccountCalls>;
  readonly DIRECTORY: Objects<Pick<DirectoryRpc, "accounts">>;
  readonly [setting: string]: unknown;
}

/** What the REST API asks of the object that hosts an account. */
export type AccountCalls = Pick<UserRpc, "setPassword" | "removeAccount" | "account">;

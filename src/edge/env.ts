/** What the worker is given by the platform: the object classes by name, and settings. */
import type { DirectoryRpc, KeyCalls, RoomRpc, UserRpc } from "../../durable-objects/rpc.ts";
import type { BoshRequest, BoshResponse } from "../gate/upgrade.ts";

/** A class of objects; an object is found by its name and made at its first call. */
interface Objects<Calls> {
  getByName(name: string, options?: { locationHint?: LocationHint }): Calls;
}

export type LocationHint = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";

export interface Env {
  readonly GATE: Objects<GateCalls>;
  readonly USER: Objects<UserRpc & GateCalls>;
  readonly ROOM: Objects<RoomRpc>;
  readonly DIRECTORY: Objects<
    Sockets & Pick<DirectoryRpc, "secrets" | "accounts" | "allRooms" | "invite" | keyof KeyCalls>
  >;
  readonly PEER: Objects<Sockets>;
  readonly DOOR: Objects<Sockets>;
  readonly FILE: Objects<Sockets>;
  readonly [setting: string]: unknown;
}

interface Sockets {
  fetch(request: Request): Promise<Response>;
}

/** What the edge asks of a gate: to take a socket, or a BOSH request. */
export interface GateCalls {
  fetch(request: Request): Promise<Response>;
  bosh(request: BoshRequest): Promise<BoshResponse>;
}

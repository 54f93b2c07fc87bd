/** The contract of a feature: one file under src/features, one line in its list. */
import type { Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { Element } from "../xml/element.ts";
import type { Kernel } from "./kernel.ts";

/**
 * Where a stanza is answered: where the client's stream is ("stream": its own requests, waking nobody), at the server's
 * address, at an account by its own clients, at its bare address by others ("contact"), at a room, at the room service, …
 */
export type Place = "stream" | "host" | "account" | "contact" | "rooms" | "room" | "pubsub" | "node" | "upload";

/** A specification and how much of it is here. */
export interface Spec {
  id: `XEP-${string}` | `RFC ${string}`;
  version?: string;
  note?: string;
}

/** Append-only SQL; the number of steps done is kept per object. */
export interface Table {
  name: string;
  steps: readonly string[];
}

export interface Identity {
  category: string;
  type: string;
  name?: string;
}

/** What is asked about a place; handlers put what they know of it into `found`. */
export interface Inquiry {
  asker: Jid;
  /** "" for the place itself. */
  node: string;
  found: Element[];
  /** There is such a node, though nothing may be in it. */
  exists?: true;
}

export type Answer = Element | Stanza | undefined | void;

/** `Cx` is the context of the place: what a handler there can touch. */
export type Handler<Cx> =
  | { on: "iq"; at: Place; type: "get" | "set"; ns: string; name: string; run: (cx: Cx, iq: Stanza) => Answer }
  | { on: "hook"; at: Place; name: string; run: (cx: Cx, event: never) => void | "handled" }
  | { on: "alarm"; at: Place; name: string; run: (cx: Cx, due: never) => void };

export interface Feature {
  /** The file's name. */
  name: string;
  implements: readonly Spec[];
  /** Whether it is there under these settings; where it is not, nothing of it is advertised. */
  when?: (settings: Settings) => boolean;
  /** disco#info features, by place; written nowhere else. */
  advertises?: Partial<Record<Place, readonly string[]>>;
  identities?: Partial<Record<Place, readonly Identity[]>>;
  tables?: readonly Table[];
  /** Stream features, for a client before ("login") or after authentication ("session"). */
  offers?: (phase: "login" | "session", guest: boolean, settings: Settings, kernel: Kernel) => readonly Element[];
  // biome-ignore lint/suspicious/noExplicitAny: each handler knows its own place's context; the kernel only passes it on
  handles?: readonly Handler<any>[];
}

/**
 * The makers of one place's handlers: `Cx` is what a handler there is given, `Hooks` names the moments and their events.
 * Registrations are data returned to the kernel; nothing registers itself by being imported.
 */
export function handlersAt<Cx, Hooks extends object>(at: Place) {
  return {
    iq: (type: "get" | "set", ns: string, name: string, run: (cx: Cx, iq: Stanza) => Answer): Handler<Cx> => ({
      on: "iq",
      at,
      type,
      ns,
      name,
      run,
    }),
    hook: <K extends keyof Hooks & string>(
      name: K,
      run: (cx: Cx, event: Hooks[K]) => void | "handled",
    ): Handler<Cx> => ({
      on: "hook",
      at,
      name,
      run: run as (cx: Cx, event: never) => void | "handled",
    }),
    alarm: <T>(name: string, run: (cx: Cx, due: T) => void): Handler<Cx> => ({
      on: "alarm",
      at,
      name,
      run: run as (cx: Cx, due: never) => void,
    }),
  };
}

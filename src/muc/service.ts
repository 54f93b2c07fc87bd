/** The address that all rooms have in common, as its features see it. */
import { handlersAt, type Inquiry } from "../kernel/feature.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Jid } from "../protocol/jid.ts";
import type { Settings } from "../settings.ts";
import type { Element } from "../xml/element.ts";
import type { RoomDirectory } from "./listing.ts";

export interface ServiceContext {
  readonly self: Jid;
  readonly settings: Settings;
  readonly kernel: Kernel;
  readonly directory: RoomDirectory;
  /** The answer takes a call to another object: it is sent when it is there. */
  later(answer: Promise<Element>): void;
}

export interface ServiceHooks {
  "disco:info": Inquiry;
}

/** Handlers at the room service itself. */
export const rooms = handlersAt<ServiceContext, ServiceHooks>("rooms");

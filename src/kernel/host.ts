/** The server's own address, as its features see it: no rows, no object; its handlers run wherever a stream is. */
import { Jid } from "../protocol/jid.ts";
import { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { Log } from "./entity.ts";
import { asStanzaError } from "./failure.ts";
import { handlersAt, type Inquiry } from "./feature.ts";
import type { Kernel } from "./kernel.ts";

export interface HostContext {
  /** The address that was asked: the domain of the accounts. */
  readonly self: Jid;
  readonly settings: Settings;
  readonly kernel: Kernel;
}

export interface HostHooks {
  /** disco#items of the server, disco#info of its nodes: what is found is listed. */
  "disco:items": Inquiry;
  "disco:info": Inquiry;
}

/** Handlers of requests to the server itself. They are pure: the answer depends on nothing but the context and the request. */
export const host = handlersAt<HostContext, HostHooks>("host");

/** Handlers of requests that a client makes of its server or account, and that its gate can answer as well. */
export const stream = handlersAt<HostContext, Record<never, never>>("stream");

/** The server's answer to an IQ that asks it something. */
export function answerAtHost(
  kernel: Kernel,
  settings: Settings,
  log: Log,
  iq: Stanza,
  place: "host" | "stream" = "host",
): Stanza {
  const self = Jid.parse(settings.domain);
  try {
    const answer = kernel.iq(place, { self, settings, kernel } satisfies HostContext, iq);
    return answer instanceof Stanza ? answer : iq.result(answer || undefined);
  } catch (error) {
    return iq.error(asStanzaError(error, log, { place, about: iq.about })) as Stanza; // an IQ that asks has an error
  }
}

/** What the sender of a stanza is told when its handler fails. */
import { StanzaError, stanzaError } from "../protocol/errors.ts";
import type { Log } from "./entity.ts";

/** An unknown failure is ours: it is logged under an id, and its sender is told no more than that. */
export function asStanzaError(error: unknown, log: Log, facts: object): StanzaError {
  if (error instanceof StanzaError) return error;
  const id = crypto.randomUUID();
  log.error("a handler failed", error, { ...facts, id });
  return stanzaError("internal-server-error", `The server's log has it under ${id}.`);
}

/** What one object tells another, or the REST API, of a request: errors are data, since classes do not survive the call. */
import type { StanzaCondition } from "../protocol/errors.ts";
import type { Log } from "./entity.ts";
import { asStanzaError } from "./failure.ts";

export type Outcome<T> = { ok: true; value: T } | Refusal;

/** `error`: a condition of RFC 6120 §8.3.3; `text`: for people. */
export interface Refusal {
  ok: false;
  error: StanzaCondition;
  text: string;
}

/** What `run` returns, or the stanza error it throws. */
export function outcomeOf<T>(log: Log, run: () => T): Outcome<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    const { condition, text = "" } = asStanzaError(error, log, { request: "REST" });
    return { ok: false, error: condition, text };
  }
}

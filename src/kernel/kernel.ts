/** How features compose: an index of who answers what. Knows no XEP. */
import { stanzaError } from "../protocol/errors.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";
import type { Answer, Feature, Handler, Identity, Place, Table } from "./feature.ts";

// biome-ignore lint/suspicious/noExplicitAny: the index is over all places; the typed makers in each place's context guard it
type Any = any;
type Run = (cx: Any, event: Any) => Any;

export interface DiscoInfo {
  identities: readonly Identity[];
  features: readonly string[];
}

/** Built once from the list; a duplicate IQ, table or alarm is a start-up error. */
export class Kernel {
  readonly features: readonly Feature[];
  readonly tables: readonly Table[];
  readonly #iqs = new Map<string, Run>();
  readonly #hooks = new Map<string, Run[]>();
  readonly #alarms = new Map<string, Run>();

  constructor(features: readonly Feature[]) {
    this.features = features;
    for (const feature of features) {
      for (const handler of feature.handles ?? []) this.#register(feature, handler);
    }
    this.tables = features.flatMap((feature) => feature.tables ?? []);
    const names = this.tables.map((table) => table.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice) throw new Error(`Two features bring a table "${twice}".`);
  }

  #register(feature: Feature, handler: Handler<Any>): void {
    if (handler.on === "hook") {
      const key = `${handler.at} ${handler.name}`;
      const runs = this.#hooks.get(key) ?? [];
      runs.push(handler.run as Run);
      this.#hooks.set(key, runs);
      return;
    }
    const [index, key] =
      handler.on === "iq"
        ? [this.#iqs, `${handler.at} ${handler.type} ${handler.ns} ${handler.name}`]
        : [this.#alarms, `${handler.at} ${handler.name}`];
    if (index.has(key)) throw new Error(`${feature.name}: "${key}" is answered by another feature already.`);
    index.set(key, handler.run as Run);
  }

  /** What a place says of itself, as far as these settings let it. */
  disco(place: Place, settings: Settings): DiscoInfo {
    const there = this.features.filter(({ when }) => when === undefined || when(settings));
    const features = new Set(there.flatMap(({ advertises }) => advertises?.[place] ?? []));
    return { identities: there.flatMap(({ identities }) => identities?.[place] ?? []), features: [...features].sort() };
  }

  /** Whether somebody at that place answers this IQ. */
  answers(at: Place, iq: Stanza): boolean {
    return this.#iqs.has(`${at} ${iq.type} ${iq.about}`);
  }

  /** Runs the IQ's handler. What nobody handles is service-unavailable, here and nowhere else (RFC 6120 §8.4). */
  iq(at: Place, cx: unknown, iq: Stanza): Answer {
    const run = this.#iqs.get(`${at} ${iq.type} ${iq.about}`);
    if (!run) throw stanzaError("service-unavailable", `Nothing here answers a ${iq.type} of ${iq.about || "this"}.`);
    return run(cx, iq);
  }

  /** Runs a hook's handlers in the list's order, until one has handled it. */
  fire(at: Place, name: string, cx: unknown, event: unknown): "handled" | undefined {
    const runs = this.#hooks.get(`${at} ${name}`);
    if (runs) for (const run of runs) if (run(cx, event) === "handled") return "handled";
    return undefined;
  }

  alarm(at: Place, name: string, cx: unknown, due: unknown): void {
    this.#alarms.get(`${at} ${name}`)?.(cx, due);
  }
}

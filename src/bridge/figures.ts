/** What the bridge counts of itself. */
import type { Certificate } from "./certificate.ts";
import type { Metric, Report } from "./health.ts";

/** Who is at the other end. */
export type Kind = "client" | "server" | "component";
export type Direction = "in" | "out";

/** Stanzas since the start; "in" is towards our server. */
export class Passed {
  readonly counts: Record<Kind, Record<Direction, number>> = {
    client: { in: 0, out: 0 },
    server: { in: 0, out: 0 },
    component: { in: 0, out: 0 },
  };

  count(kind: Kind, direction: Direction): void {
    this.counts[kind][direction]++;
  }
}

/** How it stands with the server, and with others. */
export interface Figures {
  connected: boolean;
  /** Links and outgoing streams that are open. */
  links: number;
  streams: number;
  unacknowledged: { in: number; out: number };
}

/** What is looked at when somebody asks. */
export interface Parts {
  certificate: Certificate;
  federation: { readonly figures: Figures };
  passed: Passed;
  /** Connections that others have made. */
  connections(kind: Kind): number;
}

export function report({ certificate, federation, passed, connections }: Parts): Report {
  const { connected, links, streams, unacknowledged } = federation.figures;
  const expires = certificate.expires.getTime();
  const old = expires < Date.now() && `the certificate has expired on ${certificate.expires.toISOString()}`;
  const { heapUsed, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    problem: (!connected && "the server is not connected") || old || undefined,
    metrics: [
      gauge("enjamb_bridge_connected", "Whether the server knows that this bridge is here.", Number(connected)),
      gauge("enjamb_bridge_streams", "Connections, by who is at the other end and who has made them.", [
        ...(["client", "server", "component"] as const).map(
          (kind) => [{ kind, direction: "in" }, connections(kind)] as const,
        ),
        [{ kind: "server", direction: "out" }, streams],
      ]),
      {
        name: "enjamb_bridge_stanzas_total",
        help: "Stanzas towards the server (in) and from it (out).",
        type: "counter",
        values: Object.entries(passed.counts).flatMap(([kind, { in: into, out }]) => [
          [{ kind, direction: "in" }, into] as const,
          [{ kind, direction: "out" }, out] as const,
        ]),
      },
      gauge("enjamb_bridge_links", "Links to the objects of other servers and components.", links),
      gauge("enjamb_bridge_unacknowledged", "Stanzas that nobody answers for yet but who has sent them.", [
        [{ direction: "in" }, unacknowledged.in],
        [{ direction: "out" }, unacknowledged.out],
      ]),
      gauge("enjamb_bridge_certificate_expiry_seconds", "When the certificate expires, in Unix time.", expires / 1000),
      gauge("process_start_time_seconds", "When the bridge was started, in Unix time.", STARTED),
      gauge("process_resident_memory_bytes", "Memory of the process.", rss),
      gauge("nodejs_heap_size_used_bytes", "Memory of its heap in use.", heapUsed),
      {
        name: "process_cpu_seconds_total",
        help: "CPU time of the process.",
        type: "counter",
        values: [[{}, (user + system) / 1e6]],
      },
    ],
  };
}

const STARTED = Math.round(Date.now() / 1000 - process.uptime());

const gauge = (name: string, help: string, values: number | Metric["values"]): Metric => ({
  name,
  help,
  type: "gauge",
  values: typeof values === "number" ? [[{}, values]] : values,
});

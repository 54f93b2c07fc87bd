/** Whether the bridge is well, and figures about it in Prometheus' text format — https://prometheus.io/docs/instrumenting/exposition_formats/ */
import { once } from "node:events";
import { createServer, type Server } from "node:http";

/** One figure, or one for each set of labels. By the format's custom a counter's name ends in `_total`. */
export interface Metric {
  name: string;
  help: string;
  type: "counter" | "gauge";
  values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

export interface Report {
  /** In a line, what keeps the bridge from its work. */
  problem: string | undefined;
  metrics: readonly Metric[];
}

/** Answers at `/health` (200, or 503 and the problem) and at `/metrics`. */
export async function serveHealth(host: string, port: number, report: () => Report): Promise<Server> {
  const server = createServer(({ method, url }, response) => {
    const say = (status: number, text: string, type = "text/plain; charset=utf-8") =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    if (method !== "GET" && method !== "HEAD") return say(405, "GET, please.\n");
    const path = url?.split("?")[0];
    if (path === "/metrics") return say(200, exposition(report().metrics), "text/plain; version=0.0.4; charset=utf-8");
    if (path !== "/health") return say(404, "There are /health and /metrics.\n");
    const { problem } = report();
    return say(problem === undefined ? 200 : 503, `${problem ?? "ok"}\n`);
  });
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

function exposition(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, values }) => {
      const lines = values.map(([labels, value]) => `${name}${labelled(labels)} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function labelled(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

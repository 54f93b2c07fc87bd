/**
 * npm run bench: CPU time of the server per unit of work, side by side with Debian's Prosody and ejabberd.
 *   --rows a,b      only these (a name, or the beginning of one)
 *   --rounds 3      measured rounds, after one that is not; the median is printed
 *   --servers ours,prosody,ejabberd
 *   --json file     every figure of every round
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Server, type ServerName, startServer } from "../interop/server.ts";
import { median, spent } from "./measure.ts";
import { type Round, type Row, Unsupported } from "./row.ts";
import { ROWS } from "./rows.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    servers: { type: "string", default: "ours,prosody,ejabberd" },
    json: { type: "string" },
  },
});

const servers = values.servers.split(",") as ServerName[];
const wanted = values.rows.split(",");
const rows = ROWS.filter(({ name }) => wanted.some((prefix) => name.startsWith(prefix)));
const width = Math.max(...rows.map(({ title }) => title.length));
const results: { row: string; unit: string; server: ServerName; figures: number[]; note?: string }[] = [];

console.log(["".padEnd(width), ...servers.map((name) => name.padStart(12))].join(""));
for (const row of rows) await measure(row);
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exit(process.exitCode ?? 0);

interface Entrant {
  name: ServerName;
  server?: Server;
  round?: Round;
  figures: number[];
  note?: string;
}

/** All servers run for the whole row and take their rounds in turn, so that what disturbs one disturbs all. */
async function measure(row: Row): Promise<void> {
  const entrants: Entrant[] = servers.map((name) => ({ name, figures: [] }));
  const rounds = row.rounds ?? Number(values.rounds) + 1;
  await Promise.all(entrants.map((entrant) => attempt(entrant, () => prepare(row, entrant))));
  for (let round = 0; round < rounds; round++) {
    for (const entrant of entrants) if (!entrant.note) await attempt(entrant, () => takeTurn(row, entrant));
  }
  await Promise.all(entrants.map(({ server }) => server?.stop()));
  // The first round warmed up compilers, caches and tables.
  for (const entrant of entrants) if (rounds > 1) entrant.figures.shift();
  print(row, entrants);
  for (const { name, figures, note } of entrants) {
    results.push({ row: row.name, unit: row.unit, server: name, figures, ...(note ? { note } : {}) });
  }
}

async function prepare(row: Row, entrant: Entrant): Promise<void> {
  const { settings = {} } = row;
  entrant.server = await (row.start?.(entrant.name) ?? startServer({ settings }, entrant.name));
  entrant.round = await row.prepare(entrant.server);
}

async function takeTurn(row: Row, { server, round, figures }: Entrant): Promise<void> {
  if (!server || !round) return;
  await round.before?.();
  const { seconds, result } = await spent(server.pids(), () => round.run());
  figures.push(round.figure ? round.figure(result) : (seconds / result) * 1e6);
  if (process.env.VERBOSE) console.error(row.name, server.name, figures.at(-1), `${seconds} s for ${result}`);
}

/** What a server cannot do is n/a; what it does wrong is said, and fails the run. */
async function attempt(entrant: Entrant, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    entrant.note = error instanceof Unsupported ? "n/a" : `FAILED: ${(error as Error).message}`;
    if (!(error instanceof Unsupported)) process.exitCode = 1;
  }
}

function print(row: Row, entrants: readonly Entrant[]): void {
  const cells = entrants.map(({ figures, note }) => {
    if (note) return (note === "n/a" ? note : "FAILED").padStart(12);
    const figure = median(figures);
    return `${figure.toFixed(figure < 100 ? 1 : 0)} ${row.unit}`.padStart(12);
  });
  console.log([row.title.padEnd(width), ...cells].join(""));
  for (const { name, note } of entrants) if (note && note !== "n/a") console.log(`    ${name}: ${note}`);
}

/** CPU time and memory of processes, from /proc. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** After the last answer a server may still write, acknowledge and collect: that is part of the work. */
const AFTERMATH_MS = 250;

/** CPU seconds, user and system, of all threads, to 10 ms. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command's name, may hold spaces; what follows its parenthesis does not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory in bytes. */
export function residentBytes(pids: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of pids) {
    kilobytes += Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]);
  }
  return kilobytes * 1024;
}

/** CPU seconds the server spends on `work`, its aftermath included. */
export async function spent<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ seconds: number; result: T }> {
  const before = cpuSeconds(pids);
  const result = await work();
  await delay(AFTERMATH_MS);
  return { seconds: cpuSeconds(pids) - before, result };
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

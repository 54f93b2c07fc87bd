/** How many connections one address may open. */
import { Buckets } from "./buckets.ts";

const connections = new Buckets(100, 2);

/** Takes a token. @returns 0, or the seconds until there is one again */
export const secondsToWait = (address: string, now: number): number => connections.take(address, now).wait;

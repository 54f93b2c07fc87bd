/** What this server can do: every feature, in the order in which their handlers run. */
import type { Feature } from "../kernel/feature.ts";
import { custody } from "./custody.ts";
import { disco } from "./disco.ts";
import { messaging } from "./messaging.ts";
import { offlineMail } from "./offline.ts";
import { ping } from "./ping.ts";
import { presence } from "./presence.ts";
import { roster } from "./roster.ts";
import { subscriptions } from "./subscriptions.ts";

export const features: readonly Feature[] = [
  // Messages: stored and delivered, then passed on or kept for later.
  messaging,
  custody,
  offlineMail,
  // Contacts and presence.
  roster,
  subscriptions,
  presence,
  // Who is there, and what it can do.
  disco,
  ping,
];

/** What this server can do: every feature, in the order in which their handlers run. */
import type { Feature } from "../kernel/feature.ts";
import { archive } from "./archive.ts";
import { archivePreferences } from "./archive-preferences.ts";
import { avatar } from "./avatar.ts";
import { blocking } from "./blocking.ts";
import { bookmarks } from "./bookmarks.ts";
import { carbonGuard, carbons } from "./carbons.ts";
import { custody } from "./custody.ts";
import { disco } from "./disco.ts";
import { displayed } from "./displayed.ts";
import { events } from "./events.ts";
import { externalServices } from "./external-services.ts";
import { interests } from "./interests.ts";
import { lastActivity } from "./last-activity.ts";
import { messaging } from "./messaging.ts";
import { roomService } from "./muc/service.ts";
import { offlineMail } from "./offline.ts";
import { pep } from "./pep.ts";
import { ping } from "./ping.ts";
import { presence } from "./presence.ts";
import { privateStorage } from "./private-storage.ts";
import { pubsub } from "./pubsub.ts";
import { push } from "./push.ts";
import { registration } from "./registration.ts";
import { retraction } from "./retraction.ts";
import { roster } from "./roster.ts";
import { session } from "./session.ts";
import { streamLimits } from "./stream-limits.ts";
import { subscriptions } from "./subscriptions.ts";
import { time } from "./time.ts";
import { upload } from "./upload.ts";
import { vcard } from "./vcard.ts";
import { version } from "./version.ts";
import { watches } from "./watches.ts";

export const features: readonly Feature[] = [
  // Before anything is stored or answered: what must not come in.
  blocking,
  carbonGuard,
  // Events for clients that asked for them, and what an owner decides about its nodes: neither is stored.
  events,
  displayed,
  // Messages: stored and delivered, passed on or kept for later, then copied.
  archivePreferences,
  messaging,
  custody,
  offlineMail,
  archive,
  retraction,
  carbons,
  push,
  // Contacts and presence.
  roster,
  subscriptions,
  presence,
  interests,
  lastActivity,
  // What there is, and what else is asked.
  disco,
  ping,
  session,
  streamLimits,
  version,
  time,
  externalServices,
  // What an account keeps here, and the account itself.
  vcard,
  privateStorage,
  pep,
  avatar,
  bookmarks,
  watches,
  registration,
  upload,
  // The host lists it; it answers for itself in its own object.
  roomService,
  pubsub,
];

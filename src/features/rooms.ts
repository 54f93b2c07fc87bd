/** What rooms and their service can do: every feature, in the order in which their handlers run. */
import type { Feature } from "../kernel/feature.ts";
import { roomArchive } from "./archive-rooms.ts";
import { administration } from "./muc/administration.ts";
import { admission } from "./muc/admission.ts";
import { configuration } from "./muc/configuration.ts";
import { discovery } from "./muc/discovery.ts";
import { groupchat, voice } from "./muc/groupchat.ts";
import { history } from "./muc/history.ts";
import { join } from "./muc/join.ts";
import { roomService } from "./muc/service.ts";
import { standing } from "./muc/standing.ts";
import { subject } from "./muc/subject.ts";

export const rooms: readonly Feature[] = [
  // Who may come in, and what awaits them, in the order of §7.1.
  admission,
  join,
  history,
  // What is said.
  voice,
  subject,
  groupchat,
  roomArchive,
  // Who is who, and how the room is set up.
  administration,
  standing,
  configuration,
  // What there is.
  discovery,
  roomService,
];

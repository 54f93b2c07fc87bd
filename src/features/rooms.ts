/** What rooms and their service can do: every feature, in the order in which their handlers run. */
import type { Feature } from "../kernel/feature.ts";
import { roomArchive } from "./archive-rooms.ts";
import { administration } from "./muc/administration.ts";
import { admission } from "./muc/admission.ts";
import { affiliationVersions } from "./muc/affiliation-versions.ts";
import { avatar } from "./muc/avatar.ts";
import { channelSearch } from "./muc/channel-search.ts";
import { configuration } from "./muc/configuration.ts";
import { discovery } from "./muc/discovery.ts";
import { ghosts } from "./muc/ghosts.ts";
import { groupchat, voice } from "./muc/groupchat.ts";
import { guests } from "./muc/guests.ts";
import { hats } from "./muc/hats.ts";
import { history } from "./muc/history.ts";
import { invitation } from "./muc/invitation.ts";
import { join } from "./muc/join.ts";
import { moderation } from "./muc/moderation.ts";
import { occupantIq } from "./muc/occupant-iq.ts";
import { privateMessage } from "./muc/private-message.ts";
import { roomRegistration } from "./muc/room-registration.ts";
import { roomService } from "./muc/service.ts";
import { slowMode } from "./muc/slow-mode.ts";
import { standing } from "./muc/standing.ts";
import { subject } from "./muc/subject.ts";
import { unexpected } from "./muc/unexpected.ts";
import { voiceRequest } from "./muc/voice-request.ts";

export const rooms: readonly Feature[] = [
  // Who cannot be reached is not here.
  ghosts,
  // Who may come in, and what awaits them, in the order of §7.1.
  admission,
  guests,
  affiliationVersions,
  join,
  history,
  // What is said: who may, then what it does, then everybody hears it.
  voice,
  slowMode,
  subject,
  moderation,
  groupchat,
  roomArchive,
  // What is said to one, or to the room.
  privateMessage,
  occupantIq,
  invitation,
  voiceRequest,
  unexpected,
  // Who is who, and how the room is set up.
  administration,
  standing,
  roomRegistration,
  configuration,
  hats,
  avatar,
  // What there is.
  discovery,
  roomService,
  channelSearch,
];

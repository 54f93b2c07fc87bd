/** XEP-0045 §10.2, §16.5.3: how a room is set up, every field defined once — https://xmpp.org/extensions/xep-0045.html */
import {
  booleanField,
  integerField,
  jidsField,
  linesField,
  listField,
  listsField,
  textField,
} from "../protocol/form-fields.ts";
import { defaults, type Values } from "../protocol/forms.ts";
import type { Settings } from "../settings.ts";

export const ROOM_CONFIG = "http://jabber.org/protocol/muc#roomconfig";
/** Our own fields, in the notation of XEP-0068 §3.4. */
const own = (name: string) => `{urn:x-enjamb:room}${name}`;
const options = (...values: number[]) => values.map((value) => ({ value: String(value) }));

export const FIELDS = {
  name: textField("muc#roomconfig_roomname", "Name", "", { max: 256 }),
  description: linesField("muc#roomconfig_roomdesc", "Description", "", { max: 1024 }),
  lang: textField("muc#roomconfig_lang", "Language of the discussions", "", { max: 35 }),
  persistent: booleanField("muc#roomconfig_persistentroom", "Keep the room when everybody has left", true),
  public: booleanField("muc#roomconfig_publicroom", "List the room publicly", true),
  membersOnly: booleanField("muc#roomconfig_membersonly", "Let only members in", false),
  moderated: booleanField("muc#roomconfig_moderatedroom", "Let only those speak who were given voice", false),
  passwordProtected: booleanField("muc#roomconfig_passwordprotectedroom", "Require a password", false),
  password: textField("muc#roomconfig_roomsecret", "Password", "", { max: 256, type: "text-private" }),
  maxUsers: listField(
    "muc#roomconfig_maxusers",
    "Most occupants",
    "200",
    options(10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000),
  ),
  whois: listField("muc#roomconfig_whois", "Who sees real addresses", "moderators", [
    { value: "moderators", label: "Moderators" },
    { value: "anyone", label: "Anyone" },
  ]),
  changeSubject: booleanField("muc#roomconfig_changesubject", "Let participants change the subject", false),
  allowInvites: booleanField("muc#roomconfig_allowinvites", "Let members invite others to a members-only room", false),
  allowPm: listField("muc#roomconfig_allowpm", "Who may send private messages", "anyone", [
    { value: "anyone", label: "Anyone" },
    { value: "participants", label: "Those with voice" },
    { value: "moderators", label: "Moderators" },
    { value: "none", label: "Nobody" },
  ]),
  presenceBroadcast: listsField(
    "muc#roomconfig_presencebroadcast",
    "Whose coming and going is shown",
    ["moderator", "participant", "visitor"],
    [{ value: "moderator" }, { value: "participant" }, { value: "visitor" }],
  ),
  memberList: listsField(
    "muc#roomconfig_getmemberlist",
    "Who may get the member list, where real addresses are shown",
    ["moderator", "participant", "visitor"],
    [{ value: "moderator" }, { value: "participant" }, { value: "visitor" }],
  ),
  logging: booleanField("muc#roomconfig_enablelogging", "Keep an archive that everybody who may enter can read", true),
  maxHistory: integerField("muc#maxhistoryfetch", "Most messages shown on entering", 20, { min: 0, max: 100 }),
  pubsub: textField("muc#roomconfig_pubsub", "URI of an associated publish-subscribe node", "", { max: 1024 }),
  slowMode: integerField("muc#roomconfig_slow_mode_duration", "Seconds between two messages of one person", 0, {
    min: 0,
    max: 86_400,
    description: "0 sets no pace.",
  }),
  register: booleanField(own("register"), "Let people register as members", true),
  listOccupants: booleanField(own("listoccupants"), "Tell who is here to those outside", false),
  guests: listField(own("guests"), "Guests without an account", "none", [
    { value: "none", label: "May not enter" },
    { value: "read", label: "May read" },
    { value: "speak", label: "May read and write" },
  ]),
} as const;

export type Config = Values<typeof FIELDS>;

/** The lists of people that ride in the form, though they are not configuration (§10.2). */
export const PEOPLE = {
  owners: jidsField("muc#roomconfig_roomowners", "Owners"),
  admins: jidsField("muc#roomconfig_roomadmins", "Administrators"),
} as const;

/** A room that sites embed: open to guests, kept, and quiet about who merely reads along. */
const EMBED: Partial<Config> = {
  persistent: true,
  public: true,
  guests: "speak",
  maxUsers: "10000",
  presenceBroadcast: ["moderator", "participant"],
  logging: true,
};

export const PRESETS = { embed: EMBED } as const;
export type Preset = keyof typeof PRESETS;

export function initialConfig(settings: Settings, preset?: Preset): Config {
  // Where nothing else is limited, rooms are not.
  const maxUsers = settings.limits ? FIELDS.maxUsers.default : "10000";
  return { ...defaults(FIELDS), maxUsers, logging: settings.archive, ...(preset && PRESETS[preset]) };
}

/** A stored configuration; fields that came later have their defaults. */
export function reviveConfig(settings: Settings, text: string): Config {
  return { ...initialConfig(settings), ...JSON.parse(text) };
}

/** What the tests of rooms have in common: entering one, and taking what comes until one is in. */

import type { Element } from "../../../src/xml/element.ts";
import type { Actor } from "../../support/actor.ts";
import type { World } from "../../support/world.ts";

export const MUC = "http://jabber.org/protocol/muc";
export const USER = `${MUC}#user`;
export const ADMIN = `${MUC}#admin`;
export const OWNER = `${MUC}#owner`;
export const CONFIG = `${MUC}#roomconfig`;
export const FORMS = "jabber:x:data";

export const roomOf = (world: World, name = "coven") => `${name}@${world.settings.mucDomain}`;

export const joining = (room: string, nick: string, inside = "") =>
  `<presence to="${room}/${nick}"><x xmlns="${MUC}">${inside}</x></presence>`;

/** Enters, and takes everything up to the subject. */
export async function enters(actor: Actor, room: string, nick: string, inside = ""): Promise<void> {
  await actor.sends(joining(room, nick, inside));
  for (;;) {
    const got = await actor.next();
    if (got.attrs.type === "error") throw new Error(`${actor.name} could not enter: ${got}`);
    if (got.name === "message" && got.getChild("subject") && !got.getChild("body")) return;
  }
}

/** Makes a room and sets it up with these fields; none is an instant room. */
export async function founds(actor: Actor, room: string, nick: string, fields: Record<string, string> = {}) {
  await enters(actor, room, nick);
  await configures(actor, room, fields);
  if (Object.keys(fields).length > 0) await actor.receives(`<message/>`, { extra: true });
}

export const submission = (fields: Record<string, string>) => {
  const values = Object.entries({ FORM_TYPE: CONFIG, ...fields });
  const field = ([name, value]: string[]) => `<field var="${name}"><value>${value}</value></field>`;
  return `<query xmlns="${OWNER}"><x xmlns="${FORMS}" type="submit">${values.map(field).join("")}</x></query>`;
};

export async function configures(actor: Actor, room: string, fields: Record<string, string>): Promise<void> {
  const instant = `<query xmlns="${OWNER}"><x xmlns="${FORMS}" type="submit"/></query>`;
  const id = `config-${Math.random()}`;
  const query = Object.keys(fields).length > 0 ? submission(fields) : instant;
  await actor.sends(`<iq type="set" id="${id}" to="${room}">${query}</iq>`);
  await actor.receives(`<iq type="result" id="${id}" from="${room}" to="${actor.jid}"/>`);
}

export const item = (attrs: string, inside = "") => `<query xmlns="${ADMIN}"><item ${attrs}>${inside}</item></query>`;

export const error = (type: string, condition: string) =>
  `<error type="${type}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;

/** Takes stanzas until one satisfies the test. */
export async function until(actor: Actor, found: (stanza: Element) => boolean): Promise<Element> {
  for (;;) {
    const got = await actor.next();
    if (found(got)) return got;
  }
}

/** Asserts that an answer is this error. */
export function refused(answer: Element, condition: string): void {
  if (answer.attrs.type !== "error" || !answer.getChild("error")?.getChild(condition))
    throw new Error(`${condition} expected, not\n${answer}`);
}

export function granted(answer: Element): Element {
  if (answer.attrs.type !== "result") throw new Error(`a result expected, not\n${answer}`);
  return answer;
}

/** An occupant's presence. `inside`: more of `<x/>`. */
export const shows = (room: string, nick: string, attrs: string, inside = "", type = "") =>
  `<presence ${type && `type="${type}"`} from="${room}/${nick}"><x xmlns="${USER}"><item ${attrs}/>${inside}</x></presence>`;

export const code = (...codes: number[]) => codes.map((one) => `<status code="${one}"/>`).join("");

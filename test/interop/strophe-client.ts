/** What tests with Strophe.js share: its types as Node has them, and promises for its callbacks. */
import { type $iq, Strophe } from "strophe.js";
import { awaited } from "./fixture.ts";

// Quirk: it logs every step unless told not to.
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

/** As much of a DOM element as these tests read. Strophe brings a DOM of its own to Node. */
export interface Xml {
  tagName: string;
  textContent: string | null;
  getAttribute(name: string): string | null;
  getElementsByTagName(name: string): ArrayLike<Xml>;
}
export type Connection = InstanceType<typeof Strophe.Connection>;
/** Strophe's own types name the browser's Element, which Node has not. */
type Handler = Parameters<Connection["addHandler"]>[0];
type Answer = Parameters<Connection["sendIQ"]>[1];
type Refusal = Parameters<Connection["sendIQ"]>[2];

export const all = (it: Xml, name: string): Xml[] => Array.from(it.getElementsByTagName(name));
export const first = (it: Xml, name: string): Xml | undefined => all(it, name)[0];
export const text = (it: Xml, name: string): string | undefined => first(it, name)?.textContent ?? undefined;

/** A handler stays for as long as it returns true. */
export function listen(to: Connection, name: string, handle: (it: Xml) => boolean): void {
  to.addHandler(handle as unknown as Handler, "", name, "", "", "");
}

/** The next stanza of that name which `match` likes. */
export function stanza(to: Connection, name: string, match: (it: Xml) => boolean): Promise<Xml> {
  const { promise, resolve } = awaited<Xml>(`${name} with ${match}`);
  listen(to, name, (it) => {
    if (!match(it)) return true;
    resolve(it);
    return false;
  });
  return promise;
}

/** Its answer; an error rejects with its conditions. */
export function request(by: Connection, iq: ReturnType<typeof $iq>): Promise<Xml> {
  return new Promise((resolve, reject) => {
    const refused = (error: Xml | null) =>
      reject(new Error(error ? `refused: ${all(error, "*").map(({ tagName }) => tagName)}` : "no answer"));
    by.sendIQ(iq, resolve as unknown as Answer, refused as unknown as Refusal, 5_000);
  });
}

/** What the tests of archives have in common: asking, and telling results from the answer behind them. */
import type { Element } from "../../../src/xml/element.ts";
import type { Actor } from "../../support/actor.ts";

export const MAM = "urn:xmpp:mam:2";
export const RETRACT = "urn:xmpp:message-retract:1";

export const field = (name: string, ...values: string[]) =>
  `<field var="${name}">${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
export const form = (...fields: string[]) =>
  `<x xmlns="jabber:x:data" type="submit">${field("FORM_TYPE", MAM)}${fields.join("")}</x>`;
export const set = (inner: string) => `<set xmlns="http://jabber.org/protocol/rsm">${inner}</set>`;

export interface Answer {
  /** The messages around the results, in the order they came in. */
  results: Element[];
  /** The archived messages in them. */
  messages: Element[];
  /** UIDs, and bodies ("" for a message without). */
  uids: string[];
  bodies: string[];
  fin: Element | undefined;
  set: Element | undefined;
  /** The IQ: an error if it was refused. */
  iq: Element;
}

let counter = 0;

/** Queries the archive at `to` (absent: one's own); nothing but results may come before the answer. */
export async function query(actor: Actor, children = "", to?: string): Promise<Answer> {
  const id = `mam-${++counter}`;
  const address = to ? ` to="${to}"` : "";
  await actor.sends(
    `<iq type="set" id="${id}"${address}><query xmlns="${MAM}" queryid="${id}">${children}</query></iq>`,
  );
  const results: Element[] = [];
  for (;;) {
    const got = await actor.next();
    if (got.name === "iq" && got.attrs.id === id) {
      const inner = results.map((result) => result.getChild("result", MAM));
      const messages = inner.flatMap(
        (result) => result?.getChild("forwarded", "urn:xmpp:forward:0")?.getChild("message", "jabber:client") ?? [],
      );
      const fin = got.getChild("fin", MAM);
      return {
        results,
        messages,
        uids: inner.map((result) => result?.attrs.id ?? ""),
        bodies: messages.map((message) => message.getChildText("body") ?? ""),
        fin,
        set: fin?.getChild("set"),
        iq: got,
      };
    }
    if (got.getChild("result", MAM)?.attrs.queryid !== id)
      throw new Error(`${actor.name} expected a result, not ${got}`);
    results.push(got);
  }
}

export const condition = ({ iq }: Answer) =>
  iq
    .getChild("error")
    ?.getChildElements()
    .find(({ name }) => name !== "text")?.name;

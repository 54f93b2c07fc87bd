/** A client that says by its capabilities which events it wants, for tests of eventing. */
import { expect } from "vitest";
import { capsVersion } from "../../../src/protocol/caps.ts";
import type { Element } from "../../../src/xml/element.ts";
import { read } from "../../../src/xml/reader.ts";
import type { Client } from "../features/fake.ts";

const INFO = "http://jabber.org/protocol/disco#info";

/** disco#info of a client that wants the events of some nodes. */
export function infoOf(nodes: readonly string[]): string {
  const features = nodes.map((node) => `<feature var="${node}+notify"/>`).join("");
  return `<query xmlns="${INFO}"><identity category="client" type="web" name="Test"/>${features}</query>`;
}

/** `<c/>` of such a client. */
export function capsOf(nodes: readonly string[]): string {
  const ver = capsVersion(read(infoOf(nodes)));
  return `<c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="https://test.example" ver="${ver}"/>`;
}

/** Sends presence with capabilities; answers when asked for them. @returns whether it was asked */
export async function comesOnLine(client: Client, nodes: readonly string[]): Promise<boolean> {
  await client.sends(`<presence>${capsOf(nodes)}</presence>`);
  const at = client.inbox.findIndex((el) => el.name === "iq" && el.attrs.type === "get");
  const [question] = at < 0 ? [] : client.inbox.splice(at, 1);
  if (!question) return false;
  expect(question.getChild("query", INFO)?.attrs.node).toContain("https://test.example#");
  await client.sends(`<iq type="result" to="${question.attrs.from}" id="${question.attrs.id}">${infoOf(nodes)}</iq>`);
  return true;
}

/** The events among what a client has received, as "node id …" or "node -id" for what was retracted. */
export function eventsOf(client: Client): string[] {
  return client.takes().flatMap((el) => eventOf(el) ?? []);
}

export function eventOf(el: Element): string | undefined {
  const event = el.getChild("event", "http://jabber.org/protocol/pubsub#event");
  const what = event?.getChildElements()[0];
  if (!what) return undefined;
  if (what.name !== "items") return `${what.attrs.node} ${what.name}`;
  const items = what.getChildElements().map(({ name, attrs: { id } }) => (name === "retract" ? `-${id}` : id));
  return [what.attrs.node, ...items].join(" ");
}

export const publish = (node: string, id: string, payload: string, options = "") =>
  `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="${node}"><item id="${id}">${payload}</item></publish>${
    options && `<publish-options>${form("publish-options", options)}</publish-options>`
  }</pubsub>`;

/** A submitted form; fields as "name=value" of names after "pubsub#", separated by spaces. */
export function form(type: string, fields: string): string {
  const values = fields.split(" ").map((field) => {
    const [name, value] = field.split("=");
    return `<field var="pubsub#${name}"><value>${value}</value></field>`;
  });
  const formType = `<field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#${type}</value></field>`;
  return `<x xmlns="jabber:x:data" type="submit">${formType}${values.join("")}</x>`;
}

/** The condition of an error, and the one of pubsub. */
export function conditions(answer: Element): string[] {
  const error = answer.getChild("error");
  return (
    error
      ?.getChildElements()
      .flatMap(({ name, attrs }) => (name === "text" ? [] : [attrs.feature ? `${name} ${attrs.feature}` : name])) ?? []
  );
}

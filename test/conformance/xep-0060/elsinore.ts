/** Pubsub's requests as XML, and how the service takes them. */
import { expect } from "vitest";
import type { Element } from "../../../src/xml/element.ts";
import type { Actor } from "../../support/actor.ts";
import { conditions, form } from "../../unit/pubsub/eventing.ts";

export const NS = "http://jabber.org/protocol/pubsub";
export const HOST = "pubsub.capulet.example";

export const pubsub = (inner: string) => `<pubsub xmlns="${NS}">${inner}</pubsub>`;
export const owner = (inner: string) => `<pubsub xmlns="${NS}#owner">${inner}</pubsub>`;
/** `config`: "field=value" by spaces, without their prefix. */
export const create = (node: string, config: string) =>
  pubsub(`<create node="${node}"/><configure>${form("node_config", config)}</configure>`);
export const event = (to: string, inner: string, more = "") =>
  `<message type="headline" id="*" from="${HOST}" to="${to}"><event xmlns="${NS}#event">${inner}</event>${more}</message>`;

/** What the service answers, which is no error. */
export async function ok(actor: Actor, type: "get" | "set", payload: string): Promise<Element> {
  const answer = await actor.asks(type, payload, HOST);
  expect(answer.attrs.type, String(answer)).toBe("result");
  return answer;
}

/** The conditions of the error that it answers. */
export const refused = async (actor: Actor, type: "get" | "set", payload: string) =>
  conditions(await actor.asks(type, payload, HOST));

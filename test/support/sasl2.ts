/** XEP-0388, client side: one `<authenticate/>` with what rides in it. */
import { createHmac } from "node:crypto";
import type { Element } from "../../src/xml/element.ts";
import type { Actor } from "./actor.ts";

export const SASL2 = "urn:xmpp:sasl:2";
export const BIND2 = "urn:xmpp:bind:0";
export const FAST = "urn:xmpp:fast:0";
export const TOKEN_MECHANISM = "HT-SHA-256-NONE";

export const base64 = (data: string | Buffer) => Buffer.from(data).toString("base64");

export const plain = (name: string, password = `${name}'s secret`) => base64(`\0${name}\0${password}`);

/** The message that proves a token (XEP-0484 §4.4). */
export function tokenProof(name: string, token: string): string {
  const hash = createHmac("sha256", token).update("Initiator").digest();
  return base64(Buffer.concat([Buffer.from(`${name}\0`), hash]));
}

export interface Attempt {
  readonly mechanism?: string;
  readonly initial?: string;
  /** The id of the user agent. */
  readonly client?: string;
  /** Children of `<authenticate/>`. */
  readonly inline?: string;
}

/** Sends `<authenticate/>` on a stream that is open. */
export function authenticate(
  actor: Actor,
  { mechanism = "PLAIN", initial, client, inline = "" }: Attempt,
): Promise<void> {
  const agent =
    client === undefined ? "" : `<user-agent id="${client}"><software>Enjamb's tests</software></user-agent>`;
  const data = `<initial-response>${initial ?? plain(actor.name)}</initial-response>`;
  return actor.sends(`<authenticate xmlns="${SASL2}" mechanism="${mechanism}">${data}${agent}${inline}</authenticate>`);
}

/** …and takes the success. The actor has its address if the success names a full one. */
export async function succeeds(actor: Actor, attempt: Attempt): Promise<Element> {
  await authenticate(actor, attempt);
  const success = await actor.receives(
    `<success xmlns="${SASL2}"><authorization-identifier>*</authorization-identifier></success>`,
    {
      extra: true,
    },
  );
  actor.jid = success.getChildText("authorization-identifier") ?? "";
  return success;
}

export async function failsToAuthenticate(actor: Actor, attempt: Attempt, condition: string): Promise<void> {
  await authenticate(actor, attempt);
  await actor.receives(`<failure xmlns="${SASL2}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/></failure>`, {
    extra: true,
  });
}

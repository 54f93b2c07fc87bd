/**
 * XEP-0363: HTTP File Upload, v1.2.0, §4: what a client may put where — https://xmpp.org/extensions/xep-0363.html
 *
 * A slot is signed, so nothing has to be remembered of one that is never used. A file's id is sealed, so that no object is
 * woken, let alone made, by an id that somebody has thought up.
 */
import { createHmac } from "node:crypto";
import { randomName } from "../protocol/base32.ts";
import { equal } from "../protocol/scram.ts";

export const UPLOAD_PATH = "/upload";

/** §8: there is no reason to wait with an upload. */
export const SLOT_MS = 300_000;

export interface Slot {
  /** Of the file: `newFileId`. */
  id: string;
  name: string;
  /** In bytes. */
  size: number;
  /** A MIME type; "" when the client did not say. */
  type: string;
  /** In ms: the slot is good until then, and the file is. */
  until: number;
  expires: number;
}

const mac = (secret: string, text: string) => createHmac("sha256", secret).update(text).digest("base64url");

const seal = (secret: string, name: string) => mac(secret, `file ${name}`).slice(0, 22);

export function newFileId(secret: string): string {
  const name = randomName();
  return `${name}.${seal(secret, name)}`;
}

export function isFileId(secret: string, id: string): boolean {
  const dot = id.indexOf(".");
  return dot > 0 && equal(Buffer.from(seal(secret, id.slice(0, dot))), Buffer.from(id.slice(dot + 1)));
}

export const filePath = ({ id, name }: Pick<Slot, "id" | "name">) => `${UPLOAD_PATH}/${id}/${encodeURIComponent(name)}`;

/** The path and query to put the file to. */
export function slotPath(secret: string, slot: Slot): string {
  const { id: _, name: __, ...rest } = slot;
  const facts = Buffer.from(JSON.stringify(rest)).toString("base64url");
  return `${filePath(slot)}?slot=${facts}.${mac(secret, `${slot.id} ${slot.name} ${facts}`)}`;
}

/** The file that a URL names: as far as it says, whether there is one or not. */
export function fileOf({ pathname }: URL): Pick<Slot, "id" | "name"> | undefined {
  try {
    const [id = "", name = ""] = pathname.split("/").slice(-2).map(decodeURIComponent);
    return { id, name };
  } catch {
    return undefined; // a % that begins no byte
  }
}

/** The slot that a URL names; undefined when this server has given no such slot. */
export function readSlot(secret: string, url: URL): Slot | undefined {
  const { id, name } = fileOf(url) ?? {};
  const [facts = "", signature = ""] = slotOf(url).split(".");
  return equal(Buffer.from(mac(secret, `${id} ${name} ${facts}`)), Buffer.from(signature)) ? openSlot(url) : undefined;
}

/** The slot of a URL that `readSlot` has taken. */
export function openSlot(url: URL): Slot {
  const [facts = ""] = slotOf(url).split(".");
  return { ...fileOf(url), ...JSON.parse(Buffer.from(facts, "base64url").toString()) };
}

const slotOf = ({ searchParams }: URL) => searchParams.get("slot") ?? "";

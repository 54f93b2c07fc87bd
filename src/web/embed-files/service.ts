/** XEP-0363: HTTP File Upload, v1.2.0 — https://xmpp.org/extensions/xep-0363.html — as a client that is a page. */
import type { Client } from "../client/client.ts";
import { xml } from "../client/element.ts";
import { readForm } from "../client/form.ts";

const UPLOAD = "urn:xmpp:http:upload:0";
const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";
/** Of a server's services, so many are asked what they are. */
const ASKED = 20;

export interface Service {
  jid: string;
  /** Bytes a file may have. */
  most: number;
}

/** The service that takes files of this user, if there is any: who may not upload is not told of one (§3). */
export async function findService(client: Client): Promise<Service | undefined> {
  const domain = client.bare.split("@")[1]!;
  const ask = async (jid: string, ns: string) =>
    (await client.iq("get", jid, xml("query", { xmlns: ns })).catch(() => undefined))?.child("query", ns);
  const items = (await ask(domain, ITEMS))?.all("item", ITEMS) ?? [];
  const jids = [...items.map(({ attrs }) => attrs.jid), domain].filter((jid) => jid !== undefined).slice(0, ASKED);
  const services = jids.map(async (jid): Promise<Service | undefined> => {
    const info = await ask(jid, INFO);
    if (!info?.all("feature").some(({ attrs }) => attrs.var === UPLOAD)) return undefined;
    const fields = info.all("x", "jabber:x:data").flatMap(readForm);
    const limit = fields.find(({ name }) => name === "max-file-size")?.values[0];
    return { jid, most: Number(limit) || Number.POSITIVE_INFINITY };
  });
  return (await Promise.all(services)).find((service) => service);
}

/** Where a file is put, with what headers, and where it can be had then (§4). */
export interface Slot {
  put: string;
  headers: [name: string, value: string][];
  get: string;
}

export async function askSlot(client: Client, { jid }: Service, { name, size, type }: File): Promise<Slot> {
  const request = xml("request", { xmlns: UPLOAD, filename: name, size, "content-type": type || undefined });
  const slot = (await client.iq("get", jid, request)).child("slot", UPLOAD);
  const put = slot?.child("put");
  // §5: only these; a page cannot set the third, which is Cookie.
  const headers = (put?.all("header") ?? [])
    .map((header): [string, string] => [header.attrs.name ?? "", header.text()!.replace(/[\r\n]/g, "")])
    .filter(([name]) => /^(authorization|expires)$/i.test(name));
  const [to = "", from = ""] = [put?.attrs.url, slot?.child("get")?.attrs.url];
  if (!URL.canParse(to) || !URL.canParse(from)) throw new Error(jid);
  return { put: to, headers, get: from };
}

/** Puts a file; `signal` ends it. What `fetch` does not tell is how far it has come, from 0 to 1. */
export function putFile(
  { put, headers }: Slot,
  file: File,
  signal: AbortSignal,
  come: (part: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", put);
    for (const [name, value] of headers) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => come(loaded / total);
    request.onload = () => {
      if (request.status < 300) resolve();
      else reject(new Error(request.responseText.trim().slice(0, 200) || String(request.status)));
    };
    request.onerror = () => reject(new Error(new URL(put).host));
    request.onabort = () => reject(signal.reason);
    signal.onabort = () => request.abort();
    request.send(file);
  });
}

/** One file that somebody has uploaded; it goes, all of it, when its time is over. */
import { DurableObject } from "cloudflare:workers";
import type { Secrets } from "../src/kernel/entity.ts";
import { migrate, type SqlStorage, sqlOver } from "../src/kernel/sql.ts";
import { settingsOf } from "../src/settings.ts";
import { FILE, fileHeaders, readRange, StoredFile } from "../src/upload/file.ts";
import { isFileId, readSlot, type Slot } from "../src/upload/slot.ts";
import { type Env, stubs } from "./ports.ts";

export class File extends DurableObject<Env> {
  #secrets!: Secrets;
  #file: StoredFile | undefined;
  /** Somebody is putting it just now; the upload keeps the object awake. */
  #open = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      this.#secrets = await stubs(env, settingsOf(env)).directory().secrets();
    });
  }

  /** Made when a request has proved that it is for a file of ours: until then nothing is written. */
  get file(): StoredFile {
    if (!this.#file) {
      const storage = this.ctx.storage.sql as unknown as SqlStorage;
      migrate(storage, [FILE]);
      this.#file = new StoredFile(sqlOver(storage));
    }
    return this.#file;
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [id = "", name = ""] = pathname.split("/").slice(-2).map(decodeURIComponent);
    if (!isFileId(this.#secrets.upload, id)) return refusal(404, "There is no such file.");
    if (request.method !== "PUT") return this.#get(request, id, name);
    const slot = readSlot(this.#secrets.upload, { id, name, slot: searchParams.get("slot") ?? "" });
    return slot ? this.#put(request, slot) : refusal(403, "This server has given no such slot.");
  }

  async #put({ headers, body }: Request, slot: Slot): Promise<Response> {
    if (slot.until < Date.now()) return refusal(403, "This slot is no longer good; ask for another.");
    if (this.#open || this.file.facts) return refusal(409, "This slot has been used.");
    const length = headers.get("content-length");
    if (length !== null && Number(length) !== slot.size) return wrongSize(slot);
    const type = headers.get("content-type") ?? "";
    if (slot.type !== "" && type !== "" && essence(type) !== essence(slot.type))
      return refusal(415, `The slot is for ${slot.type}.`);
    this.#open = true;
    try {
      // Whatever becomes of the upload, it does not stay for longer.
      await this.ctx.storage.setAlarm(slot.until);
      const bytes = body as unknown as AsyncIterable<Uint8Array> | null;
      if ((await this.file.put(slot, type || slot.type || "application/octet-stream", bytes ?? none())) !== slot.size)
        return wrongSize(slot);
      await this.ctx.storage.setAlarm(slot.expires);
      return new Response(null, { status: 201 });
    } finally {
      this.#open = false;
    }
  }

  #get({ method, headers }: Request, id: string, name: string): Response {
    const facts = this.file.facts;
    if (!facts || facts.name !== name || facts.expires <= Date.now()) return refusal(404, "There is no such file.");
    const found = fileHeaders(facts, id, Date.now());
    if (headers.get("if-none-match") === found.etag) return new Response(null, { status: 304, headers: found });
    const range = readRange(headers.get("range"), facts.size);
    if (range === "none")
      return new Response(null, { status: 416, headers: { "content-range": `bytes */${facts.size}` } });
    const { first, last } = range ?? { first: 0, last: facts.size - 1 };
    const length = last + 1 - first;
    if (range) found["content-range"] = `bytes ${first}-${last}/${facts.size}`;
    const status = range ? 206 : 200;
    if (method === "HEAD")
      return new Response(null, { status, headers: { ...found, "content-length": String(length) } });
    const { readable, writable } = new FixedLengthStream(length);
    const pieces = this.file.read({ first, last });
    this.ctx.waitUntil(pour(pieces, writable));
    return new Response(readable, { status, headers: found });
  }

  override async alarm(): Promise<void> {
    const facts = this.file.facts;
    // An upload that is still going on when its slot ends is looked at again when the file's own time is over.
    if (this.#open || (facts && facts.expires > Date.now())) return;
    await this.ctx.storage.deleteAll();
    this.#file = undefined;
  }
}

const refusal = (status: number, text: string) => new Response(`${text}\n`, { status });
const wrongSize = ({ size }: Slot) => refusal(413, `The slot is for ${size} bytes.`);
const essence = (type: string) => type.split(";", 1)[0]?.trim().toLowerCase();

async function pour(pieces: Iterable<Uint8Array>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  } catch {
    // A reader that goes away has read enough.
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}

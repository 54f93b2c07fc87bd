/** One file that somebody has uploaded; it goes, all of it, when its time is over. */
import { DurableObject } from "cloudflare:workers";
import { migrate, type SqlStorage, sqlOver } from "../src/kernel/sql.ts";
import { FILE, fileHeaders, readRange, StoredFile } from "../src/upload/file.ts";
import { fileOf, openSlot, type Slot } from "../src/upload/slot.ts";
import type { Env } from "./ports.ts";
import type { FileRpc } from "./rpc.ts";

/** It believes the edge, which has judged what a request names. */
export class File extends DurableObject<Env> implements FileRpc {
  readonly #file: StoredFile;
  /** Somebody is putting it just now; the upload keeps the object awake. */
  #open = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const storage = ctx.storage.sql as unknown as SqlStorage;
    this.#file = new StoredFile(sqlOver(storage), () => migrate(storage, [FILE]));
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    return request.method === "PUT" ? this.#put(request, openSlot(url)) : this.#get(request, fileOf(url));
  }

  async #put({ headers, body }: Request, slot: Slot): Promise<Response> {
    if (this.#open || this.#file.facts) return refusal(409, "This slot has been used.");
    const type = headers.get("content-type") || slot.type || "application/octet-stream";
    const bytes = body as unknown as AsyncIterable<Uint8Array> | null;
    this.#open = true;
    let whole = false;
    try {
      // Should this end with the process, the pieces do not stay for longer than the slot.
      await this.ctx.storage.setAlarm(slot.until);
      whole = await this.#file.put(slot, type, bytes ?? none());
      if (!whole) return refusal(413, `The slot is for ${slot.size} bytes.`);
      await this.ctx.storage.setAlarm(slot.expires);
      return new Response(null, { status: 201 });
    } finally {
      this.#open = false;
      if (!whole) await this.alarm();
    }
  }

  #get({ method, headers }: Request, { id = "", name = "" }: Partial<Slot> = {}): Response {
    const facts = this.#file.facts;
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
    const pieces = this.#file.read({ first, last });
    this.ctx.waitUntil(pour(pieces, writable));
    return new Response(readable, { status, headers: found });
  }

  async forget(until: number): Promise<void> {
    this.#file.forget(until);
    await this.ctx.storage.setAlarm(until);
  }

  override async alarm(): Promise<void> {
    const facts = this.#file.facts;
    // An upload that is still going on when its slot ends sets the alarm itself.
    if (this.#open || (facts && facts.expires > Date.now())) return;
    await this.ctx.storage.deleteAll();
  }
}

const refusal = (status: number, text: string) => new Response(`${text}\n`, { status });

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

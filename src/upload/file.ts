/** XEP-0363 v1.2.0 §7, §9: a file that was put, in pieces — https://xmpp.org/extensions/xep-0363.html */
import type { Table } from "../kernel/feature.ts";
import type { Sql } from "../kernel/sql.ts";
import type { Slot } from "./slot.ts";

/** The row of `file` is written last: without it the pieces are of an upload that was cut off. */
export const FILE: Table = {
  name: "file",
  steps: [
    `CREATE TABLE file (
       one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL, expires INTEGER NOT NULL)`,
    "CREATE TABLE piece (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
  ],
};

/** Below the 2 MB that a row of an object may have. */
export const PIECE = 1024 * 1024;

/** In bytes, the last one included. */
export interface Range {
  first: number;
  last: number;
}

export interface FileFacts {
  name: string;
  type: string;
  size: number;
  /** In ms. */
  expires: number;
}

export class StoredFile {
  readonly #sql: Sql;
  readonly #migrate: () => void;

  /** `migrate` makes the tables, or brings them up to date. */
  constructor(sql: Sql, migrate: () => void) {
    this.#sql = sql;
    this.#migrate = migrate;
  }

  /** Who looks for a file that was never put leaves nothing behind: the tables are made by `put`. */
  get facts(): FileFacts | undefined {
    const [made] = this.#sql`SELECT 1 FROM sqlite_master WHERE name = ${FILE.name}`;
    if (!made) return undefined;
    this.#migrate();
    return this.#sql<FileFacts>`SELECT name, type, size, expires FROM file`[0];
  }

  /** Nothing of it stays, nor of what is being put just now, and until a time in ms nothing can be put: there is a file of no bytes. */
  forget(until: number): void {
    this.#migrate();
    this.#sql`DELETE FROM piece`;
    this.#sql`INSERT OR REPLACE INTO file VALUES (1, '', '', 0, ${until})`;
  }

  /** Stores what comes. @returns whether it is what the slot is for, and is kept */
  async put({ name, size, expires }: Slot, type: string, body: AsyncIterable<Uint8Array>): Promise<boolean> {
    this.#migrate();
    this.#sql`DELETE FROM piece`;
    const piece = new Uint8Array(Math.min(PIECE, size));
    let filled = 0;
    let total = 0;
    let n = 0;
    for await (const chunk of body) {
      total += chunk.length;
      if (total > size) break;
      for (let from = 0; from < chunk.length; ) {
        const part = chunk.subarray(from, from + piece.length - filled);
        piece.set(part, filled);
        filled += part.length;
        from += part.length;
        if (filled < piece.length) continue;
        this.#add(n++, piece);
        filled = 0;
      }
    }
    const whole = total === size && !this.facts;
    if (whole) {
      if (filled > 0) this.#add(n, piece.subarray(0, filled));
      this.#sql`INSERT INTO file VALUES (1, ${name}, ${type}, ${size}, ${expires})`;
    } else this.#sql`DELETE FROM piece`;
    return whole;
  }

  #add(n: number, bytes: Uint8Array): void {
    this.#sql`INSERT INTO piece VALUES (${n}, ${bytes.slice().buffer as ArrayBuffer})`;
  }

  /** The bytes of a range, piece by piece. */
  *read({ first, last }: Range): Generator<Uint8Array> {
    for (let n = Math.floor(first / PIECE); n * PIECE <= last; n++) {
      const [row] = this.#sql<{ bytes: ArrayBuffer }>`SELECT bytes FROM piece WHERE n = ${n}`;
      if (!row) return;
      yield new Uint8Array(row.bytes).subarray(Math.max(0, first - n * PIECE), last + 1 - n * PIECE);
    }
  }
}

/** RFC 9110 §14.2: the one range that is asked for; "none" when it lies outside; undefined for the whole. */
export function readRange(header: string | null, size: number): Range | "none" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, from = "", to = ""] = match;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first > last ? "none" : { first, last };
}

/** What a page may show; everything else is saved (security.md E9). SVG is a document that runs scripts. */
const SHOWN = /^(?:image\/(?!svg)|audio\/|video\/|text\/plain\b)/;

/** The headers of a file: a stranger's, so nothing in it runs, and it is what its sender said, or saved. */
export function fileHeaders({ name, type, expires }: FileFacts, etag: string, now: number): Record<string, string> {
  const shown = SHOWN.test(type);
  return {
    "content-type": type,
    "content-disposition": `${shown ? "inline" : "attachment"}; filename*=UTF-8''${encodeRfc8187(name)}`,
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": `public, max-age=${Math.max(0, Math.floor((expires - now) / 1000))}, immutable`,
    "accept-ranges": "bytes",
    etag: `"${etag}"`,
  };
}

const encodeRfc8187 = (text: string) =>
  encodeURIComponent(text).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** XEP-0313 §3: what clients call an archived message — https://xmpp.org/extensions/xep-0313.html#archives_id */
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";

/**
 * A UID is one block of AES-128 under a key of this deployment: the row's number and a mark of whose archive it is in. So a
 * row has its number and nothing else, while a UID tells nobody when or beside what it was made, and one that was made up
 * is none of ours, but for one in 2^75.
 */
export class Uids {
  readonly #secret: string;
  readonly #archive: string;
  #mark: bigint | undefined;

  /** `archive`: the address that it is the archive of. */
  constructor(secret: string, archive: string) {
    this.#secret = secret;
    this.#archive = archive;
  }

  get #markOf(): bigint {
    this.#mark ??= createHash("sha256").update(this.#archive).digest().readBigUInt64BE();
    return this.#mark;
  }

  /** The UIDs of these numbers; a page of them costs little more than one. */
  seal(ids: readonly number[]): string[] {
    const blocks = new DataView(new ArrayBuffer(ids.length * BLOCK));
    ids.forEach((id, i) => {
      blocks.setBigUint64(i * BLOCK, BigInt(id));
      blocks.setBigUint64(i * BLOCK + HALF, this.#markOf);
    });
    const sealed = ciphersOf(this.#secret).seal.update(blocks);
    return ids.map((_, i) => sealed.toString("base64url", i * BLOCK, (i + 1) * BLOCK));
  }

  /** The number behind a UID of this archive's. */
  open(uid: string): number | undefined {
    // Ids of version 0.1, which was the number itself: who may ask for it may read the whole archive.
    if (/^[0-9a-z]{1,11}$/.test(uid)) return Number.parseInt(uid, 36);
    if (!/^[\w-]{21}[AQgw]$/.test(uid)) return undefined;
    const block = ciphersOf(this.#secret).open.update(Buffer.from(uid, "base64url"));
    const id = Number(block.readBigUInt64BE());
    return Number.isSafeInteger(id) && block.readBigUInt64BE(HALF) === this.#markOf ? id : undefined;
  }
}

const BLOCK = 16;
const HALF = 8;

/** A cache: making a cipher costs ten times what it does. Blocks are each for itself, and no two are the same. */
let ciphers: { secret: string; seal: Cipher; open: Cipher } | undefined;

type Cipher = Pick<ReturnType<typeof createCipheriv>, "update">;

function ciphersOf(secret: string): { seal: Cipher; open: Cipher } {
  if (ciphers?.secret !== secret) {
    const key = createHash("sha256").update(`uid ${secret}`).digest().subarray(0, BLOCK);
    const seal = createCipheriv("aes-128-ecb", key, "").setAutoPadding(false);
    ciphers = { secret, seal, open: createDecipheriv("aes-128-ecb", key, "").setAutoPadding(false) };
  }
  return ciphers;
}

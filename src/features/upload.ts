/** XEP-0363: HTTP File Upload, v1.2.0 — https://xmpp.org/extensions/xep-0363.html */
import { type Account, account } from "../account/account.ts";
import { type Feature, handlersAt } from "../kernel/feature.ts";
import { formatDateTime, parseDateTime } from "../protocol/datetime.ts";
import { contactForm, infoElement } from "../protocol/disco.ts";
import { stanzaError } from "../protocol/errors.ts";
import { resultForm } from "../protocol/forms.ts";
import { DISCO_INFO, DISCO_ITEMS } from "../protocol/ns.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { abandon, GIVEN } from "../upload/given.ts";
import { filePath, newFileId, SLOT_MS, type Slot, slotPath } from "../upload/slot.ts";
import { type Element, xml } from "../xml/element.ts";
import { utf8Length } from "../xml/limits.ts";

const NS = "urn:xmpp:http:upload:0";
const PURPOSE = "urn:xmpp:http:upload:purpose:0";
const MAX_NAME = 255;
const MAX_TYPE = 127;
const DAY_MS = 86_400_000;
/** What the smallest file takes on a disk, being an object of its own, it takes of the day's bytes. */
const LEAST = 20_480;

/** The upload service, as one account sees it: it has no other guests. */
const service = handlersAt<Account, Record<never, never>>("upload");

/** §4: where to put a file and where to get it. */
function slot(account: Account, iq: Stanza): Element {
  const { uploadBytes, uploadDays, publicUrl } = account.settings;
  const { filename = "", size: bytes = "", "content-type": type = "" } = iq.payload.attrs;
  const size = /^[1-9]\d{0,14}$/.test(bytes) ? Number(bytes) : 0;
  const name = plainName(filename);
  if (size === 0 || name === "") throw stanzaError("bad-request", "A slot is for a file with a name and a size.");
  if (type.length > MAX_TYPE || (type !== "" && !/^[\w.+-]+\/[\w.+-]+(?:\s*;[\x20-\x7e]*)?$/.test(type)))
    throw stanzaError("bad-request", "The content-type is no MIME type.");
  if (size > uploadBytes) {
    const most = xml("file-too-large", { xmlns: NS }, xml("max-file-size", {}, String(uploadBytes)));
    throw stanzaError("not-acceptable", `A file has at most ${uploadBytes} bytes.`, most);
  }
  const now = account.now;
  const expires = Math.min(now + uploadDays * DAY_MS, expiry(iq.payload, now));
  const { upload } = account.object.secrets;
  const given: Slot = { id: newFileId(upload), name, size, type, until: now + SLOT_MS, expires };
  spend(account, given, now);
  const site = publicUrl ?? account.resources.get(iq.from.resource)?.state.site ?? `https://${account.jid.domain}`;
  const put = xml("put", { url: site + slotPath(upload, given) });
  return xml("slot", { xmlns: NS }, put, xml("get", { url: site + filePath(given) }));
}

/** The last part of a path, without what no file system would take. */
function plainName(filename: string): string {
  const name = filename.slice(filename.search(/[^/\\]*$/)).replace(/[\p{Cc}\p{Cs}]/gu, "");
  if (utf8Length(name) > MAX_NAME) throw stanzaError("bad-request", `A file's name has at most ${MAX_NAME} bytes.`);
  return name === "." || name === ".." ? "" : name;
}

/** §5.3: after that the file must be gone. */
function expiry(request: Element, now: number): number {
  const ephemeral = request.getChild("ephemeral", PURPOSE);
  if (!ephemeral) return Number.POSITIVE_INFINITY;
  const before = parseDateTime(ephemeral.attrs["expire-before"] ?? "")?.getTime() ?? 0;
  if (before <= now) throw stanzaError("bad-request", "expire-before is no time to come.");
  return before;
}

/** What an account may upload in a day (security.md §4), counted when the slot is given. */
function spend({ sql, id: owner, settings }: Account, { id, size, expires }: Slot, now: number): void {
  const { limits, uploadDays, uploadDayBytes } = settings;
  const bytes = Math.max(size, LEAST);
  // The last one that has to be a day old before this one has room.
  const [full] = sql<{ at: number | null }>`SELECT max(at) AS at FROM (
      SELECT at, sum(bytes) OVER (ORDER BY at DESC) AS since FROM given WHERE owner = ${owner} AND at > ${now - DAY_MS})
    WHERE since > ${uploadDayBytes - bytes}`;
  if (limits && (full?.at || bytes > uploadDayBytes)) {
    const retry = xml("retry", { xmlns: NS, stamp: formatDateTime((full?.at ?? now) + DAY_MS) });
    throw stanzaError("resource-constraint", `You may upload ${uploadDayBytes} bytes a day.`, retry);
  }
  // By `at` they are found without a look at the rest; they expire later where UPLOAD_DAYS was more.
  sql`DELETE FROM given WHERE owner = ${owner} AND at <= ${now - uploadDays * DAY_MS} AND expires <= ${now}`;
  sql`INSERT INTO given VALUES (${owner}, ${now}, ${id}, ${bytes}, ${expires})`;
}

/** XEP-0030 §3.2: it has no nodes. */
function whole({ payload }: Stanza): void {
  if (payload.attrs.node) throw stanzaError("item-not-found", "There is no such node here.");
}

/** §3: with the size that a file may have. */
function info({ object, settings }: Account, iq: Stanza): Element {
  whole(iq);
  const limit = resultForm(NS, { "max-file-size": String(settings.uploadBytes) });
  return infoElement(object.kernel.disco("upload", settings), limit, contactForm(settings));
}

export const upload: Feature = {
  name: "upload",
  implements: [{ id: "XEP-0363", version: "1.2.0", note: "for messages, and ephemeral files" }],
  when: ({ uploadBytes }) => uploadBytes > 0,
  advertises: { upload: [DISCO_INFO, DISCO_ITEMS, NS, `${PURPOSE}#message`, `${PURPOSE}#ephemeral`] },
  identities: { upload: [{ category: "store", type: "file", name: "Files" }] },
  tables: [GIVEN],
  handles: [
    account.hook("iq:outbound", (account, iq) => {
      const { uploadBytes, uploadDomain } = account.settings;
      if (uploadBytes === 0 || iq.to?.domain !== uploadDomain || !iq.asks) return undefined;
      if (iq.to.local || iq.to.full) throw stanzaError("item-not-found", "There is nobody here.");
      account.answer(iq, account.object.kernel.iq("upload", account, iq));
      return "handled";
    }),
    service.iq("get", NS, "request", slot),
    service.iq("get", DISCO_INFO, "query", info),
    service.iq("get", DISCO_ITEMS, "query", (_, iq) => {
      whole(iq);
      return xml("query", { xmlns: DISCO_ITEMS });
    }),
    account.hook("account:removed", ({ object, id }) => abandon(object, id)),
  ],
};

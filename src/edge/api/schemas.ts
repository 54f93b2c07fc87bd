/** Forms that several operations of the REST API share. */
import * as v from "valibot";

/** A number in a query; `v.metadata` is what openapi.json says of it. */
const count = (most: number, fallback: number) =>
  v.pipe(
    v.optional(v.string(), String(fallback)),
    v.regex(/^\d{1,6}$/, `A number from 1 to ${most}.`),
    v.transform(Number),
    v.minValue(1, `A number from 1 to ${most}.`),
    v.maxValue(most, `A number from 1 to ${most}.`),
    v.metadata({ schema: { type: "integer", minimum: 1, maximum: most, default: fallback } }),
  );

/** A page of a list: `next` of the answer is the `after` of the next one. */
export const PAGE = v.object({ after: v.optional(v.pipe(v.string(), v.maxLength(1100))), limit: count(1000, 100) });

export const RANGE = v.object({
  before: v.optional(v.pipe(v.string(), v.maxLength(64))),
  after: v.optional(v.pipe(v.string(), v.maxLength(64))),
  limit: count(100, 50),
});

export const REASON = v.object({ reason: v.optional(v.pipe(v.string(), v.maxLength(1024))) });

const wellFormed = v.check<string, string>((text) => text.isWellFormed(), "Half a character is in it.");

/** A name in a body: the local part, or the whole bare JID. */
export const NAME = v.pipe(v.string(), v.minLength(1), v.maxLength(2047), wellFormed);
export const NICK = v.pipe(v.string(), v.minLength(1), v.maxLength(255), wellFormed);
export const TEXT = (most: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(most), wellFormed);
export const PASSWORD = v.pipe(v.string(), v.minLength(1), v.maxBytes(1023), wellFormed);
export const AFFILIATION = v.picklist(["owner", "admin", "member", "none", "outcast"]);
export const TIME = v.pipe(v.string(), v.isoTimestamp());

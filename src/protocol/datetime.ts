/** XEP-0082: XMPP Date and Time Profiles, v1.1.1 — https://xmpp.org/extensions/xep-0082.html. Only DateTime is in use. */

/** CCYY-MM-DDThh:mm:ss.sssZ, in UTC: an offset would tell where somebody is. */
export function formatDateTime(time: Date | number): string {
  return new Date(time).toISOString();
}

const DATE_TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,32}))?(?:Z|([+-])(0\d|1[0-4]):([0-5]\d))$/;

/** Strict, to the millisecond; undefined for anything else, also for days that do not exist and for no time zone. */
export function parseDateTime(text: string): Date | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = match;
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCDate() !== Number(day)) return undefined;
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, "0").slice(0, 3)));
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return new Date(date.getTime() + (sign === "+" ? -offset : offset));
}

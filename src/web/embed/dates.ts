/** Times and days as people of a language write them. */

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions, time: number): string {
  const key = language + Object.keys(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(language, options);
  formats.set(key, known);
  return known.format(time);
}

export const clock = (language: string, time: number): string =>
  format(language, { hour: "numeric", minute: "2-digit" }, time);

/** "Today" and "yesterday" by their names. */
export function dayName(language: string, time: number): string {
  const midnight = (of: number) => new Date(of).setHours(0, 0, 0, 0);
  const ago = Math.round((midnight(time) - midnight(Date.now())) / 86_400_000);
  if (ago >= -1) return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(ago, "day");
  return format(language, { day: "numeric", month: "long", weekday: "long" }, time);
}

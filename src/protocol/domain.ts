/** RFC 7622 §3.2: domainparts — https://www.rfc-editor.org/rfc/rfc7622#section-3.2 */

/** Letters, digits and hyphens; also the underscore, which names no host on the internet but some in private networks. */
const PLAIN = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** What a URL parser would take for something other than part of a name, or quietly mend. */
const FOREIGN = /[\0- "#%/:<>?@[\\\]^`{|}\x7f]/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const ENDS_IN_NUMBER = /(?:^|\.)\d+$/;

/**
 * The normal form of a domainpart, undefined if it is none: lower case, no dot at the end, IPv6 in brackets, and
 * internationalised labels as Unicode, because RFC 7622 and the servers we meet write and compare them so.
 */
export function domainpart(text: string): string | undefined {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name.length > 1023) return undefined;
  if (PLAIN.test(name) && !name.includes("xn--")) {
    return !ENDS_IN_NUMBER.test(name) || IPV4.test(name) ? name : undefined;
  }
  if (name.startsWith("[")) return /^\[[0-9a-f:.]+\]$/.test(name) ? hostname(name) : undefined;
  if (FOREIGN.test(name)) return undefined;
  const ascii = hostname(name);
  if (ascii === undefined || !PLAIN.test(ascii) || ENDS_IN_NUMBER.test(ascii)) return undefined;
  const labels = ascii.split(".").map((label) => (label.startsWith("xn--") ? decodePunycode(label.slice(4)) : label));
  const unicode = labels.join(".");
  // The platform judges only what it encodes, not "xn--" that was there before: so let it encode what that stands for.
  return !labels.includes(undefined) && hostname(unicode) === ascii ? unicode : undefined;
}

/** The platform's own IDNA: UTS 46 mapping, validity and bidi checks; the result is in ASCII. */
function hostname(name: string): string | undefined {
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return undefined;
  }
}

/** RFC 3492 §6.2, of a label without its "xn--"; undefined if nothing encodes so. */
function decodePunycode(label: string): string | undefined {
  const split = label.lastIndexOf("-");
  const output = Array.from(label.slice(0, Math.max(split, 0)), (char) => char.charCodeAt(0));
  let code = 128;
  let index = 0;
  let bias = 72;
  for (let at = split + 1; at < label.length; ) {
    const start = index;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = Number.parseInt(label.charAt(at++), 36);
      if (Number.isNaN(digit)) return undefined;
      const value = digit < 10 ? digit + 26 : digit - 10;
      index += value * weight;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (value < threshold) break;
      weight *= 36 - threshold;
    }
    const length = output.length + 1;
    let delta = Math.floor((index - start) / (start === 0 ? 700 : 2));
    delta += Math.floor(delta / length);
    bias = 0;
    for (; delta > 455; bias += 36) delta = Math.floor(delta / 35);
    bias += Math.floor((36 * delta) / (delta + 38));
    code += Math.floor(index / length);
    index %= length;
    if (code > 0x10ffff) return undefined;
    output.splice(index++, 0, code);
  }
  return String.fromCodePoint(...output);
}

/** RFC 8264, 8265, 8266: PRECIS, the profiles for names, passwords and nicknames — https://www.rfc-editor.org/rfc/rfc8264 */

/**
 * RFC 8265 §3.3 UsernameCaseMapped: the normal form of a localpart or account name, undefined if it may not be one.
 * The bidi rule and the contextual rules are applied; ZWNJ between joining letters only if they are Arabic,
 * for there is no telling other scripts' joining types, and Persian and its neighbours are who needs it.
 */
export function usernameCaseMapped(text: string): string | undefined {
  if (PRINTABLE_ASCII.test(text)) return text.toLowerCase();
  return stable(text, (name) => {
    const mapped = name
      .replace(WIDE, (char) => char.normalize("NFKC"))
      .toLowerCase()
      .normalize("NFC");
    return allowed(mapped, IDENTIFIER) && obeysBidiRule(mapped) ? mapped : undefined;
  });
}

/** RFC 8265 §4.2 OpaqueString: the normal form of a password or a resourcepart, undefined if it may not be one. */
export function opaqueString(text: string): string | undefined {
  if (PRINTABLE_ASCII_AND_SPACE.test(text)) return text;
  return stable(text, (secret) => {
    const mapped = secret.replace(OTHER_SPACES, " ").normalize("NFC");
    return allowed(mapped, FREEFORM) ? mapped : undefined;
  });
}

/** RFC 8266 §2.3 Nickname, as it is shown: spaces tidied, compatibility characters mapped. Undefined if not allowed. */
export function nickname(text: string): string | undefined {
  return stable(text, (nick) => {
    const mapped = tidy(nick.replace(OTHER_SPACES, " ")).normalize("NFKC");
    return allowed(mapped, FREEFORM) ? mapped : undefined;
  });
}

/** RFC 8266 §2.4 Nickname, as it is compared: two nicknames with the same key are the same. */
export function nicknameKey(text: string): string | undefined {
  return stable(text, (nick) => {
    const mapped = tidy(nick.replace(OTHER_SPACES, " ")).toLowerCase().normalize("NFKC");
    return allowed(mapped, FREEFORM) ? mapped : undefined;
  });
}

const PRINTABLE_ASCII = /^[!-~]+$/;
const PRINTABLE_ASCII_AND_SPACE = /^[ -~]+$/;
const OTHER_SPACES = /[\p{Zs}--[ ]]/gv;
/** RFC 8264 §5.2.1: full-width and half-width characters, which are given their ordinary forms. */
const WIDE = /[\u3000\uff01-\uffee]/g;

const tidy = (text: string): string => text.replace(/^ +| +$/g, "").replace(/ {2,}/g, " ");

/** RFC 8264 §7: a profile's rules are applied until nothing changes; a text that will not settle is refused. */
function stable(text: string, apply: (text: string) => string | undefined): string | undefined {
  let before = text;
  for (let round = 0; round < 4; round++) {
    const after = apply(before);
    if (after === undefined || after === before) return after;
    before = after;
  }
  return undefined;
}

// RFC 8264 §8 and §9: which code points a class takes.
const IDENTIFIER = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]$/u;
const FREEFORM = /^[\p{L}\p{N}\p{M}\p{Zs}\p{S}\p{P}]$/u;
const ALWAYS = /^[!-~\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]$/;
const NEVER =
  /^[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\p{Cn}\p{Default_Ignorable_Code_Point}\p{Cc}\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]$/u;
const CONTEXTUAL = /^[\u200c-\u200d\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]$/;

function allowed(text: string, category: RegExp): boolean {
  if (text === "") return false;
  let at = 0;
  for (const char of text) {
    if (CONTEXTUAL.test(char)) {
      if (!fitsContext(char, text.slice(0, at), text.slice(at + 1), text)) return false;
    } else if (!ALWAYS.test(char)) {
      if (NEVER.test(char) || !category.test(char)) return false;
      if (category === IDENTIFIER && char.normalize("NFKC") !== char) return false;
    }
    at += char.length;
  }
  return true;
}

/** Canonical combining class 9, by which Indic scripts ask for or against a ligature. */
const VIRAMA =
  /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4\ua953\ua9c0\uaaf6\uabed\u{10a3f}\u{11046}\u{11070}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}\u{1193d}\u{1193e}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}]$/u;
/** Arabic letters that join the next one: all but those that join only the one before, or none. */
const JOINS_NEXT =
  /[[\p{Script=Arabic}&&\p{Lo}&&[\u0600-\u08ff]]--[\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef\u0759-\u075b\u076b\u076c\u0771\u0773\u0774\u0778\u0779\u0870-\u0885\u0887\u0888\u088e\u08aa-\u08ae\u08b1\u08b2\u08b9]]\p{Mn}*$/v;
const JOINS_PREVIOUS =
  /^\p{Mn}*[[\p{Script=Arabic}&&\p{Lo}&&[\u0600-\u08ff]]--[\u0621\u0674\u0883-\u0885\u0887\u0888\u08ad]]/v;

/** RFC 5892 Appendix A: characters that are allowed beside certain others only. */
function fitsContext(char: string, before: string, after: string, whole: string): boolean {
  switch (char) {
    case "\u200c":
      return VIRAMA.test(before) || (JOINS_NEXT.test(before) && JOINS_PREVIOUS.test(after));
    case "\u200d":
      return VIRAMA.test(before);
    case "\u00b7":
      return before.endsWith("l") && after.startsWith("l");
    case "\u0375":
      return /^\p{Script=Greek}/u.test(after);
    case "\u05f3":
    case "\u05f4":
      return /\p{Script=Hebrew}$/u.test(before);
    case "\u30fb":
      return /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(whole);
    default:
      return !(/[\u0660-\u0669]/.test(whole) && /[\u06f0-\u06f9]/.test(whole));
  }
}

// The bidi classes of what IdentifierClass lets through: Unicode's property itself is not to be had from a RegExp.
const ARABIC_NUMBER = /[\u0660-\u0669\u{10d30}-\u{10d39}]/u;
const RIGHT_TO_LEFT =
  /[[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]--\p{M}--[\u0660-\u0669\u06f0-\u06f9\u{10d30}-\u{10d39}]]/v;
const EUROPEAN_NUMBER = /[0-9\u06f0-\u06f9]/;
const NEUTRAL =
  /[[!-~]--[A-Za-z0-9]--[\0]]|[\u00b7\u0375\u30fb\u02b9\u02ba\u02c6-\u02cf\u02ec\u2e2f\ua67f\ua717-\ua71f\ua788]/v;
const MARK = /[[\p{Mn}\p{Me}\u200c\u200d]--[\u0cbf\u0cc6\u{11a07}\u{11a08}\u{11c3f}]]/v;

type BidiClass = "R" | "AN" | "EN" | "ON" | "NSM" | "L";

function bidiClass(char: string): BidiClass {
  if (ARABIC_NUMBER.test(char)) return "AN";
  if (RIGHT_TO_LEFT.test(char)) return "R";
  if (EUROPEAN_NUMBER.test(char)) return "EN";
  if (NEUTRAL.test(char)) return "ON";
  return MARK.test(char) ? "NSM" : "L";
}

/** RFC 5893 §2. It binds only text in which something is written from right to left. */
function obeysBidiRule(text: string): boolean {
  if (!RIGHT_TO_LEFT.test(text) && !ARABIC_NUMBER.test(text)) return true;
  const classes = Array.from(text, bidiClass);
  const last = classes.findLast((of) => of !== "NSM");
  if (classes[0] === "R") {
    const numbers = classes.includes("EN") && classes.includes("AN");
    return !classes.includes("L") && (last === "R" || last === "EN" || last === "AN") && !numbers;
  }
  // What begins from left to right may have nothing from right to left in it, and that is what brought us here.
  return false;
}

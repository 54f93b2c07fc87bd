/**
 * RFC 4013: SASLprep — https://www.rfc-editor.org/rfc/rfc4013, as RFC 5802 §5.1 asks for SCRAM passwords.
 *
 * RFC 8265's OpaqueString replaces it on paper, but the clients in use normalise by NFKC, and a password whose server
 * key was derived by the other form would never match. Code points newer than Unicode 3.2 (emoji) are let through,
 * and there is no bidi check: neither changes the result, they only refuse what people have chosen.
 */

const ASCII = /^[\x20-\x7e]+$/;
/** RFC 3454 tables C.1.2 (mapped to space) and B.1 (mapped to nothing). */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
const NOTHING = /\u034f|\u200d|[\u180b-\u180d]|[\ufe00-\ufe0f]|[\u00ad\u1806\u200c\u2060\ufeff]/g;
/** Tables C.2 to C.9: controls, private use, surrogates, non-characters, what changes the display. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u2028\u2029\u200e\u200f\u202a-\u202e\u2061-\u206f\ufff9-\uffff\u2ff0-\u2ffb\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** The prepared password, or undefined when it is empty or holds a prohibited character. */
export function saslprep(password: string): string | undefined {
  if (ASCII.test(password)) return password;
  const prepared = password.replace(SPACES, " ").replace(NOTHING, "").normalize("NFKC");
  return prepared === "" || PROHIBITED.test(prepared) ? undefined : prepared;
}

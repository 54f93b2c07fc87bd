/** XEP-0431: Full Text Search in MAM, v0.2.0 — https://xmpp.org/extensions/xep-0431.html. A message is found by words its text contains. */

/** Words in one search; a longer list finds no less. */
const MAX_WORDS = 16;

/** Normalisation costs more than all the rest, and changes no ASCII. */
const fold = (text: string) => (/^[\0-\x7f]*$/.test(text) ? text : text.normalize("NFKC")).toLowerCase();

/** The words of a search. */
export function words(text: string): string[] {
  return fold(text.slice(0, 1024))
    .split(/\s+/)
    .filter((word) => word !== "")
    .slice(0, MAX_WORDS);
}

/** The longest of them that the database can look for by itself: nothing but ASCII has the same lower case everywhere. "" for none. */
export function databaseWord(words: readonly string[]): string {
  const plain = words.filter((word) => /^[0-9a-z]+$/.test(word));
  return plain.reduce((longest, word) => (word.length > longest.length ? word : longest), "");
}

const TEXTS = /<(?:body|subject)(?: [^>]*)?>([^<]*)</g;
const REFERENCES: { readonly [name: string]: string } = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#13;": "\r" };

/** Whether the body or subject of an archived message has all the words, in any order and as parts of longer ones. */
export function matches(inner: string, words: readonly string[]): boolean {
  let text = "";
  for (const [, found = ""] of inner.matchAll(TEXTS)) text += ` ${found}`;
  const folded = fold(text.replace(/&(?:lt|gt|amp|#13);/g, (reference) => REFERENCES[reference] ?? ""));
  return words.every((word) => folded.includes(word));
}

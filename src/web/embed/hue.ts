/** One of twelve hues of our palette for a name: the same everywhere, and legible in both themes (XEP-0392 §5.2 in spirit). */
const hueOf = (name: string): number =>
  ([...name].reduce((hash, char) => (hash * 31 + char.codePointAt(0)!) >>> 0, 7) % 12) * 30 + 15;

/** For an element's property `style`: unlike the attribute, no policy of a page forbids it. */
export const hueStyle = (name: string): string => `--h:${hueOf(name)}`;

/** One of twelve hues of our palette for a name: the same everywhere, and legible in both themes (XEP-0392 §5.2 in spirit). */
export const hueOf = (name: string): number =>
  [...name].reduce((hash, char) => (hash * 31 + char.codePointAt(0)!) >>> 0, 7) % 12;

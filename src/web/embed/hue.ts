/** One of twelve hues of our palette for a name: the same everywhere, and legible in both themes (XEP-0392 §5.2 in spirit). */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % 12;
}

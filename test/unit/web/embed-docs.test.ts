/** docs/embed.md names what the element has. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const source = ["chat", "frame", "log", "message", "composer", "../embed-files/sending"]
  .map((name) => read(`src/web/embed/${name}.ts`))
  .join("\n");
const styles = read("src/web/embed/styles.ts");
const docs = read("docs/embed.md");
const all = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();

test("every attribute", () => {
  const [, list = ""] = /const ATTRIBUTES = \{(.*?)\}/s.exec(source) ?? [];
  const [, table = ""] = /<!-- attributes -->(.*)<!-- \/attributes -->/s.exec(docs) ?? [];
  expect(all(table, /^\| `([\w-]+)`/gm)).toEqual(all(list, /^ +"?([\w-]+)"?:/gm));
});

test("every event, slot, part and variable", () => {
  expect(all(docs, /`chat-(\w+)`/g)).toEqual(
    all(source, /emit\("(\w+)"|emit\(kind/g)
      .filter(Boolean)
      .concat("join", "leave")
      .sort(),
  );
  for (const name of all(source, /<slot name="(\w+)"/g)) expect(docs).toContain(`\`${name}\``);
  for (const name of all(source, / part="(\w+)/g)) expect(docs).toContain(`\`${name}\``);
  expect(all(docs, /`--chat-([\w-]+)`/g)).toEqual(all(styles, /var\(--chat-([\w-]+)/g));
});

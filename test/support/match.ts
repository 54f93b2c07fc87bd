/** Compares a received element with what a test expects, and says readably where they part. */
import type { Element } from "../../src/xml/element.ts";
import { read } from "../../src/xml/reader.ts";

export interface MatchOptions {
  /** Attributes and child elements that are not in the pattern may be there too. */
  readonly extra?: boolean;
}

/** A pattern is XML whose outermost namespace, unless it says so, is jabber:client. */
export function pattern(text: string): Element {
  const trimmed = text.trim();
  const start = /^<[^>]*>/.exec(trimmed)?.[0] ?? "";
  return read(/\sxmlns=/.test(start) ? trimmed : trimmed.replace(/^<[\w.-]+/, '$& xmlns="jabber:client"'));
}

/**
 * Where `got` differs from `wanted`, or undefined. `"*"` as an attribute's value or as the only text of an element stands for
 * anything. The order of attributes, and white space between elements, do not matter.
 */
export function difference(
  wanted: Element,
  got: Element,
  options: MatchOptions = {},
  at = wanted.name,
): string | undefined {
  if (wanted.name !== got.name) return `${at}: <${wanted.name}/> expected, not <${got.name}/>`;
  for (const [name, value] of Object.entries(wanted.attrs)) {
    const actual = got.attrs[name];
    if (actual === undefined) return `${at}: attribute ${name}="${value}" is missing`;
    if (value !== "*" && value !== actual) return `${at}: ${name}="${value}" expected, not "${actual}"`;
  }
  if (!options.extra) {
    const more = Object.keys(got.attrs).find((name) => !(name in wanted.attrs));
    if (more !== undefined) return `${at}: unexpected attribute ${more}="${got.attrs[more]}"`;
  }
  return childDifference(wanted, got, options, at);
}

function childDifference(wanted: Element, got: Element, options: MatchOptions, at: string): string | undefined {
  const expected = wanted.getChildElements();
  const actual = got.getChildElements();
  if (expected.length === 0) {
    const text = wanted.getText();
    if (text === "*") return undefined;
    if (text.trim() !== got.getText().trim()) return `${at}: text "${text}" expected, not "${got.getText()}"`;
  }
  let index = 0;
  for (const [n, child] of expected.entries()) {
    const path = `${at}/${child.name}${expected.length > 1 ? `[${n + 1}]` : ""}`;
    if (options.extra) {
      const found = actual.findIndex((other, i) => i >= index && difference(child, other, options, path) === undefined);
      if (found < 0) {
        const near = actual.find((other) => other.is(child.name, child.attrs.xmlns));
        return near ? difference(child, near, options, path) : `${path}: missing`;
      }
      index = found + 1;
    } else {
      const other = actual[index++];
      if (other === undefined) return `${path}: missing`;
      const problem = difference(child, other, options, path);
      if (problem) return problem;
    }
  }
  const left = options.extra ? undefined : actual[index];
  return left && `${at}: unexpected <${left.name} xmlns="${left.getNS()}"/>`;
}

/** An element over several lines. */
export function pretty(el: Element, inherited = "jabber:client", indent = "  "): string {
  const attributes = Object.entries(el.attrs)
    .filter(([name, value]) => name !== "xmlns" || value !== inherited)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join("");
  const children = el.getChildElements();
  const text = el.getText();
  if (children.length === 0) return `${indent}<${el.name}${attributes}${text ? `>${text}</${el.name}>` : "/>"}`;
  const inside = children.map((child) => pretty(child, el.getNS(), `${indent}  `)).join("\n");
  return `${indent}<${el.name}${attributes}>\n${inside}\n${indent}</${el.name}>`;
}

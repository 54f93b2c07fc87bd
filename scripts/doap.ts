/** npm run doap: doap.xml, by which xmpp.org and others learn what this server implements (XEP-0453). */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeText } from "../src/xml/writer.ts";
import { addressOf, implemented } from "./specs.ts";

const ROOT = dirname(import.meta.dirname);
export const DOAP = join(ROOT, "doap.xml");

export function doap(): string {
  const { name, description } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const specs = implemented();
  const rfcs = specs.filter(({ id }) => id.startsWith("RFC"));
  const xeps = specs.filter(({ id }) => id.startsWith("XEP"));
  const lines = [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://usefulinc.com/ns/doap#" xmlns:xmpp="https://linkmauve.fr/ns/xmpp-doap#">`,
    `  <Project>`,
    `    <name>${escapeText(name[0].toUpperCase() + name.slice(1))}</name>`,
    `    <shortdesc xml:lang="en">${escapeText(description)}</shortdesc>`,
    `    <programming-language>TypeScript</programming-language>`,
    `    <license rdf:resource="https://spdx.org/licenses/MIT.html"/>`,
    `    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-xmpp"/>`,
    `    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-server"/>`,
    ...rfcs.map(({ id }) => `    <implements rdf:resource="${addressOf(id)}"/>`),
    ...xeps.flatMap(({ id, version, note }) => [
      `    <implements>`,
      `      <xmpp:SupportedXep>`,
      `        <xmpp:xep rdf:resource="${addressOf(id)}"/>`,
      `        <xmpp:status>complete</xmpp:status>`,
      `        <xmpp:version>${version}</xmpp:version>`,
      ...(note ? [`        <xmpp:note xml:lang="en">${escapeText(note)}</xmpp:note>`] : []),
      `      </xmpp:SupportedXep>`,
      `    </implements>`,
    ]),
    `  </Project>`,
    `</rdf:RDF>`,
    ``,
  ];
  return lines.join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(DOAP, doap());
  console.log(`doap.xml: ${implemented().length} specifications`);
}

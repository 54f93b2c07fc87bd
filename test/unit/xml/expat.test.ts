/**
 * The parser that most of our receivers use is expat, and one document it does not take ends their stream. So expat
 * is asked, through Python's binding, with both separators that XMPP software has been seen to use for namespaces.
 */
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { read, XmlError } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";
import { spoilt } from "./arbitrary.ts";
import { MALFORMED } from "./malformed.ts";

const EXPAT = `
import json, sys, xml.parsers.expat as expat
def refusal(document, separator):
    parser = expat.ParserCreate("UTF-8", separator)
    try:
        parser.Parse(document.encode("utf-8"), True)
    except (expat.ExpatError, ValueError) as error:
        return str(error)
json.dump([refusal(d, "\\x01") or refusal(d, "\\n") for d in json.load(sys.stdin)], sys.stdout)
`;

/** For each document what expat has against it, or null. */
function refusals(documents: readonly string[]): (string | null)[] {
  const { stdout, stderr, status } = spawnSync("python3", ["-c", EXPAT], {
    input: JSON.stringify(documents),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const python = spawnSync("python3", ["-c", "import xml.parsers.expat"]).status === 0;

describe.runIf(python)("expat", { timeout: 60_000 }, () => {
  it("takes every document that we take, and as we write it", () => {
    const documents = fc.sample(spoilt, { numRuns: 3000, seed: Date.now() & 0x7fffffff });
    const taken: string[] = [];
    for (const document of documents) {
      try {
        taken.push(document, serialise(read(document)));
      } catch (error) {
        if (!(error instanceof XmlError)) throw error;
      }
    }
    expect(taken.length).toBeGreaterThan(500);
    const refused = refusals(taken).flatMap((reason, i) => (reason === null ? [] : [`${reason}: ${taken[i]}`]));
    expect(refused).toEqual([]);
  });

  it("refuses what we call not well-formed", () => {
    // These two it takes, and RFC 6120 §11 does not.
    const malformed = MALFORMED.filter(
      ([title, condition, document]) =>
        condition === "not-well-formed" && document.isWellFormed() && !/byte order mark|version/.test(title),
    );
    const reasons = refusals(malformed.map(([, , document]) => document));
    expect(malformed.filter((_, i) => reasons[i] === null).map(([title]) => title)).toEqual([]);
  });
});

/**
 * Names a test by the section it proves: `spec("RFC 6121", "8.5.3.2.1", "… MUST …", async () => {…})`. The words are ours or
 * the few the requirement consists of. With SPEC_TABLE=<file> every run appends its rows there; `npm run spec-table` prints them.
 */
import { appendFileSync } from "node:fs";
import { onTestFinished, test } from "vitest";

export interface SpecRow {
  readonly spec: string;
  readonly section: string;
  readonly requirement: string;
  readonly passed: boolean;
}

type Body = () => Promise<void> | void;

export function spec(id: string, section: string, requirement: string, body: Body): void {
  prove(test, id, section, requirement, body);
}

/** A section that no object can be forgotten under by force: it is skipped, and said to be, where objects are. */
spec.warm = (id: string, section: string, requirement: string, body: Body): void =>
  prove(test.skipIf(process.env.EVICT === "1"), id, section, requirement, body);

function prove(
  run: typeof test | ReturnType<typeof test.skipIf>,
  id: string,
  section: string,
  requirement: string,
  body: Body,
): void {
  run(`${id} §${section}: ${requirement}`, async () => {
    const file = process.env.SPEC_TABLE;
    if (file) {
      onTestFinished(({ task }) => {
        const passed = task.result?.state === "pass";
        appendFileSync(file, `${JSON.stringify({ spec: id, section, requirement, passed } satisfies SpecRow)}\n`);
      });
    }
    await body();
  });
}

/** One call in flight per target, the rest in order behind it. */
import { expect, test, vi } from "vitest";
import { Outbox } from "../../../src/kernel/outbox.ts";

/** Calls that answer when they are told to. */
function calls<Answer = void>() {
  const open: { batch: number[]; answer: (value: Answer) => void; fail: (error: unknown) => void }[] = [];
  const call = (batch: number[]) => new Promise<Answer>((answer, fail) => open.push({ batch, answer, fail }));
  return { open, call };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what one event says rides in one call, what comes meanwhile in the next, in order", async () => {
  const { open, call } = calls();
  const done: number[] = [];
  const outbox = new Outbox<number>(call);
  for (const n of [1, 2, 3]) outbox.put(n, () => done.push(n));
  await turn();
  outbox.put(4, () => done.push(4));
  outbox.put(5);
  await turn();
  expect(open.map(({ batch }) => batch)).toEqual([[1, 2, 3]]);
  open[0]?.answer();
  await turn();
  expect(done).toEqual([1, 2, 3]);
  expect(open[1]?.batch).toEqual([4, 5]);
  expect(outbox.idle).toBe(false);
  open[1]?.answer();
  await outbox.drained();
  expect(done).toEqual([1, 2, 3, 4]);
  expect(outbox.idle).toBe(true);
});

test("no call grows without bound", async () => {
  const { open, call } = calls();
  const outbox = new Outbox<number>(call);
  for (let n = 0; n < 250; n++) outbox.put(n);
  for (let n = 0; n < 3; n++) {
    await turn();
    open[n]?.answer();
  }
  await outbox.drained();
  expect(open.map(({ batch }) => batch.length)).toEqual([100, 100, 50]);
});

test("what can be tried again is, what cannot be is told, and the next goes on", async () => {
  vi.useFakeTimers();
  try {
    let attempts = 0;
    const answers: unknown[] = [];
    const outbox = new Outbox<string>(
      async ([item]) => {
        attempts++;
        if (item === "later" && attempts < 3) throw Object.assign(new Error("again"), { retryable: true });
        if (item === "never") throw new Error("no");
      },
      (answer) => answers.push(answer instanceof Error ? answer.message : answer),
    );
    const errors: (string | undefined)[] = [];
    outbox.put("later", (error) => errors.push(error?.message));
    await vi.runAllTimersAsync();
    expect(attempts).toBe(3);
    outbox.put("never", (error) => errors.push(error?.message));
    await vi.runAllTimersAsync();
    outbox.put("fine", (error) => errors.push(error?.message));
    await vi.runAllTimersAsync();
    expect(errors).toEqual([undefined, "no", undefined]);
    expect(answers).toEqual([undefined, "no", undefined]);
  } finally {
    vi.useRealTimers();
  }
});

test("what its target knows is said once more to an object that broke, and as said again", async () => {
  vi.useFakeTimers();
  try {
    const said: string[] = [];
    const outbox = new Outbox<string>(
      async ([item], again) => {
        said.push(`${item}${again ? " again" : ""}`);
        if (item !== "lost" || !again) throw new Error("broken");
      },
      undefined,
      (item) => item !== "unknown",
    );
    const errors: (string | undefined)[] = [];
    for (const item of ["lost", "dead", "unknown"]) {
      outbox.put(item, (error) => errors.push(error?.message));
      await vi.runAllTimersAsync();
    }
    expect(said).toEqual(["lost", "lost again", "dead", "dead again", "unknown"]);
    expect(errors).toEqual([undefined, "broken", "broken"]);
  } finally {
    vi.useRealTimers();
  }
});

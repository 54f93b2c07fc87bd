import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Hundreds of short-lived objects, each with a database that waits for its disk: tests keep theirs in memory where they can.
if (existsSync("/dev/shm")) process.env.TMPDIR ??= "/dev/shm";

/** Module the build makes (the web pages as text); units see none. */
const alias = { "enjamb:web": new URL("test/support/no-web-files.ts", import.meta.url).pathname };
/** Two minutes in which nothing happens: it goes on beside the others. */
const OUTAGE = "test/interop/federation/outage-*.test.ts";
/** Suites that run the built worker build it once before they start. */
const built = { globalSetup: "test/support/build-once.ts", testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/*.test.ts"] } },
      { extends: true, test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], ...built } },
      {
        extends: true,
        test: {
          name: "conformance-evicted",
          include: ["test/conformance/**/*.test.ts"],
          env: { EVICT: "1" },
          ...built,
        },
      },
      {
        extends: true,
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          exclude: [OUTAGE],
          fileParallelism: false,
          ...built,
        },
      },
      { extends: true, test: { name: "outage", include: [OUTAGE], ...built } },
      {
        extends: true,
        test: { name: "browser", include: ["test/browser/**/*.test.ts"], fileParallelism: false, ...built },
      },
    ],
    maxWorkers: 2,
    passWithNoTests: true,
  },
});

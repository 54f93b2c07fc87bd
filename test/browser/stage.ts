/** A server with some accounts, a browser, and a site between them, for the tests of one file. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { type Server, startServer } from "../interop/server.ts";
import { launch } from "./chromium.ts";
import type { Site } from "./site.ts";

export interface Stage {
  server: Server;
  browser: Browser;
  site: Site;
}

/** `build` makes the site; the accounts' password is "secret". What it returns is there when the first test begins. */
export function stage(build: (server: Server) => Promise<Site>, accounts: readonly string[] = []): Stage {
  const on = {} as Stage;
  beforeAll(async () => {
    [on.server, on.browser] = await Promise.all([startServer(), launch()]);
    on.site = await build(on.server);
    await on.server.addUsers([...accounts], "secret");
  });
  afterAll(async () => {
    await Promise.all([on.browser?.close(), on.site?.stop()]);
    await on.server?.stop();
  });
  return on;
}

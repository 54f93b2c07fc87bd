/** Debian's Chromium under playwright-core: a new profile each time, and nothing but loopback to talk to. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { install } from "../interop/debian.ts";

const BINARY = "/usr/bin/chromium";
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

const PACKAGES = ["chromium", "fonts-noto-color-emoji", "fonts-dejavu-core"];

export async function launch(): Promise<Browser> {
  if (!existsSync(BINARY) && !install(...PACKAGES))
    throw new Error("Chromium is not installed, and only root can install it: apt-get install chromium");
  return chromium.launch({ executablePath: BINARY, args: FLAGS.split(" ") });
}

/** Collects what a page should never say: uncaught errors, console errors, violations of its content security policy. */
export function complaints(page: Page): string[] {
  const said: string[] = [];
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  return said;
}

const SCREENSHOTS = join(import.meta.dirname, "screenshots");

/** Keeps a picture, when SCREENSHOTS=1 asks for them. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS !== "1") return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

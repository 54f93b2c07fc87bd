/** Where npm put the workerd binary of this platform. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PACKAGES: Record<string, string> = {
  "linux x64": "@cloudflare/workerd-linux-64",
  "linux arm64": "@cloudflare/workerd-linux-arm64",
  "darwin x64": "@cloudflare/workerd-darwin-64",
  "darwin arm64": "@cloudflare/workerd-darwin-arm64",
  "win32 x64": "@cloudflare/workerd-windows-64",
};

/**
 * The binary itself, not the package's launcher in front of it, whose process id would be the wrong one to measure or kill.
 * @throws {Error} when the platform has none or npm did not install it
 */
export function workerdBinary(): string {
  const platform = `${process.platform} ${process.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined) throw new Error(`workerd has no binary for ${platform}.`);
  const require = createRequire(createRequire(import.meta.url).resolve("workerd"));
  const folder = dirname(require.resolve(`${name}/package.json`));
  const binary = join(folder, "bin", process.platform === "win32" ? "workerd.exe" : "workerd");
  if (!existsSync(binary)) throw new Error(`${binary} is missing: npm install puts it there.`);
  return binary;
}

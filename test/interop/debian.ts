/** Programs of Debian's that tests drive: installed when they are missing, which only root can do. */
import { spawnSync } from "node:child_process";

const isInstalled = (name: string): boolean => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
  const query = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Status}", name], { encoding: "utf8" });
  return query.stdout === "installed";
};

/** True when all of these packages are there, or could be installed. */
export function install(...packages: string[]): boolean {
  if (packages.every(isInstalled)) return true;
  if (process.getuid?.() !== 0) return false;
  // A package's own service must not start: only what a test starts runs.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env, stdio: "ignore" });
  return packages.every(isInstalled);
}

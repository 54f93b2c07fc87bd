/** What the bridge is told by its environment. */
import { Resolver } from "node:dns";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve as path } from "node:path";
import { rootCertificates } from "node:tls";
import type { ResolveOptions } from "./resolve.ts";

/** Ends the program with one clear line. */
export class Refusal extends Error {}

export interface Options {
  /** The server's origin. */
  url: string;
  token: string;
  /** Where to listen; undefined: everywhere. */
  host: string | undefined;
  /** Undefined: closed. 0: any. */
  ports: Record<Door, number | undefined>;
  /** Where it says how it is (health.ts). */
  health: { host: string; port: number | undefined };
  certFile: string;
  keyFile: string;
  /** PEM of the authorities that are trusted. */
  authorities: readonly string[];
  /** Whether other servers need a good certificate, or dialback over TLS will do. */
  certificates: "required" | "optional";
  resolve: ResolveOptions;
}

const DOORS = {
  c2s: ["C2S_PORT", 5222],
  c2sTls: ["C2S_TLS_PORT", 5223],
  s2s: ["S2S_PORT", 5269],
  s2sTls: ["S2S_TLS_PORT", 5270],
  component: ["COMPONENT_PORT", 5347],
} as const satisfies Record<string, readonly [name: string, port: number]>;

export type Door = keyof typeof DOORS;

const first = (...files: string[]) => files.find(existsSync);

/** @throws {Refusal} */
export function readOptions(env: Record<string, string | undefined>, root: string): Options {
  const dataDir = path(env.DATA_DIR || join(root, ".enjamb/data"));
  const running = first(join(dataDir, "server.json"));
  const url = env.ENJAMB_URL || (running && (JSON.parse(readFileSync(running, "utf8")) as { http: string }).http);
  if (!url) throw new Refusal(`No server runs on ${dataDir}. Start it, or set ENJAMB_URL=https://your.server.`);
  const kept = first(join(dataDir, "bridge-token"));
  const tokenFile = env.BRIDGE_TOKEN_FILE || kept;
  const token = env.BRIDGE_TOKEN || (tokenFile && readToken(tokenFile));
  if (!token) throw new Refusal("Set BRIDGE_TOKEN to what the server has under that name.");
  const { TLS_CERT: certFile, TLS_KEY: keyFile } = env;
  if (!certFile || !keyFile)
    throw new Refusal("Set TLS_CERT and TLS_KEY to the PEM files of your domain's certificate.");
  const ports = Object.fromEntries(
    Object.entries(DOORS).map(([door, [name, port]]) => [door, readPort(name, env[name], port)]),
  ) as Options["ports"];
  const { S2S_CERTIFICATES: certificates = "optional", S2S_CA } = env;
  if (certificates !== "required" && certificates !== "optional")
    throw new Refusal(`S2S_CERTIFICATES=${JSON.stringify(certificates)} is not possible: required or optional`);
  const resolve = {
    overrides: JSON.parse(env.S2S_OVERRIDES || "{}") as Record<string, string>,
    allowPrivate: env.S2S_PRIVATE === "on",
    nameServers: readNameServers(env.S2S_DNS),
  };
  const authorities = S2S_CA ? [...rootCertificates, readFileSync(S2S_CA, "utf8")] : rootCertificates;
  const health = { host: env.HEALTH_HOST || "127.0.0.1", port: readPort("HEALTH_PORT", env.HEALTH_PORT, undefined) };
  return {
    url,
    token,
    host: env.BRIDGE_HOST || undefined,
    ports,
    health,
    certFile,
    keyFile,
    authorities,
    certificates,
    resolve,
  };
}

function readNameServers(text: string | undefined): string[] {
  const servers = text ? text.split(",") : [];
  try {
    new Resolver().setServers(servers);
  } catch {
    throw new Refusal(`S2S_DNS=${JSON.stringify(text)} is not possible: addresses with or without ports, by commas`);
  }
  return servers;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Refusal(`The token cannot be read: ${(error as Error).message}`);
  }
}

function readPort(name: string, text: string | undefined, fallback: number | undefined): number | undefined {
  if (text === undefined || text === "") return fallback;
  if (text === "off") return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new Refusal(`${name}=${JSON.stringify(text)} is not possible: a port, 0 for any, or off`);
}

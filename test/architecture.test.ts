/** How the parts hang together: imports point down, each feature is one file that says what it implements. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { features } from "../src/features/index.ts";
import { rooms } from "../src/features/rooms.ts";
import type { Feature } from "../src/kernel/feature.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * What each part may import of the others; `types`: only as types, since two parts may speak of each other without
 * depending on each other. A part is a folder of src, or a file in it.
 */
const PARTS: Record<string, { values: readonly string[]; types?: readonly string[] }> = {
  xml: { values: [] },
  protocol: { values: ["xml"] },
  "settings.ts": { values: ["protocol"] },
  kernel: { values: ["xml", "protocol"], types: ["settings.ts"] },
  archive: { values: ["xml", "protocol", "kernel"], types: ["settings.ts"] },
  gate: { values: ["xml", "protocol", "kernel", "archive"], types: ["settings.ts"] },
  account: { values: ["xml", "protocol", "kernel", "archive"], types: ["settings.ts", "gate", "pubsub"] },
  pubsub: { values: ["xml", "protocol", "kernel", "archive", "account"], types: ["settings.ts"] },
  muc: { values: ["xml", "protocol", "kernel", "archive"], types: ["settings.ts"] },
  peer: { values: ["xml", "protocol", "kernel"], types: ["settings.ts"] },
  upload: { values: ["protocol"], types: ["kernel"] },
  features: {
    values: ["xml", "protocol", "kernel", "archive", "account", "pubsub", "muc", "peer", "upload"],
    types: ["settings.ts"],
  },
  "durable-objects": {
    values: [
      "xml",
      "protocol",
      "settings.ts",
      "kernel",
      "archive",
      "gate",
      "account",
      "pubsub",
      "muc",
      "peer",
      "upload",
      "features",
    ],
  },
  edge: {
    values: ["protocol", "settings.ts", "kernel/placement.ts", "gate/upgrade.ts", "upload/slot.ts"],
    types: ["durable-objects", "kernel", "account", "muc", "peer/frames.ts"],
  },
  bridge: { values: ["xml", "protocol", "gate/upgrade.ts"], types: ["settings.ts", "peer/frames.ts"] },
  web: { values: [] },
  "worker.ts": { values: ["durable-objects", "edge"] },
};

/** Packages and runtime modules that only some parts may import; every part may use node:crypto on the server. */
const OUTSIDE: Record<string, readonly string[]> = {
  ltx: ["xml"],
  saxes: ["xml"],
  hono: ["edge"],
  jose: ["gate", "edge"],
  lit: ["web"],
  valibot: ["settings.ts", "edge", "gate"],
  ws: ["bridge"],
  "enjamb:web": ["edge"],
  "cloudflare:workers": ["durable-objects", "edge", "worker.ts"],
  "cloudflare:sockets": ["durable-objects", "edge", "worker.ts"],
  "node:crypto": [
    "protocol",
    "kernel",
    "archive",
    "gate",
    "muc",
    "pubsub",
    "peer",
    "upload",
    "features",
    "durable-objects",
    "edge",
    "bridge",
  ],
};

interface Import {
  readonly file: string;
  readonly part: string;
  readonly what: string;
  readonly typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

const SOURCES = [...filesUnder("src"), ...filesUnder("durable-objects")];
const source = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** "src/xml/reader.ts" → "xml"; "src/settings.ts" → "settings.ts". */
function partOf(file: string): string {
  const [top = "", second = ""] = file.split(sep);
  return top === "src" ? second : top;
}

const IMPORTS: Import[] = SOURCES.flatMap((file) => {
  const statements = source(file).matchAll(/^(?:import|export)\s+(type\s+)?(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm);
  return [...statements].map(([, type, what = ""]) => ({
    file,
    part: partOf(file),
    what: what.startsWith(".") ? normalize(join(dirname(file), what)) : what,
    typeOnly: type !== undefined,
  }));
});

const isOurs = ({ what }: Import) => what.startsWith(`src${sep}`) || what.startsWith(`durable-objects${sep}`);

test("imports point down", () => {
  const wrong = IMPORTS.filter((one) => {
    if (!isOurs(one) || partOf(one.what) === one.part) return false;
    const { values, types = [] } = PARTS[one.part] ?? { values: [] };
    const names = [partOf(one.what), relative("src", one.what)];
    return !names.some((name) => values.includes(name) || (one.typeOnly && types.includes(name)));
  });
  expect(wrong.map(({ file, what, typeOnly }) => `${file} imports ${typeOnly ? "types of " : ""}${what}`)).toEqual([]);
});

test("what is not ours is imported only where the table says", () => {
  const wrong = IMPORTS.filter((one) => {
    if (isOurs(one) || one.what.startsWith("package.json")) return false;
    // The bridge is a Node program; the rest runs where there is little of Node.
    if (one.part === "bridge" && one.what.startsWith("node:")) return false;
    const scope = Object.keys(OUTSIDE).find((name) => one.what === name || one.what.startsWith(`${name}/`));
    return !scope || !OUTSIDE[scope]?.includes(one.part);
  });
  expect(wrong.map(({ file, what }) => `${file} imports ${what}`)).toEqual([]);
});

test("no feature imports another: it fires or answers a hook, or the noun they share moves down", () => {
  const lists = ["index.ts", "rooms.ts", "nodes.ts"].map((name) => join("src/features", name));
  const wrong = IMPORTS.filter(({ file, part, what }) => {
    if (part !== "features" || partOf(what) !== "features" || !isOurs({ what } as Import)) return false;
    if (lists.includes(file)) return false;
    // A feature that is a folder is one feature.
    const folder = dirname(file);
    return folder === join("src", "features") || !what.startsWith(folder + sep);
  });
  expect(wrong.map(({ file, what }) => `${file} imports ${what}`)).toEqual([]);
});

describe("every feature", () => {
  const listed = new Map<string, Feature>();
  for (const feature of [...features, ...rooms]) listed.set(feature.name, feature);
  const files = filesUnder("src/features").filter((file) => /^export const \w+: Feature\b/m.test(source(file)));
  /** Features that are a file of their own; those in a folder are facets of one specification. */
  const whole = files.filter((file) => dirname(file) === join("src", "features"));

  test("is in a list under the name of its file", () => {
    expect(whole.map((file) => basename(file, ".ts")).filter((name) => !listed.has(name))).toEqual([]);
  });

  test("names what it implements, as the registers name it", () => {
    const wrong = [...listed.values()].filter(({ name, implements: specs }) => {
      const named = specs.length > 0 || !whole.includes(join("src", "features", `${name}.ts`));
      return !named || specs.some(({ id }) => !/^(?:XEP-\d{4}|RFC \d{4})$/.test(id));
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  test("says of each XEP in which version it is implemented", () => {
    const specs = [...listed.values()]
      .flatMap((feature) => feature.implements)
      .filter(({ id }) => id.startsWith("XEP"));
    const versioned = new Set(specs.filter(({ version }) => version).map(({ id }) => id));
    expect(specs.map(({ id }) => id).filter((id) => !versioned.has(id))).toEqual([]);
  });

  test("begins with a line about its specification, and where to read it", () => {
    const wrong = whole.filter((file) => {
      const comment = /^\/\*\*([\s\S]*?)\*\//.exec(source(file))?.[1] ?? "";
      return !/(?:XEP|RFC)[- ]\d{4}/.test(comment) || !/https:\/\/\S+/.test(comment);
    });
    expect(wrong).toEqual([]);
  });
});

test("every source file begins by saying what it is", () => {
  const wrong = SOURCES.filter((file) => partOf(file) !== "web" && !source(file).startsWith("/**"));
  expect(wrong).toEqual([]);
});

test("no folder is a drawer", () => {
  const folders = ["src", "durable-objects", "scripts", "test"].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name),
  );
  expect(folders.filter((name) => /^(?:utils?|helpers?|managers?|common|misc|lib)$/.test(name))).toEqual([]);
});

test("the web's code stands alone: no Node, nothing of the server", () => {
  const wrong = IMPORTS.filter(
    (one) => one.part === "web" && (one.what.startsWith("node:") || (isOurs(one) && partOf(one.what) !== "web")),
  );
  expect(wrong.map(({ file, what }) => `${file} imports ${what}`)).toEqual([]);
});

test("only waiting times and choices among equals are left to Math.random", () => {
  const careful = SOURCES.filter((file) => !["web", "peer", "bridge"].includes(partOf(file)));
  const wrong = careful.filter((file) => source(file).includes("Math.random"));
  expect(wrong.filter((file) => file !== join("durable-objects", "directory.ts"))).toEqual([]);
});

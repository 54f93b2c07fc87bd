/** `/docs`: openapi.json, to be read by people. */
import { byId, h } from "../landing/dom.ts";

interface Schema {
  type?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}
interface Content {
  content?: Record<string, { schema: Schema }>;
}
interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: { bearer: string[] }[];
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description?: string }>;
}
interface Document {
  info: { description: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
}

/** A schema as the value it stands for: `{ "name"?: string (1 to 255 characters) }`. */
function written(schema: Schema, indent = ""): string {
  if (schema.properties) {
    const inner = `${indent}  `;
    const lines = Object.entries(schema.properties).map(([name, value]) => {
      const needed = schema.required?.includes(name) ? "" : "?";
      const about = value.description ? `  // ${value.description}` : "";
      return `${inner}${JSON.stringify(name)}${needed}: ${written(value, inner)},${about}`;
    });
    return `{\n${lines.join("\n")}\n${indent}}`;
  }
  if (schema.items) return `[${written(schema.items, indent)}, …]`;
  const kind =
    "const" in schema
      ? JSON.stringify(schema.const)
      : (schema.enum?.map((one) => JSON.stringify(one)).join(" | ") ?? schema.type ?? "");
  return kind + bounds(schema);
}

function bounds({ format, minimum, maximum, minLength, maxLength, default: fallback }: Schema): string {
  const words = [
    format ?? "",
    range(minimum, maximum, ""),
    range(minLength, maxLength, " characters"),
    fallback === undefined ? "" : `else ${JSON.stringify(fallback)}`,
  ].filter(Boolean);
  return words.length > 0 ? ` (${words.join(", ")})` : "";
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (most === undefined) return least === undefined ? "" : `at least ${least}${unit}`;
  return least === undefined ? `at most ${most}${unit}` : `${least} to ${most}${unit}`;
}

const schemaIn = ({ content }: Content) => Object.values(content ?? {})[0]?.schema;

function article(base: string, path: string, method: string, operation: Operation): HTMLElement {
  const { operationId, summary, security, parameters, requestBody, responses } = operation;
  const facts = h("dl", {}, h("dt", {}, "scope"), h("dd", {}, security.flatMap(({ bearer }) => bearer).join()));
  for (const { name, in: where, schema } of parameters)
    facts.append(h("dt", {}, name), h("dd", {}, `in the ${where}: ${written(schema)}`));
  const body = requestBody && schemaIn(requestBody);
  if (body) facts.append(h("dt", {}, "body"), h("dd", {}, h("pre", {}, written(body))));
  for (const [status, answer] of Object.entries(responses)) {
    if (status === "default") continue;
    const schema = schemaIn(answer);
    facts.append(
      h("dt", {}, status),
      h("dd", {}, answer.description ?? "", ...(schema ? [h("pre", {}, written(schema))] : [])),
    );
  }
  const name = h("h3", {}, h("span", { class: "method" }, method.toUpperCase()), `${base}${path}`);
  return h("article", { id: operationId }, name, h("p", {}, summary), facts);
}

function show({ info, servers, paths }: Document): void {
  const base = servers[0]?.url ?? "";
  byId("about").textContent = info.description;
  byId("example").textContent = `curl -H "Authorization: Bearer $ADMIN_TOKEN" ${location.origin}${base}/users`;
  const contents = h("ul", {});
  const sections = new Map<string, HTMLElement>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const [tag = ""] = operation.tags;
      const section = sections.get(tag) ?? h("section", {}, h("h2", {}, tag));
      sections.set(tag, section);
      section.append(article(base, path, method, operation));
      const link = h("a", { href: `#${operation.operationId}` }, `${method.toUpperCase()} ${path}`);
      contents.append(h("li", {}, link));
    }
  byId("contents").append(contents);
  byId("operations").append(...sections.values());
  // The page was empty when the browser looked for the part that the address names.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

const response = await fetch("/openapi.json");
show((await response.json()) as Document);

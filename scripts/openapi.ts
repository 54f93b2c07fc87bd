/**
 * OpenAPI 3.1 of the REST API, from the very schemas that judge its requests. The build puts it into the worker as /openapi.json;
 * `node scripts/openapi.ts` prints it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as v from "valibot";
import { OPERATIONS } from "../src/edge/api/api.ts";
import type { Operation } from "../src/edge/api/operation.ts";
import { PROBLEM_CODES } from "../src/edge/api/problem.ts";
import { scopeOf, subjectOf } from "../src/edge/api/scopes.ts";

type Json = Record<string, unknown>;
type Schema = v.GenericSchema<unknown, unknown>;

/** What valibot keeps in its schemas and actions; only what our own ones use is known here. */
interface Part {
  readonly kind: "schema" | "validation" | "transformation" | "metadata";
  readonly type: string;
  readonly pipe?: readonly Part[];
  readonly wrapped?: Part;
  readonly default?: unknown;
  readonly entries?: Record<string, Part>;
  readonly item?: Part;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly requirement?: unknown;
  readonly description?: string;
  readonly metadata?: { readonly schema?: Json };
}

/** A valibot schema as JSON Schema. @throws {Error} for a kind that the API has not used before */
export function jsonSchema(schema: Schema): Json {
  return schemaOf(schema as unknown as Part);
}

function schemaOf(part: Part): Json {
  if (part.pipe) return Object.assign({}, ...part.pipe.map((one, at) => (at === 0 ? schemaOf(one) : refinement(one))));
  switch (part.type) {
    case "string":
    case "number":
    case "boolean":
      return { type: part.type };
    case "literal":
      return { const: part.literal };
    case "picklist":
      return { enum: part.options };
    case "array":
      return { type: "array", items: schemaOf(part.item as Part) };
    case "optional":
      return { ...schemaOf(part.wrapped as Part), ...(part.default !== undefined && { default: part.default }) };
    case "object":
    case "strict_object":
      return objectSchema(part.entries ?? {}, part.type === "strict_object");
    default:
      throw new Error(`valibot's ${part.type} has no JSON Schema here yet`);
  }
}

function objectSchema(entries: Record<string, Part>, strict: boolean): Json {
  const required = Object.keys(entries).filter((name) => entries[name]?.type !== "optional");
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(entries).map(([name, part]) => [name, schemaOf(part)])),
    ...(required.length > 0 && { required }),
    ...(strict && { additionalProperties: false }),
  };
}

function refinement({ type, requirement, description, metadata }: Part): Json {
  switch (type) {
    case "min_length":
      return { minLength: requirement };
    case "max_length":
      return { maxLength: requirement };
    case "min_value":
      return { minimum: requirement };
    case "max_value":
      return { maximum: requirement };
    case "integer":
      return { type: "integer" };
    case "iso_timestamp":
      return { format: "date-time" };
    case "description":
      return { description };
    case "metadata":
      return metadata?.schema ?? {};
    default:
      return {}; // what JSON Schema cannot say, or says in other words: bytes, well-formed text
  }
}

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** `getUsersByUser`: stable as long as the path is. */
function idOf({ method, path }: Operation): string {
  const words = path.split("/").filter(Boolean);
  return method + words.map((word) => (word.startsWith(":") ? `By${upper(word.slice(1))}` : upper(word))).join("");
}

function parameters({ path, query, repeatable }: Operation): Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const { properties = {}, required = [] } = (query ? jsonSchema(query) : {}) as {
    properties?: Json;
    required?: string[];
  };
  const inQuery = Object.entries(properties)
    // A default makes a parameter optional, wherever in the schema it stands.
    .map(([name, schema]) => ({
      name,
      in: "query",
      required: required.includes(name) && !("default" in (schema as Json)),
      schema,
    }));
  const key = { name: "Idempotency-Key", in: "header", required: false, schema: { type: "string", maxLength: 255 } };
  return [...inPath, ...inQuery, ...(repeatable ? [key] : [])];
}

function describe(operation: Operation): Json {
  const { summary, body, answers } = operation;
  const responses = Object.entries(answers).map(([status, { about, schema }]) => [
    status,
    { description: about, ...(schema && { content: { "application/json": { schema: jsonSchema(schema) } } }) },
  ]);
  return {
    operationId: idOf(operation),
    summary,
    tags: [subjectOf(operation)],
    security: [{ bearer: [scopeOf(operation)] }],
    parameters: parameters(operation),
    ...(body && { requestBody: { required: true, content: { "application/json": { schema: jsonSchema(body) } } } }),
    responses: { ...Object.fromEntries(responses), default: { $ref: "#/components/responses/Problem" } },
  };
}

export function openapi(): Json {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
    version: string;
  };
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    const path = operation.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Enjamb",
      version,
      description:
        "The server's REST API. Every request carries the header Authorization: Bearer <ADMIN_TOKEN>, or a key that " +
        "was made by POST /keys and has the operation's scope. Six hundred requests may come at once, and ten a second " +
        "from then on; RateLimit-Limit, -Remaining and -Reset tell how many are left. " +
        "Errors are problem+json (RFC 9457) with a `code` that never changes its meaning; every answer has an X-Request-Id.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/api/v1" }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      responses: {
        Problem: {
          description: "Why not.",
          content: {
            "application/problem+json": {
              schema: {
                type: "object",
                required: ["type", "title", "status", "code", "detail"],
                properties: {
                  type: { type: "string" },
                  title: { type: "string" },
                  status: { type: "integer" },
                  code: { enum: PROBLEM_CODES },
                  detail: { type: "string" },
                  errors: {
                    type: "array",
                    items: { type: "object", properties: { path: { type: "string" }, message: { type: "string" } } },
                  },
                },
              },
            },
          },
        },
      },
    },
  };
}

if (import.meta.main) console.log(JSON.stringify(openapi(), null, 2));

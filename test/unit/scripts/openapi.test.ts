/** What openapi.json says is what the API does. */
import * as v from "valibot";
import { expect, test } from "vitest";
import { jsonSchema, openapi } from "../../../scripts/openapi.ts";
import { OPERATIONS } from "../../../src/edge/api/api.ts";
import { PAGE, PASSWORD } from "../../../src/edge/api/schemas.ts";

interface Described {
  operationId: string;
  parameters: { name: string; in: string }[];
  requestBody?: object;
  responses: object;
}
const { paths } = openapi() as { paths: Record<string, Record<string, Described>> };

test.each(OPERATIONS.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  "%s is described",
  (_, { method, path, body, repeatable, answers }) => {
    const described = paths[path.replace(/:(\w+)/g, "{$1}")]?.[method];
    expect(described).toBeDefined();
    const names = (where: string) => described?.parameters.filter((it) => it.in === where).map(({ name }) => name);
    expect(names("path")).toEqual([...path.matchAll(/:(\w+)/g)].map(([, name]) => name));
    expect(names("header")).toEqual(repeatable ? ["Idempotency-Key"] : []);
    expect(described?.requestBody !== undefined).toBe(body !== undefined);
    expect(Object.keys(described?.responses ?? {})).toEqual([...Object.keys(answers), "default"]);
  },
);

test("every operation has a name of its own", () => {
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(OPERATIONS.length);
});

test("schemas become JSON Schema", () => {
  expect(jsonSchema(v.strictObject({ password: v.optional(PASSWORD), size: v.picklist([1, 2]) }))).toEqual({
    type: "object",
    properties: { password: { type: "string", minLength: 1 }, size: { enum: [1, 2] } },
    required: ["size"],
    additionalProperties: false,
  });
  expect(jsonSchema(PAGE)).toMatchObject({
    properties: { limit: { type: "integer", minimum: 1, maximum: 1000, default: 100 } },
  });
  expect(() => jsonSchema(v.date() as never)).toThrow("date");
});

/** One operation of the REST API as data: what routes it, checks what comes and describes it in openapi.json are the same. */
import type { GenericSchema, InferOutput } from "valibot";
import type { Outcome } from "../../kernel/outcome.ts";
import type { Settings } from "../../settings.ts";
import type { Env } from "../env.ts";
import { refusal } from "./problem.ts";

export type Method = "get" | "put" | "post" | "patch" | "delete";
type Schema = GenericSchema<unknown, unknown>;

/** A request that was let in and has the right form. */
export interface Call<Query, Body> {
  readonly env: Env;
  readonly settings: Settings;
  /** A variable part of the path, decoded. */
  param(name: string): string;
  readonly query: Query;
  readonly body: Body;
  /** The header Idempotency-Key, of an operation that takes one. */
  readonly key: string | undefined;
}

export interface Operation {
  readonly method: Method;
  /** Below /api/v1, in hono's notation. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Schema;
  readonly body?: Schema;
  /** A repeat under the same Idempotency-Key does nothing and has the same answer. */
  readonly repeatable?: true;
  /** What is answered when all goes well; 204 has no body. */
  readonly answers: Readonly<Record<number, { about: string; schema?: Schema }>>;
  run(call: Call<never, never>): Promise<Response>;
}

interface Definition<Q extends Schema, B extends Schema> extends Omit<Operation, "query" | "body" | "run"> {
  readonly query?: Q;
  readonly body?: B;
  run(call: Call<InferOutput<Q>, InferOutput<B>>): Promise<Response>;
}

/** Checks that an operation agrees with its own schemas. */
export const operation = <Q extends Schema, B extends Schema>(definition: Definition<Q, B>): Operation =>
  definition as Operation;

/** The answer to what an object returned: JSON, or its refusal. */
export function answer<T>(outcome: Outcome<T>, body: (value: T) => unknown, status = 200): Response {
  return outcome.ok ? Response.json(body(outcome.value), { status }) : refusal(outcome);
}

/** The same where there is nothing to say. */
export function done(outcome: Outcome<unknown>): Response {
  return outcome.ok ? new Response(null, { status: 204 }) : refusal(outcome);
}

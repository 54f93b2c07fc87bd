/** What a key may do: scopes are made of what an operation is about, and whether it only reads. */
import type { Operation } from "./operation.ts";

const SUBJECTS = ["users", "sessions", "tokens", "rooms", "messages", "invites"] as const;

/** What keys can be given. Keys themselves are ADMIN_TOKEN's alone. */
export const SCOPES = SUBJECTS.flatMap((subject) => [`${subject}:read`, `${subject}:write`] as const);

/** The last word of its path that says what it is about: of /rooms/:room/messages, messages. */
export function subjectOf({ path }: Pick<Operation, "path">): string {
  const words: readonly string[] = [...SUBJECTS, "keys"];
  return path.split("/").findLast((word) => words.includes(word)) ?? "";
}

export const scopeOf = (operation: Pick<Operation, "path" | "method">): string =>
  `${subjectOf(operation)}:${operation.method === "get" ? "read" : "write"}`;

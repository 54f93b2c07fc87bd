import { expect, test } from "vitest";
import { saslprep } from "../../../src/protocol/saslprep.ts";

test.each([
  ["I\u00adX", "IX"],
  ["user", "user"],
  ["USER", "USER"],
  ["\u00aa", "a"],
  ["\u2168", "IX"],
])("RFC 4013 §3: %j becomes %j", (input, output) => expect(saslprep(input)).toBe(output));

test.each([
  ["no-break space", "a\u00a0b", "a b"],
  ["variation selector", "a\ufe0fb", "ab"],
  ["combining marks", "e\u0301", "\u00e9"],
  ["an emoji, younger than Unicode 3.2", "\u{1f511}", "\u{1f511}"],
])("%s", (_what, input, output) => expect(saslprep(input)).toBe(output));

test.each([
  ["RFC 4013 §3: a control character", "\u0007"],
  ["nothing", ""],
  ["nothing left", "\u200d\ufeff"],
  ["a private use character", "\ue000"],
  ["half a surrogate pair", "\ud800"],
  ["a direction override", "a\u202eb"],
  ["a tag character", "a\u{e0041}"],
])("%s is refused", (_what, input) => expect(saslprep(input)).toBeUndefined());

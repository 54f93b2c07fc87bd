import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDateTime, parseDateTime } from "../../../src/protocol/datetime.ts";

describe("XEP-0082 §3.2", () => {
  test.each([
    ["1969-07-21T02:56:15Z", "1969-07-21T02:56:15.000Z"],
    ["1969-07-20T21:56:15-05:00", "1969-07-21T02:56:15.000Z"],
    ["2024-02-29T23:59:59.9999999Z", "2024-02-29T23:59:59.999Z"],
    ["2024-12-31T23:30:00.5+14:00", "2024-12-31T09:30:00.500Z"],
    ["0050-01-01T00:00:00Z", "0050-01-01T00:00:00.000Z"],
  ])("%s", (text, utc) => expect(parseDateTime(text)?.toISOString()).toBe(utc));

  test.each([
    "",
    "1969-07-21",
    "1969-07-21T02:56:15",
    "1969-07-21 02:56:15Z",
    "19690721T02:56:15",
    "1969-7-21T02:56:15Z",
    "1969-13-21T02:56:15Z",
    "2023-02-29T00:00:00Z",
    "2024-04-31T00:00:00Z",
    "1969-07-21T24:00:00Z",
    "1969-07-21T02:60:15Z",
    "1969-07-21T02:56:60Z",
    "1969-07-21T02:56:15.Z",
    "1969-07-21T02:56:15+15:00",
    "1969-07-21T02:56:15+0500",
    "1969-07-21T02:56:15z",
    " 1969-07-21T02:56:15Z",
    "1969-07-21T02:56:15Z\n",
  ])("%j is no DateTime", (text) => expect(parseDateTime(text)).toBeUndefined());

  test("what we write we read", () => {
    const years = {
      min: new Date("0001-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    };
    fc.assert(fc.property(fc.date(years), (date) => void expect(parseDateTime(formatDateTime(date))).toEqual(date)));
  });
});

/** XEP-0004 §3.3: the field types, each with how its values are read and written — https://xmpp.org/extensions/xep-0004.html */
import { Jid } from "./jid.ts";

export type FieldType =
  | "boolean"
  | "fixed"
  | "hidden"
  | "jid-multi"
  | "jid-single"
  | "list-multi"
  | "list-single"
  | "text-multi"
  | "text-private"
  | "text-single";

export interface Option {
  value: string;
  label?: string;
}

/** One definition serves for building a form and for reading what is submitted. */
export interface Field<T> {
  readonly var: string;
  readonly type: FieldType;
  readonly label: string | undefined;
  readonly default: T;
  readonly description?: string;
  readonly required?: boolean;
  readonly options?: readonly Option[];
  /** The value of submitted `<value/>` texts, none for an emptied field; undefined if they do not fit. */
  parse(values: readonly string[]): T | undefined;
  format(value: T): readonly string[];
}

/** What any field may have besides. */
export interface Extra {
  description?: string;
  required?: boolean;
}

const MAX_TEXT = 4096;
const MAX_VALUES = 256;

/** An emptied boolean is false (§3.3). */
export function booleanField(name: string, label: string, initial: boolean, extra: Extra = {}): Field<boolean> {
  return {
    ...extra,
    var: name,
    type: "boolean",
    label,
    default: initial,
    parse: (values) => {
      const [value = "0"] = values;
      if (values.length > 1) return undefined;
      return value === "1" || value === "true" ? true : value === "0" || value === "false" ? false : undefined;
    },
    format: (value) => [value ? "1" : "0"],
  };
}

/** `max`: length in characters. */
export function textField(
  name: string,
  label: string,
  initial = "",
  extra: Extra & { max?: number; type?: "text-single" | "text-private" | "hidden" } = {},
): Field<string> {
  const { max = MAX_TEXT, type = "text-single", ...rest } = extra;
  return { ...rest, var: name, type, label, default: initial, parse: (values) => single(values, max), format };
}

function single(values: readonly string[], max: number): string | undefined {
  const [value = ""] = values;
  return values.length > 1 || value.length > max || /[\n\r]/.test(value) ? undefined : value;
}

function format(value: string): readonly string[] {
  return value === "" ? [] : [value];
}

/** Lines of text, joined by line feeds. `max`: length of the whole. */
export function linesField(
  name: string,
  label: string,
  initial = "",
  extra: Extra & { max?: number } = {},
): Field<string> {
  const { max = MAX_TEXT, ...rest } = extra;
  return {
    ...rest,
    var: name,
    type: "text-multi",
    label,
    default: initial,
    parse: (values) => {
      const text = values.join("\n");
      return text.length > max ? undefined : text;
    },
    format: (value) => (value === "" ? [] : value.split("\n")),
  };
}

/** A whole number from `min` to `max`; `absent` is the value of an emptied field, which else does not fit. */
export function integerField(
  name: string,
  label: string,
  initial: number,
  range: Extra & { min: number; max: number; absent?: number },
): Field<number> {
  const { min, max, absent, ...rest } = range;
  return {
    ...rest,
    var: name,
    type: "text-single",
    label,
    default: initial,
    parse: (values) => {
      const [text] = values;
      if (text === undefined) return absent;
      const value = /^-?\d{1,12}$/.test(text) && values.length === 1 ? Number(text) : Number.NaN;
      return value === absent || (value >= min && value <= max) ? value : undefined;
    },
    format: (value) => (value === absent ? [] : [String(value)]),
  };
}

/** One of `options`, by its value. */
export function listField<const V extends string>(
  name: string,
  label: string,
  initial: NoInfer<V>,
  options: readonly { value: V; label?: string }[],
  extra: Extra = {},
): Field<V> {
  return {
    ...extra,
    var: name,
    type: "list-single",
    label,
    default: initial,
    options,
    parse: (values) => (values.length === 1 ? options.find(({ value }) => value === values[0])?.value : undefined),
    format: (value) => [value],
  };
}

/** Some of `options`; without `options`, any. */
export function listsField<const V extends string>(
  name: string,
  label: string,
  initial: readonly NoInfer<V>[],
  options: readonly { value: V; label?: string }[],
  extra: Extra = {},
): Field<readonly V[]> {
  return {
    ...extra,
    var: name,
    type: "list-multi",
    label,
    default: initial,
    options,
    parse: (values) => {
      const known = values.map((text) => options.find(({ value }) => value === text)?.value);
      return known.every((value) => value !== undefined) ? [...new Set(known)] : undefined;
    },
    format: (value) => value,
  };
}

/** Any texts. */
export function textsField(
  name: string,
  label: string,
  initial: readonly string[] = [],
  extra: Extra = {},
): Field<readonly string[]> {
  return {
    ...extra,
    var: name,
    type: "text-multi",
    label,
    default: initial,
    parse: (values) =>
      values.length <= MAX_VALUES && values.every((value) => value.length <= MAX_TEXT)
        ? [...new Set(values)]
        : undefined,
    format: (value) => value,
  };
}

/** A JID in its normal form, "" for none. */
export function jidField(name: string, label: string, initial = "", extra: Extra = {}): Field<string> {
  return {
    ...extra,
    var: name,
    type: "jid-single",
    label,
    default: initial,
    parse: (values) => {
      if (values.length > 1) return undefined;
      return values[0] === undefined ? "" : Jid.tryParse(values[0])?.toString();
    },
    format,
  };
}

/** JIDs in their normal form, each once. */
export function jidsField(
  name: string,
  label: string,
  initial: readonly string[] = [],
  extra: Extra = {},
): Field<readonly string[]> {
  return {
    ...extra,
    var: name,
    type: "jid-multi",
    label,
    default: initial,
    parse: (values) => {
      if (values.length > MAX_VALUES) return undefined;
      const jids = values.map((value) => Jid.tryParse(value)?.toString());
      return jids.every((jid) => jid !== undefined) ? [...new Set(jids)] : undefined;
    },
    format: (value) => value,
  };
}

/** A heading or note between fields; never read. */
export function fixedField(text: string): Field<undefined> {
  return { var: "", type: "fixed", label: undefined, default: undefined, parse: () => undefined, format: () => [text] };
}

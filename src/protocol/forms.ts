/** XEP-0004: Data Forms, v2.13 — https://xmpp.org/extensions/xep-0004.html; XEP-0068: Field Standardization for Data Forms, v1.3 */
import { type Element, xml } from "../xml/element.ts";
import { stanzaError } from "./errors.ts";
import type { Field } from "./form-fields.ts";
import { FORMS } from "./ns.ts";

/** Field definitions by the property names that code uses for their values. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values that a set of definitions stands for. */
export type Values<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export interface FormText {
  title?: string;
  instructions?: string;
}

export function defaults<F extends Fields>(fields: F): Values<F> {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.default])) as Values<F>;
}

/** A form to fill in, FORM_TYPE first (XEP-0068 §3), showing `values`. */
export function formElement<F extends Fields>(
  formType: string,
  fields: F,
  values: Values<F>,
  text: FormText = {},
): Element {
  return xml(
    "x",
    { xmlns: FORMS, type: "form" },
    text.title !== undefined && xml("title", {}, text.title),
    text.instructions !== undefined && xml("instructions", {}, text.instructions),
    formTypeField(formType),
    ...Object.entries(fields).map(([key, field]) =>
      xml(
        "field",
        { var: field.var || undefined, type: field.type, label: field.label },
        field.description !== undefined && xml("desc", {}, field.description),
        field.required && xml("required"),
        ...valueElements(field.format(values[key])),
        ...(field.options ?? []).map(({ value, label }) => xml("option", { label }, xml("value", {}, value))),
      ),
    ),
  );
}

/** Data to read, not to fill in: disco#info extensions (XEP-0128), receipts of settings. Undefined values are left out. */
export function resultForm(
  formType: string,
  values: Readonly<Record<string, string | readonly string[] | undefined>>,
  type: "result" | "submit" = "result",
): Element {
  return xml(
    "x",
    { xmlns: FORMS, type },
    formTypeField(formType),
    ...Object.entries(values).map(
      ([name, value]) =>
        value !== undefined &&
        xml("field", { var: name }, ...valueElements(typeof value === "string" ? [value] : value)),
    ),
  );
}

function formTypeField(formType: string): Element {
  return xml("field", { var: "FORM_TYPE", type: "hidden" }, xml("value", {}, formType));
}

function valueElements(values: readonly string[]): Element[] {
  return values.map((value) => xml("value", {}, value));
}

/** A form as it came, by `var`. */
export interface Form {
  type: string;
  formType: string | undefined;
  values: Map<string, string[]>;
}

/** Reads the form in `parent` (its first, or the first of FORM_TYPE `formType`), or `parent` itself if it is one. */
export function readForm(parent: Element | undefined, formType?: string): Form | undefined {
  if (parent === undefined) return undefined;
  const forms = parent.is("x", FORMS) ? [parent] : parent.getChildren("x", FORMS);
  for (const element of forms) {
    const values = new Map<string, string[]>();
    for (const field of element.getChildren("field", FORMS)) {
      const name = field.attrs.var;
      if (name !== undefined)
        values.set(
          name,
          field.getChildren("value", FORMS).map((value) => value.getText()),
        );
    }
    const found = values.get("FORM_TYPE")?.[0];
    values.delete("FORM_TYPE");
    if (formType === undefined || found === formType)
      return { type: element.attrs.type ?? "", formType: found, values };
  }
  return undefined;
}

/**
 * The values a submitted form changes. Fields we do not know are ignored and ones left out stay as they are (§3.1,
 * §3.5). Throws bad-request for a form of another kind, not-acceptable naming the field for a value that does not fit.
 */
export function readSubmission<F extends Fields>(form: Form, formType: string, fields: F): Partial<Values<F>> {
  if (form.type !== "submit") throw stanzaError("bad-request", "The form must be of type submit.");
  if (form.formType !== undefined && form.formType !== formType) {
    throw stanzaError("bad-request", `The form's FORM_TYPE must be ${formType}.`);
  }
  const changes: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const submitted = field.type === "fixed" ? undefined : form.values.get(field.var);
    if (submitted === undefined) continue;
    // §3.6: an empty field takes a value away.
    const values = submitted.every((value) => value === "") ? [] : submitted;
    if (field.required && values.length === 0) throw stanzaError("not-acceptable", `${field.var} is required.`);
    const value = field.parse(values);
    if (value === undefined) throw stanzaError("not-acceptable", `${field.var} has a value that does not fit.`);
    changes[key] = value;
  }
  return changes as Partial<Values<F>>;
}

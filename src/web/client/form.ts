/** XEP-0004: Data Forms, v2.13.1 — https://xmpp.org/extensions/xep-0004.html */
import { type Element, xml } from "./element.ts";

const DATA = "jabber:x:data";

export interface Field {
  name: string;
  type: string;
  label: string;
  values: string[];
  options: { label: string; value: string }[];
}

export function readForm(x: Element): Field[] {
  return x.all("field").map((field) => ({
    name: field.attrs.var ?? "",
    type: field.attrs.type ?? "text-single",
    label: field.attrs.label ?? field.attrs.var ?? "",
    values: field.all("value").map((value) => value.text()!),
    options: field
      .all("option")
      .map((option) => ({ label: option.attrs.label ?? "", value: option.text("value") ?? "" })),
  }));
}

export const writeForm = (fields: readonly Pick<Field, "name" | "values">[]): Element =>
  xml(
    "x",
    { xmlns: DATA, type: "submit" },
    ...fields.map(({ name, values }) =>
      xml("field", { var: name }, ...values.map((value) => xml("value", null, value))),
    ),
  );

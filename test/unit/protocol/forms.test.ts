import { describe, expect, test } from "vitest";
import {
  booleanField,
  fixedField,
  integerField,
  jidField,
  jidsField,
  linesField,
  listField,
  listsField,
  textField,
  textsField,
} from "../../../src/protocol/form-fields.ts";
import {
  defaults,
  formElement,
  readForm,
  readSubmission,
  resultForm,
  type Values,
} from "../../../src/protocol/forms.ts";
import { read } from "../../../src/xml/reader.ts";
import { serialise } from "../../../src/xml/writer.ts";

const TYPE = "http://jabber.org/protocol/muc#roomconfig";
const ROLES = [{ value: "moderator", label: "Moderators" }, { value: "participant" }] as const;
const FIELDS = {
  heading: fixedField("About the room"),
  name: textField("muc#roomconfig_roomname", "Name", "", { max: 20, description: "Shown in lists" }),
  secret: textField("muc#roomconfig_roomsecret", "Password", "", { type: "text-private" }),
  persistent: booleanField("muc#roomconfig_persistentroom", "Persistent", true),
  max: integerField("muc#roomconfig_maxusers", "Occupants", 100, { min: 1, max: 500, absent: 0 }),
  whois: listField("muc#roomconfig_whois", "Who sees JIDs", "moderator", ROLES, { required: true }),
  broadcast: listsField("muc#roomconfig_presencebroadcast", "Presence of", ["moderator", "participant"], ROLES),
  about: linesField("about", "About"),
  tags: textsField("tags", "Tags"),
  contact: jidField("contact", "Contact"),
  owners: jidsField("owners", "Owners"),
};

const submission = (fields: string, formType = TYPE, type = "submit") =>
  read(
    `<query xmlns='urn:example'><x xmlns='jabber:x:data' type='${type}'><field var='FORM_TYPE'><value>${formType}</value></field>${fields}</x></query>`,
  );
const field = (name: string, ...values: string[]) =>
  `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
const submit = (...fields: string[]) => {
  const form = readForm(submission(fields.join("")), TYPE);
  if (!form) throw new Error("no form");
  return readSubmission(form, TYPE, FIELDS);
};

test("values have the types of their fields", () => {
  const values: Values<typeof FIELDS> = defaults(FIELDS);
  const whois: "moderator" | "participant" = values.whois;
  const persistent: boolean = values.persistent;
  expect([whois, persistent, values.max]).toEqual(["moderator", true, 100]);
});

test("a form to fill in", () => {
  const { heading, name, whois, max } = FIELDS;
  const fields = { heading, name, max, whois };
  const text = serialise(formElement(TYPE, fields, { ...defaults(fields), name: "A <room>" }, { title: "Set up" }));
  expect(text).toBe(
    '<x xmlns="jabber:x:data" type="form"><title>Set up</title>' +
      `<field var="FORM_TYPE" type="hidden"><value>${TYPE}</value></field>` +
      '<field type="fixed"><value>About the room</value></field>' +
      '<field var="muc#roomconfig_roomname" type="text-single" label="Name"><desc>Shown in lists</desc><value>A &lt;room&gt;</value></field>' +
      '<field var="muc#roomconfig_maxusers" type="text-single" label="Occupants"><value>100</value></field>' +
      '<field var="muc#roomconfig_whois" type="list-single" label="Who sees JIDs"><required/><value>moderator</value>' +
      '<option label="Moderators"><value>moderator</value></option><option><value>participant</value></option></field></x>',
  );
});

test("a form sent back as it came changes nothing", () => {
  const values = {
    ...defaults(FIELDS),
    name: "Verona",
    about: "two\nhouses",
    tags: ["a", "b"],
    contact: "romeo@x.example",
  };
  const form = formElement(TYPE, FIELDS, values);
  form.attrs.type = "submit";
  const again = readForm(read(serialise(form)));
  if (!again) throw new Error("no form");
  const { heading: _, ...rest } = values;
  // What shows no value, because it is empty, comes back as an emptied field.
  expect(readSubmission(again, TYPE, FIELDS)).toEqual(rest);
});

describe("submissions", () => {
  test("§3.5: only what is in them, and unknown fields are ignored", () => {
    expect(submit(field("muc#roomconfig_roomname", "Verona"), field("x-unknown", "1"))).toEqual({ name: "Verona" });
    expect(submit()).toEqual({});
  });

  test.each<[string, string[], unknown]>([
    ["muc#roomconfig_persistentroom", ["1"], { persistent: true }],
    ["muc#roomconfig_persistentroom", ["false"], { persistent: false }],
    ["muc#roomconfig_persistentroom", [], { persistent: false }],
    ["muc#roomconfig_maxusers", ["500"], { max: 500 }],
    ["muc#roomconfig_maxusers", [""], { max: 0 }],
    ["muc#roomconfig_presencebroadcast", [], { broadcast: [] }],
    ["muc#roomconfig_presencebroadcast", ["moderator", "moderator"], { broadcast: ["moderator"] }],
    ["muc#roomconfig_roomname", [""], { name: "" }],
    ["about", ["one", "two"], { about: "one\ntwo" }],
    ["contact", ["Romeo@Montague.Example"], { contact: "romeo@montague.example" }],
    ["contact", [], { contact: "" }],
    ["owners", ["a@x.example", "A@x.example"], { owners: ["a@x.example"] }],
  ])("%s %j", (name, values, changes) => expect(submit(field(name, ...values))).toEqual(changes));

  test.each<[string, string[]]>([
    ["muc#roomconfig_persistentroom", ["yes"]],
    ["muc#roomconfig_persistentroom", ["1", "0"]],
    ["muc#roomconfig_maxusers", ["501"]],
    ["muc#roomconfig_maxusers", ["0x10"]],
    ["muc#roomconfig_maxusers", ["1", "2"]],
    ["muc#roomconfig_whois", ["anyone"]],
    ["muc#roomconfig_whois", []],
    ["muc#roomconfig_presencebroadcast", ["moderator", "nobody"]],
    ["muc#roomconfig_roomname", ["x".repeat(21)]],
    ["muc#roomconfig_roomname", ["two\nlines"]],
    ["contact", ["@"]],
    ["owners", ["a@x.example", "@"]],
  ])("§4: %s %j is not-acceptable, and the text names it", (name, values) => {
    expect(() => submit(field(name, ...values))).toThrow(new RegExp(`^not-acceptable: ${name}`));
  });

  test("of another kind are a bad-request", () => {
    const cancel = readForm(submission("", TYPE, "cancel"));
    const other = readForm(submission("", "urn:other"));
    if (!cancel || !other) throw new Error("no form");
    expect(() => readSubmission(cancel, TYPE, FIELDS)).toThrow("bad-request");
    expect(() => readSubmission(other, TYPE, FIELDS)).toThrow("bad-request");
    expect(readForm(submission("", "urn:other"), TYPE)).toBeUndefined();
    expect(readForm(undefined)).toBeUndefined();
  });

  test("a field called __proto__ is a name like any other", () => {
    expect(readForm(submission(field("__proto__", "x")))?.values.get("__proto__")).toEqual(["x"]);
  });
});

test("XEP-0128: data to read", () => {
  expect(serialise(resultForm("urn:example", { a: "1", b: ["x", "y"], c: undefined, d: [] }))).toBe(
    '<x xmlns="jabber:x:data" type="result"><field var="FORM_TYPE" type="hidden"><value>urn:example</value></field><field var="a"><value>1</value></field><field var="b"><value>x</value><value>y</value></field><field var="d"/></x>',
  );
});

/** XEP-0060 §16.4.4: what can be configured of a node — https://xmpp.org/extensions/xep-0060.html#registrar-formtypes-config */
import {
  booleanField,
  type Field,
  integerField,
  jidsField,
  listField,
  textField,
  textsField,
} from "../protocol/form-fields.ts";
import { defaults, type Form, formElement, readForm, readSubmission, type Values } from "../protocol/forms.ts";
import { PUBSUB } from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";
import { pubsubError } from "./errors.ts";

export const NODE_CONFIG = `${PUBSUB}#node_config`;
export const PUBLISH_OPTIONS = `${PUBSUB}#publish-options`;

/** Items of one node, by what "max" stands for: in an account (security.md D7), and at a service. */
const MOST_ITEMS = { personal: 256, public: 10_000 };
/** Bytes of one payload. */
export const MAX_PAYLOAD = 131_072;
/** Seconds that an item may be kept at most, if it is not for ever. */
const MOST_SECONDS = 10 * 365 * 86_400;

export type AccessModel = "authorize" | "open" | "presence" | "roster" | "whitelist";

const ACCESS: readonly { value: AccessModel; label: string }[] = [
  { value: "open", label: "Anyone may subscribe and retrieve items" },
  { value: "presence", label: "Whoever may see the owner's presence" },
  { value: "roster", label: "Contacts in some of the owner's roster groups" },
  { value: "authorize", label: "Whoever an owner has approved" },
  { value: "whitelist", label: "Members only" },
];

/** A whole number, or "max" for the most that there can be. What is more than that counts as it. */
function upToMax(name: string, label: string, initial: number | "max", most: number): Field<number | "max"> {
  return {
    var: name,
    type: "text-single",
    label,
    default: initial,
    parse: ([text, second]) => {
      if (second !== undefined || text === undefined) return undefined;
      if (text === "max") return "max";
      if (!/^\d{1,12}$/.test(text)) return undefined;
      return Number(text) < most ? Number(text) : "max";
    },
    format: (value) => [String(value)],
  };
}

function fieldsOf(personal: boolean) {
  return {
    title: textField("pubsub#title", "A friendly name for the node"),
    description: textField("pubsub#description", "A description of the node"),
    type: textField("pubsub#type", "The namespace of the payloads"),
    language: textField("pubsub#language", "The default language of the node", "", { max: 35 }),
    contact: jidsField("pubsub#contact", "Whom to contact with questions"),
    access: listField<AccessModel>(
      "pubsub#access_model",
      "Who may subscribe and retrieve items",
      personal ? "presence" : "open",
      ACCESS,
    ),
    groups: textsField("pubsub#roster_groups_allowed", "The roster groups that may subscribe and retrieve items"),
    publishers: listField("pubsub#publish_model", "Who may publish", "publishers", [
      { value: "publishers", label: "Only publishers" },
      { value: "subscribers", label: "Subscribers, too" },
      { value: "open", label: "Anyone" },
    ]),
    persist: booleanField("pubsub#persist_items", "Whether to keep items", true),
    maxItems: upToMax(
      "pubsub#max_items",
      "The most items that are kept, or max",
      personal ? 1 : "max",
      MOST_ITEMS[personal ? "personal" : "public"],
    ),
    full: listField(
      "pubsub#publish_node_full",
      "What happens to a new item where there are that many",
      "retract-oldest",
      [
        { value: "retract-oldest", label: "The oldest is retracted" },
        { value: "discard-oldest", label: "The oldest is dropped silently" },
        { value: "reject", label: "The new one is refused" },
      ],
    ),
    expire: upToMax("pubsub#item_expire", "Seconds after which items go, or max", "max", MOST_SECONDS),
    maxPayload: integerField("pubsub#max_payload_size", "The most bytes of a payload", MAX_PAYLOAD, {
      min: 1,
      max: MAX_PAYLOAD,
    }),
    notify: booleanField("pubsub#deliver_notifications", "Whether to notify of events", true),
    payloads: booleanField("pubsub#deliver_payloads", "Whether notifications have the payloads", true),
    messageType: listField("pubsub#notification_type", "The messages that notify", "headline", [
      { value: "headline", label: "Messages of type headline, which do not wait for those who are away" },
      { value: "normal", label: "Messages of type normal" },
    ]),
    presenceBased: booleanField(
      "pubsub#presence_based_delivery",
      "Whether to notify only those who are available",
      false,
    ),
    notifyConfig: booleanField("pubsub#notify_config", "Whether to notify of changes of this configuration", false),
    notifyDelete: booleanField("pubsub#notify_delete", "Whether to notify when the node is deleted", true),
    notifyRetract: booleanField("pubsub#notify_retract", "Whether to notify when items are removed", true),
    notifySub: booleanField("pubsub#notify_sub", "Whether to notify owners of new and lost subscribers", false),
    sendLast: listField(
      "pubsub#send_last_published_item",
      "When to send the last item",
      personal ? "on_sub_and_presence" : "on_sub",
      [
        { value: "never", label: "Never" },
        { value: "on_sub", label: "To a new subscriber" },
        ...(personal
          ? [{ value: "on_sub_and_presence", label: "To a new subscriber, and to one who comes on line" } as const]
          : []),
      ],
    ),
    publisherShown: listField("pubsub#itemreply", "Whose address an item shows", "none", [
      { value: "none", label: "Nobody's" },
      { value: "owner", label: "The node's owner's" },
      { value: "publisher", label: "Its publisher's" },
    ]),
    subscribe: booleanField("pubsub#subscribe", "Whether to allow subscriptions", true),
    nodeType: listField("pubsub#node_type", "What kind of node this is", "leaf", [{ value: "leaf" }]),
    purgeOffline: booleanField("pubsub#purge_offline", "Whether items go when their publisher goes off line", false),
    ...(!personal && {
      temporary: booleanField("pubsub#tempsub", "Whether subscriptions end when their subscriber goes off line", false),
    }),
  };
}

export type ConfigFields = ReturnType<typeof fieldsOf>;
/** Subscriptions of an account's own service are not `temporary`: contacts ask for events by their presence there. */
export type Config = Omit<Values<Required<ConfigFields>>, "temporary"> & { temporary?: boolean };

/** What a service lets its nodes be configured with. */
export interface Schema {
  fields: ConfigFields;
  defaults: Config;
  mostItems: number;
}

export const PERSONAL: Schema = schema(true);
export const PUBLIC: Schema = schema(false);

function schema(personal: boolean): Schema {
  const fields = fieldsOf(personal);
  const mostItems = MOST_ITEMS[personal ? "personal" : "public"];
  return { fields, defaults: defaults(fields as Required<ConfigFields>) as Config, mostItems };
}

/** The form to fill in. */
export function configForm({ fields }: Schema, config: Config, title: string): Element {
  return formElement(NODE_CONFIG, fields as Required<ConfigFields>, config as Values<Required<ConfigFields>>, {
    title,
  });
}

/** The configuration as it is, to be read (§8.2.5.3). */
export function configResult({ fields }: Schema, config: Config): Element {
  const form = formElement(NODE_CONFIG, fields as Required<ConfigFields>, config as Values<Required<ConfigFields>>);
  form.attrs.type = "result";
  return form;
}

/** What a submitted configuration changes; nothing for a form that was cancelled or is not there. */
export function readConfig({ fields }: Schema, parent: Element | undefined): Partial<Config> | "cancelled" {
  const form = readForm(parent);
  if (!form) return {};
  if (form.type === "cancel") return "cancelled";
  checkAccess(fields, form);
  return readSubmission(form, NODE_CONFIG, fields as Required<ConfigFields>) as Partial<Config>;
}

/** §8.1.2: an access model that the service does not know has an error of its own. */
function checkAccess({ access }: ConfigFields, form: Form): void {
  const asked = form.values.get(access.var);
  if (asked && access.parse(asked) === undefined) throw pubsubError("unsupported-access-model");
}

/**
 * §7.1.5: the conditions under which something is to be published, as configuration; undefined where there are none. One
 * that names what cannot be configured is not met.
 */
export function readOptions({ fields }: Schema, parent: Element | undefined): Partial<Config> | undefined {
  if (!parent) return undefined;
  const form = readForm(parent);
  if (form?.type !== "submit" || (form.formType !== undefined && form.formType !== PUBLISH_OPTIONS)) {
    throw pubsubError("precondition-not-met", `Publish options are a submitted form of type ${PUBLISH_OPTIONS}.`);
  }
  const known = new Set(Object.values(fields).map((field) => field.var));
  for (const name of form.values.keys())
    if (!known.has(name)) throw pubsubError("precondition-not-met", `${name.slice(0, 64)} cannot be configured here.`);
  try {
    return readSubmission(
      { ...form, formType: NODE_CONFIG },
      NODE_CONFIG,
      fields as Required<ConfigFields>,
    ) as Partial<Config>;
  } catch {
    throw pubsubError("precondition-not-met", "An option has a value that no node has.");
  }
}

/** The first option that a configuration does not meet, by the name of its field. */
export function unmet({ fields }: Schema, config: Config, options: Partial<Config>): string | undefined {
  for (const [key, wanted] of Object.entries(options)) {
    const field = (fields as Record<string, Field<unknown>>)[key];
    const have = (config as Record<string, unknown>)[key];
    if (field && field.format(have).join("\n") !== field.format(wanted).join("\n")) return field.var;
  }
  return undefined;
}

/** What disco#info of a node tells of its configuration (§5.4). */
export function metadata(config: Config, more: Readonly<Record<string, readonly string[]>>): Element {
  const all: Record<string, readonly string[]> = {
    "pubsub#title": [config.title],
    "pubsub#description": [config.description],
    "pubsub#type": [config.type],
    "pubsub#language": [config.language],
    "pubsub#contact": config.contact,
    "pubsub#access_model": [config.access],
    "pubsub#publish_model": [config.publishers],
    "pubsub#max_items": [String(config.maxItems)],
    ...more,
  };
  const known = Object.entries(all).filter(([, values]) => values.some((value) => value !== ""));
  return xml(
    "x",
    { xmlns: "jabber:x:data", type: "result" },
    xml("field", { var: "FORM_TYPE", type: "hidden" }, xml("value", {}, `${PUBSUB}#meta-data`)),
    ...known.map(([name, values]) => xml("field", { var: name }, ...values.map((value) => xml("value", {}, value)))),
  );
}

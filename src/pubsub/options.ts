/** XEP-0060 §6.3, §16.4.2: what a subscriber may choose — https://xmpp.org/extensions/xep-0060.html#subscriber-configure */
import { parseDateTime } from "../protocol/datetime.ts";
import { StanzaError } from "../protocol/errors.ts";
import { booleanField, type Field, listsField, textField } from "../protocol/form-fields.ts";
import { defaults, formElement, readForm, readSubmission, type Values } from "../protocol/forms.ts";
import { PUBSUB } from "../protocol/ns.ts";
import type { Element } from "../xml/element.ts";
import type { Config } from "./config.ts";
import { pubsubError } from "./errors.ts";
import type { Subscription } from "./nodes.ts";

export const SUBSCRIBE_OPTIONS = `${PUBSUB}#subscribe_options`;

export type Show = "away" | "chat" | "dnd" | "online" | "xa";

/** A lease that ends when the subscriber goes off line (§12.5). */
const SESSION = "presence";

/** When a lease ends (§12.18): "" for never. */
const lease: Field<string> = {
  ...textField("pubsub#expire", "When the subscription ends"),
  parse: ([text = "", second]) =>
    second === undefined && (text === "" || text === SESSION || parseDateTime(text) !== undefined) ? text : undefined,
};

const FIELDS = {
  deliver: booleanField("pubsub#deliver", "Whether to be notified", true),
  expire: lease,
  /** What a client has to show of itself; nothing chosen means anything. Its own account judges that. */
  shows: listsField<Show>(
    "pubsub#show-values",
    "The presence for which to be notified",
    [],
    [
      { value: "away", label: "Away" },
      { value: "chat", label: "Free to chat" },
      { value: "dnd", label: "Do not disturb" },
      { value: "online", label: "Available, without saying more" },
      { value: "xa", label: "Away for long" },
    ],
  ),
  /** §12.19 leaves filters to the service: this one has the name that XEP-0068 §3.4 leaves for what is not registered. */
  keyword: textField("x-pubsub#keyword", "Only items with this text in them", "", { max: 256 }),
};

export type Options = Values<typeof FIELDS>;

const DEFAULTS: Options = defaults(FIELDS);

export function optionsForm(options: Partial<Options>, type: "form" | "result" = "form"): Element {
  const form = formElement(SUBSCRIBE_OPTIONS, FIELDS, { ...DEFAULTS, ...options });
  form.attrs.type = type;
  return form;
}

/** Throws invalid-options for what does not fit (§6.3.6.2). */
export function readOptions(parent: Element): Partial<Options> | undefined {
  const form = readForm(parent);
  if (!form) throw pubsubError("invalid-options", "Options are a data form.");
  if (form.type === "cancel") return undefined;
  try {
    return readSubmission(form, SUBSCRIBE_OPTIONS, FIELDS);
  } catch (error) {
    throw error instanceof StanzaError ? pubsubError("invalid-options", error.text) : error;
  }
}

/** Whether the subscription's lease is over. */
export function ended(subscription: Subscription, now: number): boolean {
  const { expire = "" } = subscription.options;
  return expire !== "" && expire !== SESSION && (parseDateTime(expire)?.getTime() ?? now) <= now;
}

/** Whether it ends when its subscriber goes off line (§12.5). */
export const isTemporary = ({ expire }: Partial<Options>): boolean => expire === SESSION;

/** What is chosen, where the node makes all subscriptions temporary. */
export const settled = (options: Partial<Options>, { temporary }: Config): Partial<Options> =>
  temporary ? { ...options, expire: SESSION } : options;

/** Whether its holder is told of everything for good, wherever it is. */
export function isPlain({ options: { deliver = true, expire = "", shows = [], keyword = "" } }: Subscription): boolean {
  return deliver && (expire === "" || expire === SESSION) && shows.length === 0 && keyword === "";
}

/** Whether an event whose items have this text goes to the subscriber. */
export function wants(subscription: Subscription, text: string): boolean {
  const { deliver = true, keyword = "" } = subscription.options;
  return deliver && (keyword === "" || text.toLowerCase().includes(keyword.toLowerCase()));
}

/** RFC 6121 §8.5: server rules for local users — https://www.rfc-editor.org/rfc/rfc6121#section-8.5 */

/** What the rules need to know of a resource. */
export interface Candidate {
  available: boolean;
  priority: number;
}

export type Plan<R> =
  | { to: readonly R[] }
  /** Keep it until a resource becomes available; without a place to keep it, an error. */
  | "offline"
  /** Return service-unavailable. */
  | "error"
  | "drop";

/**
 * Where a message goes. `matching` is the resource that a full JID names, undefined when there is none or the JID is bare.
 * The one choice that the table leaves and we make: several resources with a priority that is not negative all get it (§8.5.2.1.1).
 */
export function planMessage<R extends Candidate>(
  type: string,
  full: boolean,
  resources: readonly R[],
  matching: R | undefined,
): Plan<R> {
  if (full && matching) return { to: [matching] }; // §8.5.3.1
  const receptive = resources.filter((resource) => resource.available && resource.priority >= 0);
  switch (type) {
    case "chat": // §8.5.2.1.1, §8.5.2.2.1; §8.5.3.2.1: as though addressed to the bare JID
      return receptive.length > 0 ? { to: receptive } : "offline";
    case "":
      if (full) return "error"; // §8.5.3.2.1: an error rather than silence, so that nothing is lost unseen
      return receptive.length > 0 ? { to: receptive } : "offline";
    case "groupchat": // §8.5.2.1.1, §8.5.2.2.1, §8.5.3.2.1
      return "error";
    case "headline":
      return !full && receptive.length > 0 ? { to: receptive } : "drop";
    default: // an error is never answered
      return "drop";
  }
}

/** RFC 6120 §10: a stanza of another server's, which was verified for its domain, on its way to the object that answers for it. */
import type { Log } from "../kernel/entity.ts";
import { answerAtHost } from "../kernel/host.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Post } from "../kernel/post.ts";
import type { Stanza } from "../protocol/stanza.ts";
import type { Settings } from "../settings.ts";

export interface EnterPorts {
  settings: Settings;
  kernel: Kernel;
  post: Post;
  log: Log;
}

/** Our hosts, which objects of ours answer for. */
export const hostsOf = ({ domain, mucDomain, pubsubDomain, uploadDomain }: Settings): string[] => [
  domain,
  mucDomain,
  pubsubDomain,
  uploadDomain,
];

/** What other servers may write to: our hosts, and components. */
export const addressable = (settings: Settings): string[] => [
  ...hostsOf(settings),
  ...Object.keys(settings.components),
];

export interface Passage {
  /** A number that its receiver knows it by when it comes again. */
  origin: number;
  /** It may have come before. */
  again: boolean;
}

/** `done` runs once another object has it or nobody will, or with the error when the object could not be asked. */
export function enter(
  stanza: Stanza,
  { origin, again }: Passage,
  { settings, kernel, post, log }: EnterPorts,
  done: (error?: Error) => void,
): void {
  const { to, kind } = stanza;
  if (to?.domain === settings.domain && to.local === "") {
    if (stanza.asks) post.send(answerAtHost(kernel, settings, log, stanza));
    done();
  } else if (kind === "message") post.pass(stanza, origin, again, done);
  else post.send(stanza, done);
}

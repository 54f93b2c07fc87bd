/** XEP-0124 §7: what a session's client asks for, and what it gets — https://xmpp.org/extensions/xep-0124.html#session */
import type { Element } from "../../xml/element.ts";
import { integer, type Terminal, XBOSH } from "./wire.ts";

/** What client and server have agreed on. JSON, kept in the session's row. */
export interface Terms {
  /** Seconds that a request is held for at most, and how many are. */
  wait: number;
  hold: number;
  /** Seconds without an open request after which the client counts as gone. */
  inactivity: number;
  ver: string;
  content: string;
  /** The client acknowledges responses (§9.2). */
  ack: boolean;
}

/** Limits told to every client (security.md §4); `polling` only to one that cannot wait. */
const WAIT = 60;
const HOLD = 1;
const INACTIVITY = 60;
export const MAX_PAUSE = 120;
export const POLLING = 5;
/** What we speak; a client's lower version is taken. */
const VERSION = [1, 11] as const;
const CONTENT = "text/xml; charset=utf-8";

/** Of the request for a session (§7.1); or why there is none. */
export function negotiate(request: Element): Terms | Terminal {
  if (!request.attrs.to) return "improper-addressing";
  const wait = Math.min(integer(request, "wait") ?? WAIT, WAIT);
  const hold = wait === 0 ? 0 : Math.min(integer(request, "hold") ?? HOLD, HOLD);
  const content = String(request.attrs.content ?? "");
  return {
    wait,
    hold,
    // §12: who polls comes seldom.
    inactivity: hold === 0 ? 2 * INACTIVITY : INACTIVITY,
    ver: version(request),
    // Only what no browser would run: the response has other people's words in it.
    content: /^(?:text|application)\/(?:xml|plain)(?:; ?charset=utf-8)?$/i.test(content) ? content : CONTENT,
    ack: request.attrs.ack === "1",
  };
}

/** So many requests may be open (§7.2): one more than are held. */
export const requestsOf = ({ hold }: Terms): number => hold + 1;

/** §7.1: the lower of the client's version and ours, whose numbers are two integers. */
function version(request: Element): string {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(String(request.attrs.ver ?? "")) ?? [];
  const lower = Number(major) < VERSION[0] || (Number(major) === VERSION[0] && Number(minor) < VERSION[1]);
  return major && lower ? `${Number(major)}.${Number(minor)}` : VERSION.join(".");
}

/** The attributes of a session's first response (§7.2; XEP-0206 §4). */
export function creation(state: Terms & { sid: string }, rid: number, host: string): Record<string, string | number> {
  const { sid, wait, hold, inactivity, ver, ack } = state;
  return {
    sid,
    wait,
    hold,
    requests: requestsOf(state),
    inactivity,
    maxpause: MAX_PAUSE,
    ...(hold === 0 && { polling: POLLING }),
    ver,
    ...(host !== "" && { from: host }),
    ...(ack && { ack: rid }),
    "xmlns:xmpp": XBOSH,
    "xmpp:version": "1.0",
    "xmpp:restartlogic": "true",
  };
}

/** What the tests use of @xmpp/client 0.14, which ships no types. */
declare module "@xmpp/client" {
  import type { EventEmitter } from "node:events";
  import type { Element } from "ltx";

  export interface FastToken {
    mechanism: string;
    token: string;
    expiry: string;
  }
  type Authenticate = (credentials: { username: string; password: string }, mechanism: string) => Promise<void>;

  export interface Options {
    service: string;
    domain: string;
    resource?: string;
    username?: string;
    password?: string;
    credentials?: (authenticate: Authenticate, mechanisms: string[]) => Promise<void>;
    userAgent?: Element;
  }

  export interface XmppClient extends EventEmitter {
    readonly jid: { toString(): string; bare(): { toString(): string } };
    readonly status: string;
    readonly reconnect: { delay: number };
    readonly streamManagement: EventEmitter & { id: string; enabled: boolean; outbound_q: unknown[] };
    readonly fast: {
      saveToken(token: FastToken): Promise<void>;
      fetchToken(): Promise<FastToken | undefined>;
      deleteToken(): Promise<void>;
    };
    readonly iqCaller: {
      request(iq: Element): Promise<Element>;
      get(child: Element, to?: string): Promise<Element | undefined>;
      set(child: Element, to?: string): Promise<Element | undefined>;
    };
    readonly iqCallee: {
      get(ns: string, name: string, handler: (context: { stanza: Element }) => unknown): void;
      set(ns: string, name: string, handler: (context: { stanza: Element }) => unknown): void;
    };
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send(element: Element): Promise<void>;
  }

  export function client(options: Options): XmppClient;
  export function xml(
    name: string,
    attrs?: Record<string, string | undefined> | string,
    ...children: unknown[]
  ): Element;
  export function jid(text: string): { toString(): string };
}

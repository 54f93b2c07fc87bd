/** BOSH (XEP-0124): a request whose response has the answer to what it asks, over connections that stay open. */
import { Agent, request } from "node:http";
import { attribute, content } from "../../interop/client.ts";
import { parallel } from "../../interop/parallel.ts";
import type { Server } from "../../interop/server.ts";
import { enlist, login, names } from "../crew.ts";
import type { Row } from "../row.ts";

const CLIENTS = 50;
const PINGS = 6_000;
const PATHS = { ours: "/http-bind", prosody: "/http-bind", ejabberd: "/bosh" } as const;
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND = "urn:ietf:params:xml:ns:xmpp-bind";

/** One session, one request at a time. */
class Session {
  readonly #url: string;
  /** undici's fetch would cost the measuring machine more than the server. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });
  readonly #domain: string;
  #sid = "";
  #rid = 1 + Math.floor(Math.random() * 1e9);

  constructor(server: Server) {
    this.#url = `${server.http}${PATHS[server.name]}`;
    this.#domain = server.domain;
  }

  async login(username: string, password: string): Promise<void> {
    const created = await this.sends(
      "",
      `to="${this.#domain}" wait="60" hold="1" ver="1.6" xml:lang="en" xmpp:version="1.0" content="text/xml; charset=utf-8"`,
    );
    this.#sid = attribute(created, "sid") ?? "";
    const plain = Buffer.from(`\0${username}\0${password}`).toString("base64");
    const success = await this.sends(`<auth xmlns="${SASL}" mechanism="PLAIN">${plain}</auth>`);
    if (!success.includes("<success")) throw new Error(success);
    await this.sends("", `to="${this.#domain}" xmpp:restart="true"`);
    const bound = await this.sends(`<iq xmlns="jabber:client" type="set" id="b"><bind xmlns="${BIND}"/></iq>`);
    if (!content(bound, "jid")) throw new Error(bound);
  }

  async ping(id: string): Promise<void> {
    const answer = await this.sends(
      `<iq xmlns="jabber:client" type="get" to="${this.#domain}" id="${id}"><ping xmlns="urn:xmpp:ping"/></iq>`,
    );
    if (!answer.includes("result")) throw new Error(answer);
  }

  sends(inner: string, attrs = ""): Promise<string> {
    const sid = this.#sid ? ` sid="${this.#sid}"` : "";
    const body = `<body xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" rid="${this.#rid++}"${sid} ${attrs}>${inner}</body>`;
    return this.#post(body);
  }

  #post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "text/xml; charset=utf-8", "content-length": Buffer.byteLength(body) };
      const sent = request(this.#url, { method: "POST", agent: this.#agent, headers }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => {
          text += chunk;
        });
        answer.on("end", () => resolve(text));
      });
      // A connection that was idle between two rounds may be closed by now.
      sent.on("error", (error) => (sent.reusedSocket ? resolve(this.#post(body)) : reject(error)));
      sent.end(body);
    });
  }
}

const pinging: Row["prepare"] = async (server) => {
  const users = names("bosh", CLIENTS);
  await enlist(server, users);
  const sessions = await parallel(users, 8, async (name) => {
    const session = new Session(server);
    const { username = "", password = "" } = login(server, name);
    await session.login(username, password);
    return session;
  });
  return {
    async run() {
      await Promise.all(
        sessions.map(async (session) => {
          for (let n = 0; n < PINGS / CLIENTS; n++) await session.ping(`p${n}`);
        }),
      );
      return PINGS;
    },
  };
};

export const rows: Row[] = [{ name: "bosh-ping", title: "ping over BOSH", unit: "µs", prepare: pinging }];

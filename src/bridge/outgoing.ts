/** RFC 6120 §5, §6, XEP-0178, XEP-0220, XEP-0288: a stream of ours to another server — https://xmpp.org/extensions/xep-0220.html */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { domainToASCII } from "node:url";
import { dialbackKey } from "../protocol/dialback.ts";
import * as NS from "../protocol/ns.ts";
import { type Element, xml } from "../xml/element.ts";
import { SERVER_LIMITS } from "../xml/reader.ts";
import type { Certificate } from "./certificate.ts";
import { Connection, type Handler } from "./connection.ts";
import type { Authorities } from "./identity.ts";
import { NoServer, type ResolveOptions, resolveServer, type Target } from "./resolve.ts";

const CONNECT_MS = 10_000;
/** From the first byte to the last word of negotiation. */
const NEGOTIATE_MS = 30_000;

export interface OutgoingPorts {
  certificate: Certificate;
  resolve: ResolveOptions;
  authorities: Authorities;
  /** Whether the other end needs a certificate of its own, or dialback over TLS will do. */
  certificates: "required" | "optional";
  secret: string;
}

/** A stream that has been refused or lost. `final`: trying again would be of no use. */
export class Refused extends Error {
  readonly final: boolean;
  constructor(message: string, final = false) {
    super(message);
    this.final = final;
  }
}

/** What a stream is for: stanzas from `local` to `remote`; or to ask whether a key of `remote`'s is good. */
export type Purpose = { kind: "stanzas" } | { kind: "verify"; id: string; key: string };

/** An authenticated stream; or, for `verify`, the answer. */
export interface Opened {
  connection: Connection;
  /** The stream's, which the other end has given it. */
  id: string;
  valid: boolean;
  /** The other end offers XEP-0198. */
  acknowledges: boolean;
  /** What is for us may come on it, too (XEP-0288). */
  both: boolean;
}

export async function openStream(
  local: string,
  remote: string,
  purpose: Purpose,
  ports: OutgoingPorts,
): Promise<Opened> {
  let targets: Target[];
  try {
    targets = await resolveServer(remote, ports.resolve);
  } catch (error) {
    throw new Refused(String(error), error instanceof NoServer);
  }
  let last: unknown;
  for (const target of targets) {
    let socket: Socket;
    try {
      socket = await reach(target, remote, ports);
    } catch (error) {
      last = error;
      continue;
    }
    return negotiate(socket, local, remote, purpose, ports);
  }
  throw new Refused(`no address of ${remote} answers: ${last}`);
}

const tlsOptions = (remote: string, { certificate }: OutgoingPorts) => ({
  servername: domainToASCII(remote),
  ALPNProtocols: ["xmpp-server"],
  secureContext: certificate.context,
  // Judged by us: a server without a good certificate may still prove itself by dialback.
  rejectUnauthorized: false,
});

async function reach({ address, port, direct }: Target, remote: string, ports: OutgoingPorts): Promise<Socket> {
  const socket = direct
    ? connectTls({ host: address, port, ...tlsOptions(remote, ports) })
    : connectTcp({ host: address, port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error("no answer in time")), CONNECT_MS);
  socket.once(direct ? "secureConnect" : "connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function negotiate(
  socket: Socket,
  local: string,
  remote: string,
  purpose: Purpose,
  ports: OutgoingPorts,
): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  let id = "";
  let acknowledges = false;
  let both = false;
  let authenticated = false;
  let certified: boolean | undefined;
  const opened = (valid: boolean): Opened => ({ connection, id, valid, acknowledges, both });
  const open = () => connection.open({ from: local, to: remote, version: "1.0", "xml:lang": "en" });
  const refuse = (reason: string) => {
    reject(new Refused(`${remote}: ${reason}`));
    connection.close();
  };
  const handler: Handler = {
    open(header) {
      id = header.attrs.id ?? "";
      // No version: a server from before stream features, which cannot do TLS either.
      if (header.attrs.version === undefined) refuse("no version");
    },
    element(element) {
      const { name, attrs } = element;
      const ns = attrs.xmlns;
      if (ns === NS.STREAMS) {
        if (name === "features") features(element);
        else refuse(`stream error ${element.getChildElements()[0]?.name}`);
      } else if (ns === NS.TLS) {
        if (name !== "proceed") return refuse("TLS was refused");
        const wrap = (plain: Socket) => connectTls({ socket: plain, ...tlsOptions(remote, ports) });
        connection.secureWith(wrap).then(open, (error) => refuse(String(error)));
      } else if (ns === NS.SASL) {
        if (name === "success") {
          authenticated = true;
          connection.restart();
          open();
        } else dialback();
      } else if (ns === NS.DIALBACK) answered(element);
    },
    closed: () => refuse("the stream was closed"),
    gone: () => refuse("the connection was lost"),
  };

  function features(element: Element): void {
    if (!connection.secure) {
      // Policy: nothing goes to another server in the clear.
      if (!element.getChild("starttls", NS.TLS)) return refuse("it offers no TLS");
      return void connection.write(`<starttls xmlns="${NS.TLS}"/>`);
    }
    acknowledges = element.getChild("sm", NS.SM) !== undefined;
    // Judged once: the same connection goes on after SASL.
    certified ??= ports.authorities.certify(connection.socket as TLSSocket, remote);
    if (!certified && ports.certificates === "required") return refuse("its certificate is not good");
    if (purpose.kind === "verify") return verify(purpose);
    if (authenticated) return resolve(opened(true));
    if (element.getChild("bidi", NS.BIDI_FEATURE)) {
      both = true;
      connection.write(`<bidi xmlns="${NS.BIDI}"/>`);
    }
    const mechanisms = element.getChild("mechanisms", NS.SASL)?.getChildren("mechanism") ?? [];
    if (certified && mechanisms.some((mechanism) => mechanism.getText() === "EXTERNAL")) {
      const name = Buffer.from(local).toString("base64");
      connection.send(xml("auth", { xmlns: NS.SASL, mechanism: "EXTERNAL" }, name));
    } else dialback();
  }

  function dialback(): void {
    if (ports.certificates === "required") return refuse("it does not take our certificate");
    const key = dialbackKey(ports.secret, remote, local, id);
    connection.write(`<db:result from="${local}" to="${remote}">${key}</db:result>`);
  }

  function verify({ id: theirs, key }: Extract<Purpose, { kind: "verify" }>): void {
    const text = xml("db:verify", { from: local, to: remote, id: theirs }, key);
    connection.send(text);
  }

  function answered({ name, attrs }: Element): void {
    if (attrs.from !== remote || attrs.to !== local) return; // §2.4: for this pair, or not for us
    const valid = attrs.type === "valid";
    if (purpose.kind === "verify") {
      if (name === "verify" && attrs.id === purpose.id) resolve(opened(valid));
    } else if (name === "result") {
      if (valid) resolve(opened(valid));
      else refuse(`dialback ended with ${attrs.type}`);
    }
  }

  const connection = new Connection(socket, NS.SERVER, handler);
  connection.limits = SERVER_LIMITS;
  const late = setTimeout(() => refuse("negotiation took too long"), NEGOTIATE_MS);
  promise.then(
    () => clearTimeout(late),
    () => clearTimeout(late),
  );
  open();
  return promise;
}

/** RFC 6120 §6 and XEP-0388 v1.0.4: who a client is — https://xmpp.org/extensions/xep-0388.html */

import { metadataElement } from "../archive/answer.ts";
import {
  begin,
  conclude,
  type Environment,
  type Judgement,
  respond,
  type Step,
  supply,
} from "../protocol/authentication.ts";
import { type SaslCondition, StreamError } from "../protocol/errors.ts";
import { fastMechanisms, readFast, readTokenRequest, tokenElement } from "../protocol/fast.ts";
import { Jid } from "../protocol/jid.ts";
import * as NS from "../protocol/ns.ts";
import { challengeElement, failureElement, type SaslRequest, successElement } from "../protocol/sasl.ts";
import { type Element, xml } from "../xml/element.ts";
import { read } from "../xml/reader.ts";
import { serialise } from "../xml/writer.ts";
import { judgeToken, looksLikeToken, takesTokens } from "./bearer.ts";
import { bindResource, enableInline, newGuest, takeBack } from "./binding.ts";
import type { Claim } from "./calls.ts";
import { bindings, isGuestHost, mechanisms, sayFeatures, tokenMechanisms, tolerated } from "./negotiation.ts";
import type { Exchange, Negotiating } from "./state.ts";
import type { Stream } from "./stream.ts";

/** Tries on one stream (security.md C7). */
const TRIES = 3;

/** Tokens are for SASL2 only (XEP-0484 §4.1). */
const environment = (stream: Stream, profile: Exchange["profile"]): Environment => ({
  mechanisms: mechanisms(stream),
  bindings: isGuestHost(stream) ? [] : bindings(stream),
  tolerated: tolerated(stream),
  fast: profile === "sasl" ? [] : tokenMechanisms(stream),
});

/** One SASL element from the client. */
export async function sasl(stream: Stream, phase: Negotiating, request: SaslRequest, element: Element): Promise<void> {
  const { profile } = request;
  switch (request.kind) {
    case "start": {
      delete phase.exchange;
      const wait = stream.gate.attempts.wait(stream.state.address);
      delete phase.tried;
      if (wait > 0)
        return fail(stream, profile, "temporary-auth-failure", `Too many failed logins: try again in ${wait} s.`);
      const { mechanism, initial, userAgent } = request;
      const exchange: Exchange = { profile, mechanism, state: { at: "refused" }, agent: userAgent };
      if (profile === "sasl2") exchange.request = serialise(element);
      return drive(stream, phase, exchange, begin(mechanism, initial, environment(stream, profile)));
    }
    case "response": {
      const { exchange } = phase;
      if (!exchange || exchange.profile !== profile) return fail(stream, profile, "malformed-request");
      delete phase.exchange;
      return drive(stream, phase, exchange, respond(exchange.state, request.data, environment(stream, profile)));
    }
    case "abort":
      delete phase.exchange;
      return fail(stream, profile, "aborted");
    case "refused":
      return fail(stream, profile, request.condition);
  }
}

/** Goes on until the client, or nobody, has to say something. */
async function drive(stream: Stream, phase: Negotiating, exchange: Exchange, first: Step): Promise<void> {
  for (let step = first; ; ) {
    if ("username" in step && step.username !== undefined && step.step !== "success") {
      phase.tried = account(stream, step.username);
      // Of one account from one address fewer than of all: nobody is locked out by what others do (XEP-0205 §4.3).
      if (stream.gate.guesses.wait(`${stream.state.address} ${phase.tried}`) > 0)
        return fail(stream, exchange.profile, "temporary-auth-failure", "Too many failed logins: try again later.");
    }
    switch (step.step) {
      case "challenge":
        phase.exchange = { ...exchange, state: step.state };
        stream.write(challengeElement(exchange.profile, step.data));
        return;
      case "keys": {
        const jid = account(stream, step.username);
        step = supply(step.state, await stream.gate.accounts(jid).credentials(jid));
        break;
      }
      case "password": {
        // A token may come as a password, so that every client can log in with one.
        const { username, password } = step;
        const tokens = takesTokens(stream.gate.settings) && looksLikeToken(password);
        const judgement = tokens
          ? await redeem(stream, password, account(stream, username))
          : await judge(stream, username, { password });
        step = conclude(step.state, judgement);
        break;
      }
      case "bearer":
        step = conclude(step.state, await redeem(stream, step.token));
        break;
      case "token": {
        const fast = exchange.request ? readFast(read(exchange.request)) : undefined;
        const client = exchange.agent.id;
        // XEP-0484 §4.4: a token is good for the client it was given to, and only by <fast/>.
        const judgement: Judgement =
          fast && client
            ? await judge(stream, step.username, { proof: step.proof, client, fast })
            : { ok: false, reason: "no client id" };
        if (judgement.ok && judgement.due) exchange.due = true;
        step = conclude(step.state, judgement);
        break;
      }
      case "success":
        return succeed(stream, phase, exchange, step);
      case "failure":
        stream.gate.log.warn("a login failed", { reason: step.reason, mechanism: exchange.mechanism });
        return fail(stream, exchange.profile, step.condition);
      default:
        return fail(stream, exchange.profile, "invalid-mechanism");
    }
  }
}

/** A name as the bare JID of an account, or of a guest. One that is no name at all belongs to nobody, and nobody can tell. */
function account(stream: Stream, username: string): string {
  const domain = stream.state.host;
  const name = username.endsWith(`@${domain}`) ? username.slice(0, -domain.length - 1) : username;
  const jid = Jid.tryParse(`${name}@${domain}`);
  return jid && !jid.full && jid.local ? jid.toString() : `-@${domain}`;
}

function judge(stream: Stream, username: string, claim: Claim): Promise<Judgement> {
  const jid = account(stream, username);
  return stream.gate.logins(jid).judge(jid, claim);
}

/** Judges a web app's token; `jid`: whom it must be for. Its account is made at its first use. */
async function redeem(stream: Stream, token: string, jid?: string): Promise<Judgement> {
  const { gate } = stream;
  const verdict = await judgeToken(gate.settings, token);
  if (!verdict.ok) return verdict;
  const { login } = verdict;
  if (jid !== undefined && login.jid !== jid) return { ok: false, reason: "the token is for somebody else" };
  const judgement = await gate.accounts(login.jid).judge(login.jid, { login });
  return judgement.ok ? { ...judgement, username: login.jid.slice(0, -gate.settings.domain.length - 1) } : judgement;
}

function fail(stream: Stream, profile: Exchange["profile"], condition: SaslCondition, text?: string): void {
  const { phase } = stream.state;
  stream.write(failureElement(profile, condition, text));
  if (phase.at !== "negotiating") return;
  if (condition === "not-authorized") {
    stream.gate.attempts.failed(stream.state.address);
    if (phase.tried) stream.gate.guesses.failed(`${stream.state.address} ${phase.tried}`);
  }
  if (++phase.failures >= TRIES) throw new StreamError("policy-violation", "Too many failed attempts."); // §6.4.5
}

async function succeed(
  stream: Stream,
  phase: Negotiating,
  { profile, mechanism, agent, request, due }: Exchange,
  { username, authzid, data }: Extract<Step, { step: "success" }>,
): Promise<void> {
  const { gate } = stream;
  const jid = username === undefined ? newGuest(stream) : account(stream, username);
  // §6.3.8: nobody acts for anybody else here (ejabberd before 26.07 let them).
  if (authzid !== undefined && Jid.tryParse(authzid)?.bare.toString() !== jid)
    return fail(stream, profile, "invalid-authzid");
  if (profile === "sasl") {
    phase.jid = jid;
    stream.write(successElement(profile, { authorizationIdentifier: jid, data }));
    return;
  }
  const asked = read(request ?? "");
  const inline = await inlineRequests(
    stream,
    jid,
    asked,
    agent.id,
    wantedToken(asked) ?? (due ? mechanism : undefined),
  );
  phase.jid = jid;
  const authorizationIdentifier = stream.jid?.toString() ?? jid;
  stream.write(successElement(profile, { authorizationIdentifier, data, inline: inline.results }));
  if (!inline.resumed) sayFeatures(stream); // XEP-0388 §2.6.1
  if (stream.bound) gate.opened(stream);
}

/** XEP-0388 §2.5: what rides in `<authenticate/>`. A resumption goes first and makes binding needless (XEP-0386 §2.2). */
async function inlineRequests(
  stream: Stream,
  jid: string,
  request: Element,
  client: string | undefined,
  token: string | undefined,
): Promise<{ results: Element[]; resumed: boolean }> {
  const results: Element[] = [];
  const resume = request.getChild("resume", NS.SM);
  const bind = request.getChild("bind", NS.BIND2);
  const back = resume && (await takeBack(stream, jid, resume));
  if (back) results.push(back.element);
  const resumed = back?.ok === true;
  if (resumed || !bind) {
    await issue(stream, jid, client, token, results);
    return { results, resumed };
  }
  const tag = bind.getChildText("tag", NS.BIND2) ?? "";
  const bound = await bindResource(stream, jid, {
    ...(tag && { tag }),
    ...(client && { client }),
    ...(client && token && { token }),
    carbons: bind.getChild("enable", NS.CARBONS) !== undefined,
    metadata: true,
  });
  if (!bound.ok) throw new StreamError("policy-violation", bound.text);
  const phase = stream.bound;
  if (phase && bind.getChild("inactive", NS.CSI)) phase.csi = true;
  const enable = bind.getChild("enable", NS.SM);
  const children = [
    ...(bound.metadata === undefined ? [] : [metadataElement(bound.metadata ?? undefined)]),
    ...(enable ? [enableInline(stream, enable)] : []),
  ];
  results.push(xml("bound", { xmlns: NS.BIND2 }, ...children));
  if (bound.token && token) results.push(tokenElement({ ...bound.token, mechanism: token, count: 0 }));
  else await issue(stream, jid, client, token, results);
  return { results, resumed: false };
}

/** A guest that was resumed by an anonymous stream is who it was, and not the newcomer. */
async function issue(
  { gate, state, jid: own }: Stream,
  jid: string,
  client: string | undefined,
  mechanism: string | undefined,
  results: Element[],
): Promise<void> {
  if (!client || !mechanism) return;
  const whose = own?.bare.toString() ?? jid;
  const issued = await gate.logins(whose).issue(whose, client, mechanism, state.address);
  if (issued) results.push(tokenElement(issued));
}

function wantedToken(request: Element): string | undefined {
  const mechanism = readTokenRequest(request);
  return mechanism && fastMechanisms().includes(mechanism) ? mechanism : undefined;
}

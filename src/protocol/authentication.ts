/**
 * RFC 4422: SASL exchanges of the mechanisms we have, as pure steps — https://www.rfc-editor.org/rfc/rfc4422
 *
 * `begin` reads the first message. A step tells what is wanted: the client's next answer (`respond`), an account's SCRAM
 * keys (`supply`), or a judgement that only the account's object or an issuer's key can give (`conclude`). States are
 * plain data without the password or token, so that they can ride in a socket attachment.
 */
import type { SaslCondition } from "./errors.ts";
import {
  bearerRefusal,
  readBearer,
  readHashedToken,
  readPlain,
  type TokenProof,
  tokenBinding,
  utf8,
} from "./sasl-messages.ts";
import {
  type Challenge,
  type ClientFirst,
  type Credentials,
  downgradeHash,
  HASHES,
  type Hash,
  parseClientFirst,
  serverFirst,
  verifyFinal,
} from "./scram.ts";

/** Bytes that both ends of a TLS connection know; from a bridge that ended it (RFC 5056). */
export interface ChannelBinding {
  type: string;
  data: Uint8Array;
}

export interface Environment {
  /** As offered on this stream in the profile in use: nothing else is accepted, and XEP-0474 hashes it. */
  mechanisms: readonly string[];
  /** As offered in `<fast/>`, when the request carries a `<fast/>` of its own. */
  fast?: readonly string[] | undefined;
  /** Channel bindings of this stream, announced by XEP-0440; absent or empty where TLS ends elsewhere. */
  bindings?: readonly ChannelBinding[] | undefined;
  /** Channel bindings that are taken but not announced. */
  tolerated?: readonly ChannelBinding[] | undefined;
}

/** Between two events of an exchange. */
export type AuthenticationState =
  | { at: "start"; mechanism: string }
  | { at: "keys"; hash: Hash; first: ClientFirst; bindingData: string; downgrade: string }
  | { at: "proof"; username: string; authzid?: string; challenge: Challenge }
  | { at: "verdict"; mechanism: string; username?: string; authzid?: string }
  | { at: "refused" };

export type Step =
  /** Send it, keep the state, give the answer to `respond`. */
  | { step: "challenge"; data: string; state: AuthenticationState }
  /** Fetch the SCRAM credentials of the account (or `fakeKeys`), give them to `supply`. */
  | { step: "keys"; username: string; authzid: string | undefined; state: AuthenticationState }
  /** Judge by `verifyPlain` or as a token, then `conclude`. */
  | { step: "password"; username: string; authzid: string | undefined; password: string; state: AuthenticationState }
  /** Judge by `verifyToken` against the account's tokens, then `conclude`. */
  | { step: "token"; username: string; proof: TokenProof; state: AuthenticationState }
  /** Judge the access token, then `conclude` with the username it is for. */
  | { step: "bearer"; authzid: string | undefined; token: string; state: AuthenticationState }
  /** Judge by what TLS verified of the peer, then `conclude`. `authzid`: a domain or JID, if the peer said one. */
  | { step: "external"; authzid: string | undefined; state: AuthenticationState }
  /** Authenticated, but the caller still has to judge `authzid` (a JID, not normalised). No username: anonymous. */
  | {
      step: "success";
      username: string | undefined;
      authzid: string | undefined;
      data: string | Uint8Array | undefined;
    }
  | { step: "failure"; condition: SaslCondition; reason: string };

/**
 * What was found of a password, token or certificate. `data` (base64): additional data with success; `due`: the token is to
 * be replaced.
 */
export type Judgement =
  | { ok: true; username?: string; data?: string; due?: boolean }
  | { ok: false; reason: string; condition?: SaslCondition };

const ORDER = [
  ...HASHES.toReversed().map((hash) => `SCRAM-${hash}-PLUS`),
  "EXTERNAL",
  ...HASHES.toReversed().map((hash) => `SCRAM-${hash}`),
  "OAUTHBEARER",
  "PLAIN",
  "ANONYMOUS",
] as const;

export interface Offer {
  scram?: boolean;
  plain?: boolean;
  oauthbearer?: boolean;
  anonymous?: boolean;
  external?: boolean;
  bindings?: readonly ChannelBinding[] | undefined;
}

/** Names of the mechanisms to offer, strongest first; `-PLUS` only where there is something to bind to (RFC 5802 §6). */
export function offeredMechanisms(offer: Offer): string[] {
  return ORDER.filter((name) => {
    if (name.startsWith("SCRAM-")) return offer.scram && (!name.endsWith("-PLUS") || (offer.bindings?.length ?? 0) > 0);
    return offer[name.toLowerCase() as "external" | "oauthbearer" | "plain" | "anonymous"];
  });
}

function failure(condition: SaslCondition, reason: string): Step {
  return { step: "failure", condition, reason };
}

/** Begins an exchange; `initial`: the client's first message, if it came with the request. */
export function begin(mechanism: string, initial: Uint8Array | undefined, env: Environment): Step {
  if (!env.mechanisms.includes(mechanism) && !env.fast?.includes(mechanism)) {
    return failure("invalid-mechanism", `${mechanism.slice(0, 40)} was not offered`);
  }
  if (initial === undefined) {
    // RFC 4422 §3: all of ours are client-first, so an empty challenge asks for the message. ANONYMOUS needs none.
    if (mechanism !== "ANONYMOUS") return { step: "challenge", data: "", state: { at: "start", mechanism } };
    return success(undefined, undefined);
  }
  return open(mechanism, initial, env);
}

function success(username: string | undefined, authzid: string | undefined, data?: string | Uint8Array): Step {
  return { step: "success", username, authzid, data };
}

function open(mechanism: string, message: Uint8Array, env: Environment): Step {
  const scram = /^SCRAM-(SHA-\d+)(-PLUS)?$/.exec(mechanism);
  if (scram) return openScram(scram[1] as Hash, scram[2] !== undefined, message, env);
  if (tokenBinding(mechanism) !== undefined) return openToken(mechanism, message, env);
  switch (mechanism) {
    case "PLAIN": {
      const plain = readPlain(message);
      if (plain === undefined) return failure("malformed-request", "PLAIN message does not parse");
      return { step: "password", ...plain, state: verdict(mechanism, plain.username, plain.authzid) };
    }
    case "OAUTHBEARER": {
      const bearer = readBearer(message);
      if (bearer === undefined) return failure("malformed-request", "OAUTHBEARER message does not parse");
      return { step: "bearer", ...bearer, state: verdict(mechanism, undefined, bearer.authzid) };
    }
    case "EXTERNAL": {
      const authzid = utf8(message);
      if (authzid === undefined || authzid.length > 3071) return failure("malformed-request", "authzid is not a JID");
      return {
        step: "external",
        authzid: authzid || undefined,
        state: verdict(mechanism, undefined, authzid || undefined),
      };
    }
    case "ANONYMOUS":
      // RFC 4505: the message is a trace for logs, which we do not keep; only its limit is checked.
      return (utf8(message)?.length ?? 256) < 256
        ? success(undefined, undefined)
        : failure("malformed-request", "trace too long");
    default:
      return failure("invalid-mechanism", `${mechanism} has no implementation`);
  }
}

function verdict(mechanism: string, username: string | undefined, authzid: string | undefined): AuthenticationState {
  return {
    at: "verdict",
    mechanism,
    ...(username !== undefined && { username }),
    ...(authzid !== undefined && { authzid }),
  };
}

function openScram(hash: Hash, plus: boolean, message: Uint8Array, env: Environment): Step {
  const first = parseClientFirst(utf8(message) ?? "");
  if (first === undefined) return failure("malformed-request", "client-first-message does not parse");
  // RFC 5802 §5.1: the flag must agree with the mechanism's name.
  if ((first.flag === "p") !== plus) return failure("malformed-request", `gs2 flag ${first.flag} with this mechanism`);
  // §6: "y" although we offered -PLUS means that somebody took it from the list on the way.
  if (first.flag === "y" && env.mechanisms.some((name) => name.endsWith("-PLUS"))) {
    return failure("not-authorized", "the client did not see the -PLUS mechanisms offered");
  }
  const bound = [...(env.bindings ?? []), ...(env.tolerated ?? [])].find(({ type }) => type === first.binding);
  if (plus && bound === undefined) return failure("not-authorized", `unsupported channel binding ${first.binding}`);
  const types = env.bindings?.length ? env.bindings.map(({ type }) => type) : undefined;
  return {
    step: "keys",
    username: first.username,
    authzid: first.authzid,
    state: {
      at: "keys",
      hash,
      first,
      bindingData: Buffer.from(bound?.data ?? []).toString("base64"),
      downgrade: downgradeHash(hash, env.mechanisms, types),
    },
  };
}

function openToken(mechanism: string, message: Uint8Array, env: Environment): Step {
  const parsed = readHashedToken(message);
  if (parsed === undefined) return failure("malformed-request", "HT message does not parse");
  const type = tokenBinding(mechanism);
  const bound = env.bindings?.find((binding) => binding.type === type);
  if (type !== "" && bound === undefined) return failure("not-authorized", `no ${type} channel binding here`);
  const { username, hash } = parsed;
  const encode = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64");
  const proof = { mechanism, hash: encode(hash), binding: encode(bound?.data) };
  return { step: "token", username, proof, state: verdict(mechanism, username, undefined) };
}

/** Goes on with an account's SCRAM credentials; for a name without an account or password give it `fakeKeys`. */
export function supply(state: AuthenticationState, credentials: Credentials): Step {
  if (state.at !== "keys") return failure("malformed-request", "no keys were asked for");
  const { hash, first, bindingData, downgrade } = state;
  const keys = credentials[hash];
  // An account brought from elsewhere without this hash: the client can only fall back to another mechanism.
  if (keys === undefined) return failure("not-authorized", `no ${hash} keys for this account`);
  const { message, challenge } = serverFirst(hash, first, keys, {
    bindingData: Buffer.from(bindingData, "base64"),
    downgrade,
  });
  const { username, authzid } = first;
  return {
    step: "challenge",
    data: message,
    state: { at: "proof", username, ...(authzid !== undefined && { authzid }), challenge },
  };
}

/** Goes on with the client's answer to a challenge. */
export function respond(state: AuthenticationState, response: Uint8Array, env: Environment): Step {
  switch (state.at) {
    case "start":
      return open(state.mechanism, response, env);
    case "proof": {
      const verdict = verifyFinal(state.challenge, utf8(response) ?? "");
      if (!verdict.ok) return failure(verdict.condition, verdict.reason);
      return success(state.username, state.authzid, verdict.serverFinal);
    }
    case "refused":
      return failure("not-authorized", "access token refused");
    default:
      return failure("malformed-request", "no answer was asked for");
  }
}

/** Ends an exchange whose judgement was the caller's. The reason of a refusal is for the log only. */
export function conclude(state: AuthenticationState, judgement: Judgement): Step {
  if (state.at !== "verdict") return failure("malformed-request", "no judgement was asked for");
  if (!judgement.ok) {
    // RFC 7628 §3.2.3: the client hears why first, and answers with one byte.
    if (state.mechanism === "OAUTHBEARER" && judgement.condition === undefined) {
      return { step: "challenge", data: bearerRefusal("invalid_token"), state: { at: "refused" } };
    }
    return failure(judgement.condition ?? "not-authorized", judgement.reason);
  }
  const data = judgement.data === undefined ? undefined : Buffer.from(judgement.data, "base64");
  return success(judgement.username ?? state.username, state.authzid, data);
}

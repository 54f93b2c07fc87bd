/** What a gate asks of accounts and of other gates: plain data both ways, errors included. */
import type { Metadata } from "../archive/answer.ts";
import type { GateCalls } from "../kernel/post.ts";
import type { Judgement } from "../protocol/authentication.ts";
import type { StanzaCondition } from "../protocol/errors.ts";
import type { FastRequest, Token } from "../protocol/fast.ts";
import type { TokenProof } from "../protocol/sasl-messages.ts";
import type { Credentials } from "../protocol/scram.ts";
import type { TokenLogin } from "./bearer.ts";
import type { StreamState, Unacked } from "./state.ts";

/** A resource that a stream wants to be. */
export interface BindRequest {
  gate: string;
  sid: string;
  /** RFC 6120 §7.7: the resource part that the client would like. */
  resource?: string;
  /** XEP-0386 §2.2.1: what the resource part starts with; and the client's id across its streams. */
  tag?: string;
  client?: string;
  carbons?: boolean;
  /** Where the client reaches this server: "https://chat.example". */
  site?: string;
  /** Wants to know where its archive begins and ends (XEP-0386 §2.2). */
  metadata?: true;
  /** The FAST mechanism that a token is wanted for (XEP-0484 §4.2). */
  token?: string;
}

export type Bound =
  | {
      ok: true;
      resource: string;
      token?: { secret: string; expires: number };
      /** The hash of the account's avatar (XEP-0398). */
      photo?: string;
      /** `null`: the archive is empty; absent: there is none, or nobody asked. */
      metadata?: Metadata | null;
    }
  | { ok: false; condition: StanzaCondition; text: string };

/** What an account must judge for itself: a password, a token of one client, or a login that a web app vouches for. */
export type Claim =
  | { password: string }
  | { proof: TokenProof; client: string; fast: FastRequest }
  | { login: TokenLogin };

/** What accounts and guests' gates have in common: who comes, and where their streams are. */
export interface LoginCalls {
  judge(jid: string, claim: Claim): Promise<Judgement>;
  bind(jid: string, request: BindRequest): Promise<Bound>;
  /**
   * Points the resource of stream `sid` to another gate. The answer names the one that had it, and comes when nothing is on
   * its way there any more; undefined when the account has no such stream.
   */
  resume(jid: string, sid: string, gate: string): Promise<string | undefined>;
  /** A token for a client that binds nothing now (XEP-0484 §4.3); `address`: where it is, by the gate's hash. */
  issue(jid: string, client: string, mechanism: string, address: string): Promise<Token | undefined>;
}

export interface AccountCalls extends LoginCalls {
  /** SCRAM keys; of an unknown account, some that look the same and fit nothing (security.md C5). */
  credentials(jid: string): Promise<Credentials>;
  /** XEP-0077: makes an account. */
  register(jid: string, password: string): Promise<"ok" | "conflict" | "not-acceptable">;
}

export interface StreamCalls extends GateCalls, LoginCalls {
  /** Gives a stream away to the gate where its client has come back; nothing, when it is not here or not that account's. */
  handOver(sid: string, jid: string, to: string): Promise<HandOver | undefined>;
  /** Which of these streams are not here any more: after a crash, an account's rows may name some. */
  missing(sids: string[]): Promise<string[]>;
}

export interface HandOver {
  state: StreamState;
  queue: Unacked[];
}

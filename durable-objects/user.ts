/** Hosts accounts: one, or a share of all (see `placement`). */
import { ACCOUNT } from "../src/account/account.ts";
import { Accounts } from "../src/account/accounts.ts";
import { CONTACT } from "../src/account/contacts.ts";
import { Logins, type Vouch } from "../src/account/logins.ts";
import * as operator from "../src/account/operator.ts";
import { RESOURCE } from "../src/account/resources.ts";
import { TOKEN, USED_TOKEN } from "../src/account/tokens.ts";
import { ARCHIVE } from "../src/archive/row.ts";
import { features } from "../src/features/index.ts";
import type { BindRequest, Bound, Claim } from "../src/gate/calls.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { ONCE } from "../src/kernel/once.ts";
import type { Outcome } from "../src/kernel/outcome.ts";
import { gateBeside } from "../src/kernel/placement.ts";
import type { Item } from "../src/kernel/post.ts";
import type { Judgement } from "../src/protocol/authentication.ts";
import type { Token } from "../src/protocol/fast.ts";
import type { Credentials } from "../src/protocol/scram.ts";
import { settingsOf } from "../src/settings.ts";
import { Abandoned } from "../src/upload/given.ts";
import { GATE_TABLES, GateHost, StreamObject } from "./gate-host.ts";
import { type Env, hostObject, type Near, stubs } from "./ports.ts";
import type { UserRpc } from "./rpc.ts";

const kernel = new Kernel(features);
const TABLES = [ACCOUNT, ARCHIVE, CONTACT, ONCE, RESOURCE, TOKEN, USED_TOKEN];

export class User extends StreamObject implements UserRpc {
  /** A cache over the rows. */
  #accounts!: Accounts;
  #logins!: Logins;
  #abandoned!: Abandoned;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const beside = gateBeside(settingsOf(env));
    ctx.blockConcurrencyWhile(async () => {
      const near: Near = beside === undefined ? {} : { accounts: this };
      const object = await hostObject(ctx, env, {
        kind: "USER",
        kernel,
        tables: beside === undefined ? TABLES : [...TABLES, ...GATE_TABLES],
        near,
        local: (item) => this.#accounts.inbox.put(item),
        delivered: (result, batch) => this.#accounts.delivered(result, batch),
      });
      const { settings, log } = object;
      const { gate, room, directory, file } = stubs(env, settings, near);
      const listed = (jid: string, there: boolean) =>
        void directory()
          .listed(jid, there)
          .catch((error) => log.error("an account could not be listed", error, { there }));
      const missing = (name: string, sids: string[]) => gate(name).missing(sids);
      const vouch: Vouch = (jid, whom, affiliation) => room(jid).vouch(jid, whom, affiliation);
      this.#accounts = new Accounts(object, { listed, missing });
      this.#logins = new Logins(object, this.#accounts, vouch);
      this.#abandoned = new Abandoned(object, (id, until) => file(id).forget(until));
      if (beside !== undefined) {
        this.streams = new GateHost(ctx, env, { ...object, name: beside, near });
        near.gate = { name: beside, calls: this.streams };
      }
      // A shared object starts with its process, and then no stream that its rows name is there any more.
      if (settings.placement.policy === "shared") await this.#accounts.verify();
    });
  }

  async receive(batch: Item[]): Promise<void> {
    this.#accounts.inbox.put(...batch);
    // No output gate is between these accounts and the gate beside them: what it is told was taken is on the disk. And what
    // its streams say until then is the next batch, so that many messages are one commit.
    if (this.streams) await this.ctx.storage.sync();
  }

  async credentials(jid: string): Promise<Credentials> {
    return this.#logins.credentials(jid);
  }

  async judge(jid: string, claim: Claim): Promise<Judgement> {
    return this.#logins.judge(jid, claim);
  }

  async issue(jid: string, client: string, mechanism: string): Promise<Token | undefined> {
    return this.#logins.issue(jid, client, mechanism);
  }

  async bind(jid: string, request: BindRequest): Promise<Bound> {
    return this.#logins.bind(jid, request);
  }

  async resume(jid: string, sid: string, gate: string): Promise<string | undefined> {
    return this.#logins.resume(jid, sid, gate);
  }

  async register(jid: string, password: string): Promise<"ok" | "conflict" | "not-acceptable"> {
    return this.#logins.register(jid, password);
  }

  async putAccount(jid: string, password?: string): Promise<Outcome<{ created: boolean }>> {
    if (password === undefined) return { ok: true, value: { created: this.#logins.make(jid) } };
    const created = !this.#accounts.account(jid).exists;
    if (this.#logins.setPassword(jid, password)) return { ok: true, value: { created } };
    return { ok: false, error: "not-acceptable", text: "This password has characters that none may have." };
  }

  async removeAccount(jid: string): Promise<Outcome<void>> {
    return this.#accounts.operate(jid, (account) => account.remove());
  }

  async account(jid: string): Promise<Outcome<operator.AccountFacts>> {
    return this.#accounts.operate(jid, operator.facts);
  }

  async disable(jid: string, disabled: boolean): Promise<Outcome<void>> {
    return this.#accounts.operate(jid, (account) => operator.disable(account, disabled));
  }

  async revoke(jid: string): Promise<Outcome<void>> {
    return this.#accounts.operate(jid, operator.revoke);
  }

  async sessions(jid: string): Promise<Outcome<operator.SessionFacts[]>> {
    return this.#accounts.operate(jid, operator.sessions);
  }

  async endSessions(jid: string, resource?: string): Promise<Outcome<void>> {
    return this.#accounts.operate(jid, (account) => operator.endSessions(account, resource));
  }

  async tell(jid: string, note: operator.Note): Promise<Outcome<{ id: string }>> {
    return this.#accounts.operate(jid, (account) => operator.tell(account, note));
  }

  async speak(jid: string, to: string, note: operator.Note): Promise<Outcome<{ id: string }>> {
    return this.#accounts.operate(jid, (account) => operator.speak(account, to, note));
  }

  override async alarm(): Promise<void> {
    this.#accounts.alarm();
    this.#abandoned.alarm();
    await super.alarm();
  }
}

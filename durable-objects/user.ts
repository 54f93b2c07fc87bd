/** Hosts accounts: one, or a share of all (see `placement`). */
import { DurableObject } from "cloudflare:workers";
import { ACCOUNT } from "../src/account/account.ts";
import { Accounts } from "../src/account/accounts.ts";
import { CONTACT } from "../src/account/contacts.ts";
import { RESOURCE } from "../src/account/resources.ts";
import { TOKEN, USED_TOKEN } from "../src/account/tokens.ts";
import { ARCHIVE } from "../src/archive/row.ts";
import { features } from "../src/features/index.ts";
import type { BindRequest, Bound, Claim } from "../src/gate/calls.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { type Item, Post } from "../src/kernel/post.ts";
import type { Judgement } from "../src/protocol/authentication.ts";
import type { Credentials } from "../src/protocol/scram.ts";
import { settingsOf } from "../src/settings.ts";
import { type Env, log, storageOf, stubs } from "./ports.ts";
import type { UserRpc } from "./rpc.ts";

const kernel = new Kernel(features);
const TABLES = [ACCOUNT, ARCHIVE, CONTACT, RESOURCE, TOKEN, USED_TOKEN, ...kernel.tables];

export class User extends DurableObject<Env> implements UserRpc {
  /** A cache over the rows. */
  #accounts!: Accounts;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const settings = settingsOf(env);
    const { at, directory } = stubs(env, settings);
    const name = ctx.id.name as string;
    ctx.blockConcurrencyWhile(async () => {
      const secrets = await directory().secrets();
      const post: Post = new Post({
        settings,
        self: { kind: "USER", name },
        calls: at,
        local: (item) => this.#accounts.local(item),
        delivered: (gate, result, batch) => this.#accounts.delivered(gate, result, batch),
      });
      const atomically = <T>(run: () => T) => ctx.storage.transactionSync(run);
      const listed = (jid: string, there: boolean) =>
        void directory()
          .listed(jid, there)
          .catch((error) => log.error("an account could not be listed", error, { there }));
      const object = {
        name,
        settings,
        secrets,
        kernel,
        post,
        log,
        atomically,
        ...storageOf(ctx, TABLES),
      };
      this.#accounts = new Accounts(object, listed);
    });
  }

  async receive(batch: Item[]): Promise<void> {
    this.#accounts.receive(batch);
  }

  async credentials(jid: string): Promise<Credentials> {
    return this.#accounts.credentials(jid);
  }

  async judge(jid: string, claim: Claim): Promise<Judgement> {
    return this.#accounts.judge(jid, claim);
  }

  async bind(jid: string, request: BindRequest): Promise<Bound> {
    return this.#accounts.bind(jid, request);
  }

  async resume(jid: string, sid: string, gate: string): Promise<boolean> {
    return this.#accounts.resume(jid, sid, gate);
  }

  async register(jid: string, password: string): Promise<"ok" | "conflict" | "not-acceptable"> {
    return this.#accounts.register(jid, password);
  }

  async setPassword(jid: string, password: string): Promise<{ ok: true; created: boolean } | { error: string }> {
    const created = !this.#accounts.account(jid).exists;
    if (!this.#accounts.setPassword(jid, password))
      return { error: "This password has characters that none may have." };
    return { ok: true, created };
  }

  async account(jid: string): Promise<{ jid: string } | null> {
    return this.#accounts.account(jid).exists ? { jid } : null;
  }

  async removeAccount(jid: string): Promise<{ ok: true } | { error: string }> {
    if (!this.#accounts.remove(jid)) return { error: "There is no such account." };
    return { ok: true };
  }

  override async alarm(): Promise<void> {
    this.#accounts.alarm();
  }
}

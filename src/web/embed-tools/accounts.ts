/** Logging in as somebody: with what the page's application gives, by its callback or at its address. */
import { withToken } from "../client/bearer.ts";
import type { Credentials } from "../client/sasl.ts";
import { withPassword } from "../client/scram.ts";
import type { Account, Login } from "../embed/live.ts";

/** Asks the application once for now; it is asked again at every later login that needs it. */
export async function account(getLogin: () => Promise<Login>): Promise<Account> {
  const login = await getLogin();
  const { jid, token, nick } = read(login);
  return {
    who: jid ?? subjectOf(token),
    domain: jid?.split("@")[1],
    nick: nick ?? jid?.split("@")[0],
    credentials: credentialsOf(login, getLogin),
  };
}

export async function fetchLogin(url: string): Promise<Login> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

interface Parts {
  jid?: string;
  password?: string;
  token?: string;
  nick?: string;
}
const read = (login: Login): Parts => (typeof login === "string" ? { token: login } : login);

/** Who a token is for, as far as it says so: nothing is trusted for it but which session of this tab to go on with. */
function subjectOf(token = ""): string | undefined {
  try {
    return JSON.parse(atob(token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))).sub;
  } catch {
    return undefined;
  }
}

function credentialsOf(login: Login, getLogin: () => Promise<Login>): Credentials {
  const { jid, password } = read(login);
  if (jid && password !== undefined) return withPassword(jid.split("@")[0]!, password);
  let hand: Login | undefined = login;
  return withToken(async () => {
    const { token = "" } = read(hand ?? (await getLogin()));
    hand = undefined;
    return token;
  });
}

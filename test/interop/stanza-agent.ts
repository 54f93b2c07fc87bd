/** StanzaJS as its users start it, for the tests that do. */
import { type Agent, type AgentConfig, createClient } from "stanza";
import { vi } from "vitest";
import { type Account, event, type Stage } from "./fixture.ts";

export interface AgentOptions extends AgentConfig {
  /** The server's WebSocket address, or a wire's. */
  url?: string;
  /** The only SASL mechanism to use. */
  mechanism?: string;
}

// Quirk: it reports on the console that it could not write to a socket it has just closed.
vi.spyOn(console, "error").mockReturnValue();

const MECHANISMS = ["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "OAUTHBEARER", "X-OAUTH2", "PLAIN", "ANONYMOUS"];

/** An agent that is not connected yet. */
export function make(on: Stage, { url, mechanism, ...config }: AgentOptions): Agent {
  const agent = createClient({
    // Quirk: its own reconnection waits two seconds and more.
    autoReconnect: false,
    transports: { websocket: url ?? on.server.websocket, bosh: false },
    ...config,
  });
  // Quirk: there is no list of mechanisms to allow, only one to disable.
  for (const name of mechanism ? MECHANISMS : []) if (name !== mechanism) agent.sasl.disable(name);
  on.later(async () => {
    if (!agent.sessionStarted) return;
    // Quirk: what it has yet to write when it is closed becomes an unhandled rejection; an answered ping comes last.
    await agent.ping();
    const gone = event(agent, "disconnected");
    agent.disconnect();
    await gone;
  });
  return agent;
}

/** An agent with a session. */
export async function login(on: Stage, { jid, password }: Account, options: AgentOptions = {}): Promise<Agent> {
  const agent = make(on, { jid, password, ...options });
  const started = event(agent, "session:started");
  agent.connect();
  await started;
  return agent;
}

/** Logs in, asks for the roster as every client does first, and becomes available, which its own presence confirms. */
export async function available(on: Stage, account: Account, options: AgentOptions = {}): Promise<Agent> {
  const agent = await login(on, account, options);
  await agent.getRoster();
  const echoed = event<{ from: string }>(agent, "presence", ({ from }) => from === agent.jid);
  agent.sendPresence();
  await echoed;
  return agent;
}

/** XEP-0077: In-Band Registration, v2.4, before authentication — https://xmpp.org/extensions/xep-0077.html */
import { stanzaError } from "../protocol/errors.ts";
import { isUsername, Jid } from "../protocol/jid.ts";
import type { Stanza } from "../protocol/stanza.ts";
import { type Element, xml } from "../xml/element.ts";
import { isGuestHost } from "./negotiation.ts";
import type { Stream } from "./stream.ts";

export const NS_REGISTER = "jabber:iq:register";
/** XEP-0445 §4: a token that an invitation brought. */
const NS_INVITED = "urn:xmpp:pars:0";

const PASSWORD = { least: 6, most: 1023 };

/** Answers an IQ of a client that has no account yet. */
export async function register(stream: Stream, iq: Stanza): Promise<Element | undefined> {
  const { gate } = stream;
  const { registration, domain } = gate.settings;
  if (registration === "closed" || isGuestHost(stream))
    throw stanzaError("not-allowed", "Accounts are made by the administrator of this server.");
  switch (`${iq.type} ${iq.about}`) {
    case `get ${NS_REGISTER} query`:
      return xml(
        "query",
        { xmlns: NS_REGISTER },
        xml("instructions", {}, "Choose a name and a password."),
        xml("username", {}),
        xml("password", {}),
      );
    case `set ${NS_REGISTER} query`: {
      const username = iq.payload.getChildText("username", NS_REGISTER) ?? "";
      const password = iq.payload.getChildText("password", NS_REGISTER) ?? "";
      const jid = Jid.tryParse(`${username}@${domain}`);
      if (!jid || jid.full || !isUsername(jid.local))
        throw stanzaError("not-acceptable", "This is no name for an account."); // §3.1
      if (password.length < PASSWORD.least || password.length > PASSWORD.most)
        throw stanzaError("not-acceptable", `A password has at least ${PASSWORD.least} characters.`);
      if (registration === "invite" && !(await gate.redeem(stream.invitation ?? "")))
        throw stanzaError("not-allowed", "This server takes new accounts by invitation only.");
      const wait = gate.registrations.wait(stream.state.address);
      if (wait > 0) throw stanzaError("resource-constraint", `Too many new accounts: try again in ${wait} s.`);
      const outcome = await gate.accounts(jid.toString()).register(jid.toString(), password);
      if (outcome !== "ok")
        throw stanzaError(outcome, outcome === "conflict" ? "This name is taken." : "Choose another name.");
      gate.registrations.failed(stream.state.address);
      return undefined;
    }
    case `set ${NS_INVITED} preauth`:
      stream.invitation = String(iq.payload.attrs.token ?? "").slice(0, 128);
      return undefined;
    default:
      throw stanzaError("not-authorized", "Log in first, or register.");
  }
}

/** Which object hosts an entity: policy, not code (architecture: "Entities and placement"). */
import type { Jid } from "../protocol/jid.ts";
import type { Settings } from "../settings.ts";

/** The object classes, by the name of their binding. */
export type Kind = "GATE" | "USER" | "ROOM" | "NODE" | "PEER" | "DOOR" | "DIRECTORY";

/** One object: its class and its name. */
export interface Target {
  kind: Kind;
  name: string;
}

/** The name of the object that hosts the entity at `address` (a bare JID, or node and service). */
export function placement(settings: Settings, address: string): string {
  const { placement } = settings;
  if (placement.policy === "each") return address;
  return placement.objects === 1 ? "shared-0" : `shared-${fnv1a(address) % placement.objects}`;
}

/** The first gate of a server that runs on one machine. */
const HERE = "local:0";

/**
 * The gate that lives where all accounts do, if they are in one object: what a stream and its account tell each other is no
 * call then, and what many streams say at a time is one commit.
 */
export function gateBeside({ placement }: Settings): string | undefined {
  return placement.policy === "shared" && placement.objects === 1 ? HERE : undefined;
}

/** The object that a gate is in. */
export function gateHome(settings: Settings, name: string): Target {
  return name === gateBeside(settings) ? { kind: "USER", name: placement(settings, name) } : { kind: "GATE", name };
}

/** FNV-1a, 32 bits: spreads addresses evenly and is the same in every version; it guards nothing. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * A guest's local part names its gate and its stream, so no look-up finds it: "weur-0.k3v…".
 * The gate's name has ":" where the local part has "-" (RFC 7622 forbids ":" there).
 */
export function guestName(gate: string, sid: string): string {
  return `${gate.replaceAll(":", "-")}.${sid}`;
}

/** The gate where a guest began, if its local part can be one that `guestName` made. */
export function guestHome(local: string): string | undefined {
  return GUEST.test(local) ? guestGate(local) : undefined;
}

/** A stranger's word for a gate must not make an object: gates are in Cloudflare's regions, or here. */
const GUEST = /^(?:local|wnam|enam|sam|weur|eeur|apac|oc|afr|me)-\d{1,3}\.[a-z2-7]{26}$/;

function guestGate(local: string): string {
  const dot = local.lastIndexOf(".");
  const name = local.slice(0, dot);
  const dash = name.lastIndexOf("-");
  return `${name.slice(0, dash)}:${name.slice(dash + 1)}`;
}

/** Longest node name that an object is named by; longer ones share objects, which may hold any number of nodes. */
const NODE_NAME = 200;

/** The one object that answers for an address: a pure function of its domain part, and of a node of the pubsub service. */
export function route(settings: Settings, to: Jid, node?: string): Target {
  const { domain, local } = to;
  switch (domain) {
    case settings.domain:
      return { kind: "USER", name: placement(settings, to.bare.toString()) };
    case settings.guestDomain:
      return { kind: "GATE", name: guestGate(local) };
    case settings.mucDomain:
      return { kind: "ROOM", name: placement(settings, to.bare.toString()) };
    case settings.pubsubDomain:
      if (node === undefined) return { kind: "NODE", name: placement(settings, domain) };
      return {
        kind: "NODE",
        name: placement(settings, `${node.length > NODE_NAME ? `#${fnv1a(node)}` : node}@${domain}`),
      };
    default:
      return { kind: "PEER", name: domain };
  }
}

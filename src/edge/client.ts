/** Who calls, as far as the runtime itself knows it: nothing here believes a header that a client can set. */
import type { Settings } from "../settings.ts";
import type { LocationHint } from "./env.ts";

/** What workerd and Cloudflare each put into `request.cf`. */
interface Cf {
  /** workerd: address and port of the TCP peer. */
  clientIp?: string;
  continent?: string;
  country?: string;
  longitude?: string;
}

const cfOf = (request: Request): Cf => (request.cf ?? {}) as Cf;

/**
 * The client's address. IPv6 is cut to the /64 a household has, so that changing it within does not help.
 * @returns "" when nobody knows
 */
export function clientAddress(request: Request, settings: Settings): string {
  const { clientIp } = cfOf(request);
  // Only Cloudflare sets CF-Connecting-IP; on plain workerd it would be the client's own word.
  const address = clientIp === undefined ? request.headers.get("cf-connecting-ip") : withoutPort(clientIp);
  const forwarded = settings.trustProxy ? request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
  return prefix(forwarded || address || "");
}

const withoutPort = (address: string) =>
  address.startsWith("[") ? address.slice(1, address.indexOf("]")) : address.replace(/^([\d.]+):\d+$/, "$1");

function prefix(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = "", tail = ""] = address.toLowerCase().split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === "" ? [] : tail.split(":");
  const zeros = address.includes("::") ? Array<string>(Math.max(0, 8 - front.length - back.length)).fill("0") : [];
  const groups = [...front, ...zeros, ...back].map((group) => group.replace(/^0+(?=.)/, ""));
  return `${groups.slice(0, 4).join(":")}::/64`;
}

const LOOPBACK = /^(?:127\.[\d.]+|0:0:0:0::\/64|localhost)$/;

/** Whether nobody on the way could have read along: TLS, or a connection that does not leave the machine. */
export function isPrivate(request: Request, settings: Settings): boolean {
  if (settings.trustProxy && request.headers.get("x-forwarded-proto") === "https") return true;
  if (request.url.startsWith("https:") || LOOPBACK.test(clientAddress(request, settings))) return true;
  // Where the runtime does not say who calls (a test's), its name for itself must do: on the cloud no host is called so.
  return cfOf(request).clientIp === undefined && LOOPBACK.test(new URL(request.url).hostname);
}

const MIDDLE_EAST = new Set("AE BH CY EG IL IQ IR JO KW LB OM PS QA SA SY TR YE".split(" "));

/** Where to make a gate for this client: Cloudflare's name of a region, undefined where there are none. */
export function region(request: Request): LocationHint | undefined {
  const { continent, country = "", longitude } = cfOf(request);
  const east = Number(longitude ?? 0);
  if (MIDDLE_EAST.has(country)) return "me";
  switch (continent) {
    case "NA":
      return east < -100 ? "wnam" : "enam";
    case "SA":
      return "sam";
    case "EU":
      return east > 15 ? "eeur" : "weur";
    case "AS":
      return "apac";
    case "OC":
      return "oc";
    case "AF":
      return "afr";
    default:
      return undefined;
  }
}

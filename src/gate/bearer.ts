/** RFC 7519, RFC 8725: a web app's token as a login — https://www.rfc-editor.org/rfc/rfc8725 */
import { createRemoteJWKSet, errors, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from "jose";
import * as v from "valibot";
import { escapeLocal, isUsername, Jid } from "../protocol/jid.ts";
import type { Settings } from "../settings.ts";

/** Life of a token at most, and how far clocks may differ, in seconds (security.md C9). */
const LIFE = 86_400;
const TOLERANCE = 60;

/** What a token says besides who it is for. Shapes are checked; what is none of these is refused, not ignored. */
const CLAIMS = v.object({
  name: v.optional(v.pipe(v.string(), v.maxLength(255))),
  picture: v.optional(v.pipe(v.string(), v.maxLength(2048))),
  jti: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
  rooms: v.optional(
    v.pipe(
      v.array(
        v.object({
          room: v.pipe(v.string(), v.minLength(1), v.maxLength(1023)),
          affiliation: v.optional(v.picklist(["owner", "admin", "member", "none", "outcast"]), "member"),
        }),
      ),
      v.maxLength(50),
    ),
    [],
  ),
});

export interface TokenLogin {
  /** The account's bare JID. */
  jid: string;
  name: string | undefined;
  /** When it was issued, in ms; the earliest it can have been, if it does not say. */
  issued: number;
  /** An id that makes the token good for one login. */
  once: { id: string; expires: number } | undefined;
  rooms: readonly { room: string; affiliation: "owner" | "admin" | "member" | "none" | "outcast" }[];
}

/** Kinds of tokens that log in; a logout token or a proof of possession has the same signature and means something else. */
const TYPES = new Set([undefined, "jwt", "at+jwt", "application/at+jwt"]);

export type TokenVerdict =
  | { ok: true; login: TokenLogin }
  | { ok: false; reason: string; condition?: "temporary-auth-failure" };

/** What jose says where a key set could not be fetched: in vain, too late, or as something else. */
const NO_KEYS = new Set(["ERR_JOSE_GENERIC", errors.JWKSTimeout.code, errors.JWKSInvalid.code]);

export const takesTokens = ({ jwtSecrets, jwksUrl }: Settings): boolean =>
  jwtSecrets.length > 0 || jwksUrl !== undefined;

/** Whether a password is shaped like a token: three base64url parts, the first a JSON object. */
export const looksLikeToken = (password: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(password);

/** Key sets fetched from issuers, with jose's own cache; a copy per isolate is no more than a cache. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/** Judges a token. The reason of a refusal is for the log: its bearer hears one and the same answer. */
export async function judgeToken(settings: Settings, token: string): Promise<TokenVerdict> {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtUserClaim } = settings;
  const options: JWTVerifyOptions = {
    audience,
    clockTolerance: TOLERANCE,
    requiredClaims: ["exp", jwtUserClaim],
    ...(issuer !== undefined && { issuer }),
  };
  try {
    return read(settings, await verify(settings, token, options));
  } catch (error) {
    // Without the issuer's keys nothing is known of the token, which may be good in a minute.
    if (!(error instanceof errors.JOSEError) || NO_KEYS.has(error.code))
      return { ok: false, reason: String(error), condition: "temporary-auth-failure" };
    const claim = error instanceof errors.JWTClaimValidationFailed ? ` ${error.claim} ${error.reason}` : "";
    return { ok: false, reason: error.code + claim };
  }
}

/** One kind of key for one kind of signature: no algorithm is taken from the token's own word (CVE-2022-23540). */
async function verify(settings: Settings, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  let refusal: unknown = new errors.JOSENotSupported("no tokens are taken here");
  for (const secret of settings.jwtSecrets) {
    try {
      const key = new TextEncoder().encode(secret);
      return await jwtVerify(token, key, { ...options, algorithms: ["HS256"] });
    } catch (error) {
      // Another key may fit; a token that this one fits is judged by what it says.
      const signature = error instanceof errors.JWSSignatureVerificationFailed;
      if (!signature && !(error instanceof errors.JOSEAlgNotAllowed)) throw error;
      refusal = error;
    }
  }
  if (settings.jwksUrl === undefined) throw refusal;
  let keys = keySets.get(settings.jwksUrl);
  if (!keys) {
    keys = createRemoteJWKSet(new URL(settings.jwksUrl));
    keySets.set(settings.jwksUrl, keys);
  }
  return jwtVerify(token, keys, { ...options, algorithms: ["RS256", "ES256", "EdDSA", "Ed25519"] });
}

function read({ domain, jwtUserClaim }: Settings, { payload, protectedHeader }: JWTVerifyResult): TokenVerdict {
  if (!TYPES.has(protectedHeader.typ?.toLowerCase())) return { ok: false, reason: "the token is of another type" };
  const claims = v.safeParse(CLAIMS, payload);
  if (!claims.success) return { ok: false, reason: "a claim has the wrong shape" };
  const { exp = 0, iat } = payload;
  const now = Date.now() / 1000;
  // One that is issued in the future would live until then besides.
  if (exp - Math.min(iat ?? now, now) > LIFE + TOLERANCE)
    return { ok: false, reason: "the token lives longer than a day" };
  const jid = address(payload[jwtUserClaim], domain);
  if (!jid) return { ok: false, reason: `${jwtUserClaim} is no name of an account here` };
  const { name, jti, rooms } = claims.output;
  const once = jti === undefined ? undefined : { id: jti, expires: (exp + TOLERANCE) * 1000 };
  return { ok: true, login: { jid, name, issued: (iat ?? exp - LIFE) * 1000, once, rooms } };
}

/** A claim as an account: its local part, its bare JID here, or any other id of the app's, escaped (XEP-0106). */
function address(claim: unknown, domain: string): string | undefined {
  if (typeof claim !== "string" || claim === "" || claim.length > 1023) return undefined;
  const suffix = `@${domain}`;
  const whole = claim.endsWith(suffix);
  const local = whole ? claim.slice(0, -suffix.length) : claim;
  // An id that looks escaped already is not, or its owner would be whoever has that id unescaped.
  const name = isUsername(local) && (whole || !local.includes("\\")) ? local : escapeLocal(local);
  const jid = name === undefined ? undefined : Jid.tryParse(`${name}${suffix}`);
  return jid && !jid.full && isUsername(jid.local) ? jid.toString() : undefined;
}

/** Which web pages may connect. There are no cookies, so this guards visitors of strange pages, not accounts. */
import type { Settings } from "../settings.ts";

const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127\.[\d.]+|\[::1\])$/;

/** Why not, and what to do. */
export const refusalOf = (origin: string | null): string =>
  origin === "null"
    ? "A page that is a file, or in a sandboxed frame, may not connect here. Serve it from a web server."
    : `Pages of ${origin} may not connect here. The operator can add them to ALLOWED_ORIGINS.`;

/** Whether a page of this `Origin` may open a stream; a client that sends none is no page. */
export function isAllowedOrigin(origin: string | null, request: { readonly url: string }, settings: Settings): boolean {
  if (origin === null || settings.allowedOrigins === "*") return true;
  if (!URL.canParse(origin)) return false; // "null": a sandboxed frame or a file
  const page = new URL(origin);
  return (
    page.host === new URL(request.url).host ||
    page.origin === settings.publicUrl ||
    LOOPBACK.test(page.hostname) ||
    settings.allowedOrigins.includes(page.origin)
  );
}

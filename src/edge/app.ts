/** HTTP in, object out: the routes of the worker. No stanza is judged here. */
import { Hono } from "hono";
import { SettingsError, settingsOf } from "../settings.ts";
import { UPLOAD_PATH } from "../upload/slot.ts";
import { api } from "./api/api.ts";
import { problem } from "./api/problem.ts";
import { BOSH_PATH, bosh } from "./bosh.ts";
import { bridge } from "./bridge.ts";
import type { Env } from "./env.ts";
import { hostMetaJson, hostMetaXml } from "./host-meta.ts";
import { info, page, roomPage } from "./pages.ts";
import { SERVER_WEBSOCKET_PATH, serverWebsocket } from "./server-websocket.ts";
import { upload } from "./upload.ts";
import { WEBSOCKET_PATHS, websocket } from "./websocket.ts";

export const app = new Hono<{ Bindings: Env }>();

app.use(async (c, next) => {
  await next();
  if (c.res.status === 101) return; // the gate's: its socket would not survive being touched
  const { headers } = c.res;
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  if (!headers.has("content-security-policy")) {
    headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  }
  if (c.req.url.startsWith("https:")) headers.set("strict-transport-security", "max-age=31536000");
});

app.on("GET", [...WEBSOCKET_PATHS], (c) => websocket(c.req.raw, c.env));
app.get(SERVER_WEBSOCKET_PATH, (c) => serverWebsocket(c.req.raw, c.env));
app.get("/bridge/*", (c) => bridge(c.req.raw, c.env));
app.on(["GET", "POST", "OPTIONS"], BOSH_PATH, (c) => bosh(c.req.raw, c.env));
app.on(["GET", "HEAD", "PUT", "OPTIONS"], `${UPLOAD_PATH}/:id/:name`, (c) => upload(c.req.raw, c.env));
app.get("/.well-known/host-meta", (c) => hostMetaXml(c.req.raw, settingsOf(c.env)));
app.get("/.well-known/host-meta.json", (c) => hostMetaJson(c.req.raw, settingsOf(c.env)));
app.get("/info.json", (c) => info(c.req.raw, settingsOf(c.env)));
/** Answers only when the settings are good; and says what time it is here, which plain workerd does not. */
app.get("/healthz", (c) => {
  settingsOf(c.env);
  return c.text("ok\n", 200, { "cache-control": "no-store", date: new Date().toUTCString() });
});
app.route("/api/v1", api);
app.get("/embed/:room", (c) => roomPage(settingsOf(c.env)));
app.get("*", (c) => page(c.req.raw) ?? c.notFound());

app.notFound((c) =>
  c.req.path.startsWith("/api/")
    ? problem("not-found", "There is no such resource.")
    : c.text("There is nothing here.\n", 404),
);

app.onError((error) => {
  if (error instanceof SettingsError) {
    console.error(error.message);
    const names = error.problems.map(({ name, allowed }) => `${name}: ${allowed}`).join("; ");
    return problem("unavailable", `Settings of this server are wrong. ${names}`);
  }
  const id = crypto.randomUUID();
  console.error(`request failed (${id})`, error);
  return problem("internal", `Something went wrong here; the log has it under ${id}.`);
});

/** A web app whose users are logged in to the chat as well: JWT_SECRET=… node examples/login/server.ts */
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const { ENJAMB_URL = "http://127.0.0.1:8787", XMPP_DOMAIN = "localhost", JWT_SECRET = "", PORT = "3000" } = process.env;
const page = readFileSync(new URL("page.html", import.meta.url), "utf8").replaceAll("ENJAMB_URL", ENJAMB_URL);
/** Your app's own sessions: cookie → user. */
const sessions = new Map<string, string>();

/** RFC 7519; every language has a library for it. The secret never leaves this server. */
function sign(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${createHmac("sha256", JWT_SECRET).update(text).digest("base64url")}`;
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const user = sessions.get(/\bsession=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "");
  if (pathname === "/login") {
    const session = randomUUID();
    sessions.set(session, searchParams.get("as") ?? "juliet"); // here your app would ask for a password
    const cookie = `session=${session}; HttpOnly; SameSite=Strict; Path=/`;
    response.writeHead(303, { location: "/", "set-cookie": cookie }).end();
  } else if (pathname === "/token" && user) {
    const iat = Math.floor(Date.now() / 1000);
    const rooms = [{ room: "lobby", affiliation: "member" }];
    const token = sign({ sub: user, name: user, aud: XMPP_DOMAIN, iat, exp: iat + 600, jti: randomUUID(), rooms });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, nick: user }));
  } else if (pathname === "/" && user) response.writeHead(200, { "content-type": "text/html" }).end(page);
  else
    response.writeHead(user ? 404 : 401, { "content-type": "text/html" }).end(`<a href="/login?as=juliet">Log in</a>`);
});
server.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`Open http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

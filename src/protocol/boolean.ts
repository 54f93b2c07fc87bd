/** XML Schema's boolean, which XMPP's attributes use: "true" and "1" are true (RFC 6120 §8, XEP-0198 §3). */
export const isTrue = (value: unknown): boolean => value === "true" || value === "1";

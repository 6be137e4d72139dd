/** What the claims of a token may be called that are its issuer's own words: policies and tokens agree on it. */

/** Names with a meaning of their own in a token (RFC 7519 §4.1, RFC 8693, and ours): no call ever sees one. */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'act', 'may_act', 'rights', 'roles', 'tenant'])

/** A word or a URL (RFC 7519 §4.2), so never a name like `__proto__`. */
const CLAIM_NAME = /^[a-zA-Z][a-zA-Z0-9_.:/-]{0,127}$/

export function isClaimName(name: string): boolean {
  return CLAIM_NAME.test(name)
}

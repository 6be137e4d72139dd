/**
 * Who a verified token speaks for. A host token gives roles and no identity; a database token gives
 * a login of that database and no role: neither implies the other (DESIGN §3, Rights).
 */
import type { Login } from '../identity.ts'

/** `operator` runs the host; the others are roles of one tenant. */
export const ROLES = ['operator', 'admin', 'publisher', 'auditor'] as const
export type Role = (typeof ROLES)[number]

/** What a database token may do beyond calling as its own login: naming another sender, reading all of the access log. */
export const RIGHTS = ['act-for', 'audit'] as const
export type Right = (typeof RIGHTS)[number]

export interface HostPrincipal {
  readonly kind: 'host'
  readonly subject: string
  /** Undefined for an operator, who belongs to no tenant. */
  readonly tenant: string | undefined
  readonly roles: readonly Role[]
  /** Seconds since 1970. */
  readonly expiresAt: number
}

export interface DatabasePrincipal {
  readonly kind: 'database'
  readonly login: Login
  readonly assurance: 'signed'
  readonly claims: Readonly<Record<string, string>>
  readonly rights: readonly string[]
  /** Seconds since 1970. */
  readonly expiresAt: number
}

export type Principal = HostPrincipal | DatabasePrincipal

/** Operators stand outside tenants; every other role is a role in one. */
export function areRolesSound(roles: readonly Role[], tenant: string | undefined): boolean {
  if (tenant === undefined) return roles.length === 1 && roles[0] === 'operator'
  return roles.length > 0 && new Set(roles).size === roles.length && !roles.includes('operator')
}

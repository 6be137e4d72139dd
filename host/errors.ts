/**
 * The one error type that leaves the host, and every code it can carry. docs/errors.md explains each
 * code to its reader; a test holds the two lists against each other.
 */

/** HTTP status of each code. A code, once released, keeps its meaning. */
export const ERROR_STATUS = {
  // publish
  ERR_COMPONENT_TOO_LARGE: 413,
  ERR_COMPONENT_MALFORMED: 422,
  ERR_COMPONENT_KIND: 422,
  ERR_COMPONENT_WIRING: 422,
  ERR_COMPONENT_WORLD: 422,
  ERR_COMPONENT_CORE: 422,
  ERR_COMPONENT_BUDGET: 422,
  ERR_DESCRIPTION: 422,
  ERR_POLICY: 422,
  ERR_SCHEMA_CHANGE: 409,
  // databases and modules
  ERR_DATABASE_NAME: 400,
  ERR_DATABASE_UNKNOWN: 404,
  ERR_DATABASE_EXISTS: 409,
  ERR_MODULE_MISSING: 409,
  ERR_TENANT_NAME: 400,
  ERR_TENANT_UNKNOWN: 404,
  ERR_LIMIT: 400,
  ERR_TENANT_EXISTS: 409,
  // calls
  ERR_REDUCER_UNKNOWN: 404,
  ERR_REDUCER_KIND: 409,
  ERR_REDUCER_HOST_ONLY: 403,
  ERR_TABLE_UNKNOWN: 404,
  ERR_ARGUMENT_COUNT: 400,
  ERR_ARGUMENT_TYPE: 400,
  ERR_ARGUMENT_RANGE: 400,
  ERR_ARGUMENTS_TOO_LARGE: 413,
  ERR_CALL_FAILED: 422,
  ERR_CALL_TRAPPED: 422,
  ERR_CALL_DEPTH: 422,
  ERR_CALL_FUEL: 422,
  ERR_RESULT_MALFORMED: 422,
  ERR_RESULT_TOO_LARGE: 422,
  // rows and handles
  ERR_ROW_DENIED: 403,
  ERR_ROW_MALFORMED: 422,
  ERR_ROW_TOO_LARGE: 422,
  ERR_ROW_DUPLICATE: 409,
  ERR_ID_EXHAUSTED: 409,
  ERR_NO_INDEX: 422,
  ERR_HANDLE_INVALID: 422,
  ERR_HANDLE_MODE: 403,
  ERR_HANDLE_CLOSED: 422,
  ERR_CALL_LIMIT: 422,
  // client SQL
  ERR_SQL_SYNTAX: 400,
  ERR_SQL_UNSUPPORTED: 400,
  ERR_SQL_NAME: 400,
  ERR_SQL_TYPE: 400,
  ERR_SQL_VALUE: 422,
  ERR_SQL_BUDGET: 422,
  // identity and tokens
  ERR_TOKEN_MISSING: 401,
  ERR_TOKEN_INVALID: 401,
  ERR_TOKEN_EXPIRED: 401,
  ERR_TOKEN_AUDIENCE: 401,
  ERR_KEY_UNKNOWN: 404,
  ERR_KEY_IN_USE: 409,
  ERR_KEY_LIMIT: 409,
  ERR_RIGHT_MISSING: 403,
  ERR_ACT_FOR_DENIED: 403,
  ERR_LOGIN_UNKNOWN: 404,
  ERR_LOGIN_LINKED: 409,
  // sessions and their providers
  ERR_AGENT_UNKNOWN: 404,
  ERR_VOICE_MISSING: 409,
  ERR_SESSION_LIMIT: 503,
  ERR_PROVIDER: 502,
  ERR_PROVIDER_QUOTA: 503,
  // requests and the host itself
  ERR_REQUEST_MALFORMED: 400,
  ERR_REQUEST_TOO_LARGE: 413,
  ERR_ROUTE_UNKNOWN: 404,
  ERR_BUSY: 503,
  ERR_SHARD_LOST: 503,
  ERR_HOST_CLOSED: 503,
  ERR_STORAGE: 503,
  ERR_CALL_ID: 409,
  ERR_CALL_UNKNOWN: 404,
  ERR_COMMIT_UNKNOWN: 503,
  ERR_LOG_FENCED: 503,
  ERR_LOG_DAMAGED: 503,
  ERR_FOLDER_LOCKED: 409,
  ERR_INTERNAL: 500,
  // on the user's own machine
  ERR_BUILD: 400,
  ERR_POLICY_TEST: 400,
  ERR_USAGE: 400,
  ERR_HOST_UNREACHABLE: 503,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

export type ErrorDetail = Readonly<Record<string, string | number | readonly string[]>>

/**
 * `code` is for programs and `message` for people: what was expected, what came, what to do next.
 * `detail` is sent to the caller, so it never holds a row the caller could not read.
 */
export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.detail = options.detail ?? {}
  }

  get status(): number {
    return ERROR_STATUS[this.code]
  }

  /** The same error with more in its detail, which its caller may know. */
  withDetail(detail: ErrorDetail): HostError {
    return new HostError(this.code, this.message, { detail: { ...this.detail, ...detail }, cause: this })
  }
}

/** True for a string that is one of our codes: for errors read back from bytes. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, code)
}

/** Stops on a state that only a bug of our own can produce. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}

/** Marks a branch that the type system has shown to be impossible. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
